"""gan-loop --minutes: a time becomes plain settings of the run, and nothing else of it remains."""

import os
import re
import signal

import pytest
from conftest import LR, TINY, wait_for
from test_workers import pair

from ganutils.files import container
from ganutils.files.lineage import replaced

MEANING = re.compile(r"--minutes .*: (--steps (\d+) --decay (\d+):(\d+))")


def meaning(result):
    """The options that --minutes came to, as the first line says, and the last step."""
    match = MEANING.fullmatch(result.lines[0])
    assert match, result.err
    steps, first, last = map(int, match.groups()[1:])
    assert (first, last) == (round(0.4 * steps), steps)
    return match[1].split(), steps


def step_of(path):
    with container.read(str(path), "checkpoint") as file:
        return int(file["updates.G"])


def alike(ok, one, other):
    """Whether two checkpoints have the same settings, data and tensors."""
    return ok("gan-info", "--digest", one).out == ok("gan-info", "--digest", other).out


MODELS = {
    "pictures": [*TINY, "--d-updates", 2, "--augment", "translate,cutout", "--conditional"],
    "pairs": ["--width", 2, "--batch", 2],
    "domains": ["--domains", "--width", 2, "--batch", 2],
    "sounds": ["--width", 2, "--batch", 4],
    "texts": ["--width", 2, "--batch", 4],
}


@pytest.mark.parametrize("kind", [*MODELS, "dropout"])
def test_the_run_that_it_names_has_the_same_bits(ok, request, content, kind):
    made = request.getfixturevalue("pictures" if kind == "dropout" else kind)
    model = MODELS.get(kind, ["--preset", "goodfellow2014", *TINY])
    words = ["gan-loop", made() if callable(made) else made, *model]
    named, steps = meaning(ok(*words, "--minutes", 0.005, "-o", "timed.ckpt"))
    assert step_of(request.getfixturevalue("tmp_path") / "timed.ckpt") == steps
    meta, _ = content("timed.ckpt")
    assert meta["config"]["decay"] == [round(0.4 * steps), steps]
    ok(*words, *named, "-o", "named.ckpt", "-q")
    assert alike(ok, "timed.ckpt", "named.ckpt")


def test_what_is_kept_of_the_command_is_the_run_that_it_names(ok, pictures, content):
    words = ["gan-loop", pictures, *TINY]
    result = ok(*words, "--minutes=0.002", "-o", "a.ckpt")
    line = " ".join(map(str, [*words, *meaning(result)[0], "-o", "a.ckpt"]))
    assert content("a.ckpt")[0]["lineage"] == ["made by hand", line]
    assert replaced(["x", "--minutes", "3", "a", "--minutes=4"], "--minutes", ["b", "c"]) == [
        "x",
        "b",
        "c",
        "a",
        "b",
        "c",
    ]


def test_a_run_that_exists_goes_on_to_its_own_end(ok, pictures, content, tmp_path):
    words = ["gan-loop", pictures, *TINY]
    ok(*words, "--steps", 3, "--decay", "2:9", "-o", "a.ckpt")  # as if it had been interrupted
    result = ok(*words, "--minutes", 500, "-o", "a.ckpt")
    assert result.lines[:2] == [
        "--minutes goes on to the end of this run: --steps 9 --decay 2:9",
        "a.ckpt: continues at step 3",
    ]
    ok(*words, "--steps", 9, "--decay", "2:9", "-o", "b.ckpt")
    assert alike(ok, "a.ckpt", "b.ckpt")
    before = (tmp_path / "a.ckpt").read_bytes()
    assert ok(*words, "--minutes", 1, "-o", "a.ckpt").lines == [
        "a.ckpt: at step 9 already; its --decay ends there; --fresh starts over, and --init with another -o trains its "
        "networks further"
    ]
    assert (tmp_path / "a.ckpt").read_bytes() == before
    ok(*words, "--minutes", 0.002, "--fresh", "-o", "a.ckpt")
    assert content("a.ckpt")[0]["config"]["decay"] != [2, 9]


def test_an_interrupted_run_is_the_one_that_it_named(start, ok, pictures, tmp_path):
    words = ["gan-loop", pictures, *TINY]
    going = start(*words, "--minutes", 1, "--snapshots", "shots", "-o", "a.ckpt")
    wait_for(tmp_path / "a.ckpt")  # which is there before the first step
    os.kill(going.process.pid, signal.SIGTERM)
    stopped = going.wait()
    assert (stopped.code, stopped.lines[-1].endswith("; the same command continues")) == (143, True)
    named, steps = meaning(stopped)
    done = step_of(tmp_path / "a.ckpt")
    assert done < steps
    ok(*words, "--steps", done, *named[2:], "-o", "b.ckpt")
    assert alike(ok, "a.ckpt", "b.ckpt")
    assert (
        f"train from step {done:,} to {steps:,}" in ok(*words, "--minutes", 9, "--dry-run", "-o", "a.ckpt").out.decode()
    )


def test_part_frames_and_the_log_are_those_of_its_steps(ok, pictures, tmp_path):
    words = ["gan-loop", pictures, *TINY, "--minutes", 0.005, "--part", "--log", "log.jsonl", "-o", "a.ckpt"]
    steps = meaning(ok(*words, "--snapshots", "shots", "--frames", 3))[1]
    names = [f"step-{step:06d}.safetensors" for step in sorted({0, round(steps / 4), steps})]
    assert sorted(os.listdir(tmp_path / "shots")) == names
    assert f'"step": {steps}' in (tmp_path / "log.jsonl").read_text().splitlines()[-1]
    assert {"a.ckpt", "log.jsonl", "shots"} == {name for name in os.listdir(tmp_path) if name[0] != "."} - {pictures}


def test_to_a_pipe_goes_one_checkpoint(ok, pictures, tmp_path):
    result = ok("gan-loop", pictures, *TINY, "--minutes", 0.002)
    (tmp_path / "piped.ckpt").write_bytes(result.out)
    assert step_of(tmp_path / "piped.ckpt") == meaning(result)[1]


def test_a_dry_run_says_it_and_writes_nothing(ok, pictures, tmp_path):
    before = sorted(os.listdir(tmp_path))
    result = ok("gan-loop", pictures, *TINY, "--minutes", 0.02, "--dry-run", "-o", "a.ckpt")
    named, steps = meaning(result)
    assert named[3] in re.search(r"decay +(.*)", result.out.decode())[1]
    assert f"would train from step 0 to {steps:,} and write a.ckpt" in result.out.decode()
    assert {name for name in os.listdir(tmp_path) if name[0] != "."} == {name for name in before if name[0] != "."}


def test_the_first_worker_decides(start, ok, pictures, content):
    words = ["gan-loop", pictures, *TINY, "--precision", "fp32"]
    lines = [[*words, "--minutes", minutes, "-o", "a.ckpt"] for minutes in (0.005, 0.02)]
    first, second = (worker.wait() for worker in pair(start, *lines))
    assert (first.code, second) == (0, (0, b"", "")), first.err
    assert content("a.ckpt")[0]["config"]["decay"][1] == meaning(first)[1]
    ok(*words, "--steps", 2, "--decay", "1:4", "-o", "b.ckpt")
    others = [*lines[1][:-1], "elsewhere.ckpt"]  # of a machine that does not have the checkpoint
    first, second = (worker.wait() for worker in pair(start, [*lines[0][:-1], "b.ckpt"], others))
    assert (first.code, second) == (0, (0, b"", "")), first.err
    assert content("b.ckpt")[1]["updates.G"] == 4


def test_networks_of_another_run_get_a_decay_of_their_own(ok, pictures, content):
    ok("gan-loop", pictures, *TINY, "--steps", 2, "--decay", "1:2", "-o", "a.ckpt")
    _, steps = meaning(ok("gan-loop", pictures, "--init", "a.ckpt", "--minutes", 0.002, "-o", "b.ckpt"))
    assert content("b.ckpt")[0]["config"]["decay"][1] == steps


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["--minutes", 1, "--steps", 9], "--steps and --minutes exclude each other; give one"),
        (["--minutes", 1, "--more", 9], "--more and --minutes exclude each other; give one"),
        (["--minutes", 1, "--decay", "1:2"], "--decay and --minutes exclude each other; give one"),
        (
            ["--minutes", 1, "--from", "a.ckpt"],
            "--minutes has no effect with --from, since the settings of a run are fixed; give --more or --steps",
        ),
        (["--minutes", 0], "0 is not in the range 0.001<=x<="),
        (["--minutes", -1], "-1 is not in the range"),
        (["--minutes", "nan"], "nan is not in the range"),
        (["--minutes", "soon"], "'soon' is not a valid float"),
    ],
)
def test_what_contradicts_it_is_a_usage_error(fails, pictures, typed, said):
    assert said in fails("gan-loop", pictures, *typed, "-o", "x.ckpt", code=2)


def test_a_run_that_has_no_end_or_other_settings_is_refused(ok, fails, pictures):
    words = ["gan-loop", pictures, *TINY]
    ok(*words, "--steps", 1, "-o", "a.ckpt")
    assert fails(*words, "--minutes", 1, "-o", "a.ckpt") == (
        "gan-loop: a.ckpt: has no --decay, to whose end --minutes would train; give --steps or --more in its place, or "
        "start over with --fresh"
    )
    ok(*words, "--steps", 1, "--decay", "1:3", "-o", "b.ckpt")
    line = fails(*words, "--lr", 0.1, "--minutes", 1, "-o", "b.ckpt")
    assert f"b.ckpt: is another run: lr is {LR} there, 0.1 here, d_lr is 0.004 there, 0.2 here;" in line
