"""Nothing lost: what is on disk after kills, faults, signals and races is old or new (docs/promises.md)."""

import json
import os
import random
import signal
import threading
import time

import faults
import numpy as np
import pytest
from conftest import TINY, wait_for
from PIL import Image

from ganutils.cli import command
from ganutils.files import container, png

SOAK = pytest.mark.soak
MLP = [*TINY, "--arch", "mlp"]
COMMANDS = {  # and what it writes; in CI those that write each in another way
    "gan-data new.npy -q -o out.safetensors": "out.safetensors",
    "gan-sample gan.ckpt.safetensors -n 5 -q -o out/": "out",
    f"gan-loop data.safetensors {' '.join(MLP)} --steps 2 -q --fresh --log run.jsonl -o out.ckpt": "out.ckpt",
    "gan-gif film.npy -q -o out.gif": "out.gif",
}
MORE = {
    "gan-data pictures -q -o out.safetensors": "out.safetensors",
    "gan-interp --seeds 1-3 --for gan.ckpt.safetensors -q --frames 3 -o out.npy": "out.npy",
    "gan-train-d data.safetensors --from gan.ckpt.safetensors -q -o out.ckpt": "out.ckpt",
    "gan-train-g --from gan.ckpt.safetensors -q -o out.ckpt": "out.ckpt",
    "gan-gif film.npy -q -o out.mp4": "out.mp4",
    "gan-gif film.npy -q -o out.apng": "out.apng",
    "gan-gif film.npy -q -o out.webp": "out.webp",
    "gan-plot old.jsonl -q -o out.png": "out.png",
}
EACH = pytest.mark.parametrize(
    ("line", "out"), [*COMMANDS.items(), *(pytest.param(*item, marks=SOAK) for item in MORE.items())]
)


@pytest.fixture
def inputs(tmp_path, checkpoint):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "new.npy", rng.integers(0, 256, (5, 8, 8), "u1"))
    np.save(tmp_path / "film.npy", rng.integers(0, 256, (3, 8, 8), "u1"))
    os.mkdir(tmp_path / "pictures")
    for number in range(3):
        Image.fromarray(rng.integers(0, 256, (8, 8), "u1")).save(tmp_path / "pictures" / f"{number}.png")
    (tmp_path / "old.jsonl").write_text('{"step": 1, "d_loss": 1.0}\n{"step": 2, "d_loss": 0.5}\n')
    return tmp_path


def put_old(path):
    """Something that the command replaces."""
    if path.suffix:
        path.write_bytes(b"old")
    else:
        path.mkdir(exist_ok=True)
        for number in range(3):
            with open(path / f"{number:06d}.png", "wb") as out:
                png.write(out, np.full((2, 2, 1), number, "u1"))


def bytes_of(path):
    """The bytes of a file, or of each file in a folder."""
    return path.read_bytes() if path.is_file() else {one.name: one.read_bytes() for one in sorted(path.iterdir())}


def temporaries(folder):
    return [name for name in os.listdir(folder) if name.endswith((".tmp", ".old"))]


def every_operation(run, folder, line, out, what, most=200):
    """Yield what the command did when its n-th operation went wrong, for n = 1, 2, ... until none did."""
    words = line.split()
    for n in range(1, most):
        put_old(folder / out)
        old = bytes_of(folder / out)
        result = run(*words, fault=(what, n))
        if not (folder / faults.TRIPPED).exists():
            assert result.code == 0, result
            assert n > 4, "so few operations: are they counted?"
            return
        os.unlink(folder / faults.TRIPPED)
        yield n, old, result
    pytest.fail(f"more than {most} operations")


@EACH
def test_whatever_fails_the_old_bytes_or_the_new_are_there_and_nothing_else(run, ok, inputs, line, out):
    ok(*line.split())
    new, around = bytes_of(inputs / out), len([n for n in os.listdir(inputs) if not n.startswith(".")])
    for n, old, result in every_operation(run, inputs, line, out, "fail"):
        assert bytes_of(inputs / out) in (old, new), f"after operation {n}"
        assert result.code in (0, 1), (n, result)  # 0: it was one that the command can do without
        assert len(result.lines) == result.code, (n, result.err)
        assert not temporaries(inputs), f"after operation {n}"
        assert len([name for name in os.listdir(inputs) if not name.startswith(".")]) == around


@EACH
def test_a_kill_at_any_operation_leaves_the_old_bytes_or_the_new(run, ok, inputs, line, out):
    ok(*line.split())
    new = bytes_of(inputs / out)
    for n, old, result in every_operation(run, inputs, line, out, "kill"):
        assert result.code == -signal.SIGKILL
        assert bytes_of(inputs / out) in (old, new), f"killed at operation {n}"
        assert len(temporaries(inputs)) <= 1, f"killed at operation {n}"
    assert not temporaries(inputs)  # the last run, which ended well, has swept them


@pytest.mark.parametrize("what", ["naive fail", "naive kill"])
def test_a_command_that_opens_its_output_for_writing_would_not_pass_these_tests(run, ok, inputs, what):
    line, out = "gan-data new.npy -q -o out.safetensors", "out.safetensors"
    ok(*line.split())
    new, spoilt = bytes_of(inputs / out), 0
    for n in range(1, 50):
        put_old(inputs / out)
        run(*line.split(), fault=(what, n))
        spoilt += bytes_of(inputs / out) not in (b"old", new)
        if not (inputs / faults.TRIPPED).exists():
            break
        os.unlink(inputs / faults.TRIPPED)
    assert spoilt


@pytest.mark.parametrize(
    ("line", "out"),
    [
        ("gan-data new.npy -q -o there/out.safetensors", "out.safetensors"),
        ("gan-data new.npy --limit 2 -q -o there/out/", "out"),
        (
            f"gan-loop data.safetensors {' '.join(MLP)} --steps 1 -q --fresh --save-every 1 -o there/out.ckpt",
            "out.ckpt",
        ),
    ],
)
def test_a_folder_renamed_at_any_operation_keeps_the_old_bytes_or_gets_the_new(run, ok, inputs, line, out):
    there, elsewhere = inputs / "there", inputs / "elsewhere"
    there.mkdir()
    ok(*line.split())
    new = bytes_of(there / out)
    for n, old, result in every_operation(run, inputs, line, f"there/{out}", "move"):
        assert (result.code, len(result.lines)) in [(0, 0), (1, 1)], (n, result)
        assert result.code == 0 or f": there/{out}" in result.err, (n, result.err)
        assert os.listdir(elsewhere) == [out], f"renamed at operation {n}"
        assert bytes_of(elsewhere / out) in (old, new), f"renamed at operation {n}"
        assert not there.exists()
        os.rename(elsewhere, there)


# ------------------------------------------------------------------------------------- kills at random


def step_of(path):
    with container.read(str(path), "checkpoint") as file:
        file.digest()
        return int(file["updates.G"])


def check_readable(folder):
    """Everything that the chain has written can be read to its end."""
    for path in folder.iterdir():
        if path.suffix in (".ckpt", ".safetensors"):
            with container.read(str(path)) as file:
                file.digest()
        elif path.suffix in (".gif", ".png"):
            with Image.open(path) as image:
                image.load()
        elif path.name == "shots":
            check_readable(path)
    assert len(temporaries(folder)) <= 4  # one an output


@pytest.mark.parametrize("kills", [25, pytest.param(200, marks=SOAK)])
def test_kills_at_random_over_the_chain(start, ok, inputs, kills):
    """Data, checkpoints, snapshots, films: nothing unreadable, no checkpoint lost that was there, no litter."""
    rng = random.Random(kills)
    chain = [
        f"gan-loop data.safetensors {' '.join(MLP)} --steps 1000000 --save-every 2 --snapshots shots --every 5 -q"
        " -o a.ckpt",
        "gan-data pictures new.npy --size 40 -q -o b.safetensors",
        "gan-sample gan.ckpt.safetensors -n 600 -q -o c/",
        "gan-gif film.npy --scale 20 -q -o d.gif",
    ]
    taken, acknowledged = {}, 0
    for line in chain:
        begun = time.monotonic()
        ok(*line.replace("1000000", "30").split())
        taken[line] = time.monotonic() - begun
    for number in range(kills):
        line = chain[number % len(chain)]
        going = start(*line.split())
        moment = time.monotonic() + rng.random() * taken[line] * 1.2
        while time.monotonic() < moment and going.process.is_alive():
            if line.startswith("gan-loop"):
                acknowledged = max(acknowledged, step_of(inputs / "a.ckpt"))
            time.sleep(0.002)
        going.process.kill()
        going.process.join()
        check_readable(inputs)
        assert step_of(inputs / "a.ckpt") >= acknowledged
    assert acknowledged > 30
    steps = step_of(inputs / "a.ckpt") + 1
    for line in chain:
        ok(*line.replace("1000000", str(steps)).split())
    check_readable(inputs)
    assert not temporaries(inputs)


def when(path):
    return path.stat().st_mtime_ns if path.exists() else None


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=SOAK)])
def test_until_it_is_done_under_kills_equals_one_clean_run(start, run, ok, pictures, tmp_path, kills):
    """`until gan-loop ...; do :; done`, killed at random, and then left alone."""
    line = ["gan-loop", pictures, *MLP, "--save-every", 7, "-q", "--decay", "100:1500"]
    rng = random.Random(0)
    for _ in range(kills):
        before = when(tmp_path / "killed.ckpt")
        going = start(*line, "--steps", 100_000, "-o", "killed.ckpt")
        while when(tmp_path / "killed.ckpt") == before:
            time.sleep(0.002)  # it trains
        time.sleep(rng.random() * 0.2)
        going.process.kill()
        going.process.join()
        assert going.process.exitcode == -signal.SIGKILL
    steps = step_of(tmp_path / "killed.ckpt") + 10
    while run(*line, "--steps", steps, "-o", "killed.ckpt").code:
        pass
    ok(*line, "--steps", steps, "-o", "clean.ckpt")
    assert ok("gan-info", "--digest", "killed.ckpt").out == ok("gan-info", "--digest", "clean.ckpt").out


def test_a_line_of_the_log_that_a_kill_cut_off_does_not_spoil_the_next(ok, pictures, tmp_path):
    ok("gan-loop", pictures, *MLP, "--steps", 60, "--log", "run.jsonl", "-q", "-o", "a.ckpt")
    log = tmp_path / "run.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole + whole[:30])
    ok("gan-loop", pictures, *MLP, "--steps", 120, "--log", "run.jsonl", "-q", "-o", "a.ckpt")
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == [50, 60, 100, 120]
    log.write_bytes(whole.strip())
    ok("gan-loop", pictures, *MLP, "--steps", 150, "--log", "run.jsonl", "-q", "-o", "a.ckpt")
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == [50, 60, 150]


@pytest.mark.parametrize("text", [b"a file of somebody's without an end", b"[1]\n", b"# notes\n{}\n", None])
@pytest.mark.parametrize("name", ["gan-loop", "gan-train-d"])
def test_what_is_no_log_is_not_appended_to(fails, pictures, tmp_path, name, text):
    other = tmp_path / "other"
    other.write_bytes((tmp_path / pictures).read_bytes() if text is None else text)
    before = other.read_bytes()
    line = fails(name, pictures, *MLP, "--log", "other", "-o", "a.ckpt")
    assert line == f"{name}: other: is not a log of ours; give the name of one, or of a new file"
    assert other.read_bytes() == before
    assert not (tmp_path / "a.ckpt").exists()


def test_a_log_may_hold_scores_and_empty_lines(ok, pictures, tmp_path):
    (tmp_path / "all.jsonl").write_text('\n{"fake": "x", "fid": 1}\n\n')
    ok("gan-loop", pictures, *MLP, "--steps", 1, "--log", "all.jsonl", "-q", "-o", "a.ckpt")
    assert (tmp_path / "all.jsonl").read_text().startswith('\n{"fake": "x", "fid": 1}\n\n{"step": 1,')


# ------------------------------------------------------------------------------------------ no room


def test_a_full_disk_for_the_log_is_named(fails, pictures):
    line = fails("gan-loop", pictures, *MLP, "--steps", 1, "--log", "/dev/full", "-q", "-o", "a.ckpt")
    assert line == "gan-loop: /dev/full: no space left on device; existing files are unchanged"


def test_a_folder_that_is_read_only_or_vanishes_is_one_line_of_error(fails, start, pictures, tmp_path):
    vanishing = tmp_path / "there"
    vanishing.mkdir()
    going = start("gan-loop", pictures, *MLP, "--steps", 1_000_000, "--save-every", 3, "-q", "-o", "there/a.ckpt")
    wait_for(vanishing / "a.ckpt")
    os.rename(vanishing, tmp_path / "elsewhere")
    result = going.wait(30)
    assert result.code == 1
    assert len(result.lines) == 1
    assert result.err.startswith("gan-loop: ")
    assert "there/a.ckpt" in result.err
    assert step_of(tmp_path / "elsewhere" / "a.ckpt") >= 3
    assert not temporaries(tmp_path / "elsewhere")
    if os.getuid():  # nothing is read-only to root
        (tmp_path / "elsewhere").chmod(0o555)
        line = fails("gan-data", pictures, "-q", "-o", "elsewhere/b.safetensors")
        assert "its folder is not writable" in line


# -------------------------------------------------------------------------------------- two at once


@pytest.fixture
def training(start, pictures, tmp_path):
    """A gan-loop that trains until it is killed, and writes all that a run writes; gives its process's id."""
    line = ["gan-loop", pictures, *MLP, "--steps", 10_000_000, "--save-every", 10, "-q", "--snapshots", "shots"]
    going = start(*line, "--log", "run.jsonl", "-o", "a.ckpt")
    wait_for(tmp_path / "a.ckpt")
    yield going.process.pid
    going.process.kill()
    going.process.join()


OTHERS = {  # what another command is refused for
    "gan-loop data.safetensors -o a.ckpt": "a.ckpt",
    "gan-loop data.safetensors --fresh -o ./a.ckpt": "./a.ckpt",
    "gan-loop data.safetensors --part -o link.ckpt": "link.ckpt",
    "gan-loop data.safetensors --log run.jsonl -o b.ckpt": "run.jsonl",
    "gan-loop data.safetensors --snapshots shots -o b.ckpt": "shots",
    "gan-train-d data.safetensors --from old.ckpt -o a.ckpt": "a.ckpt",
    "gan-train-g --from old.ckpt --log run.jsonl -o c.ckpt": "run.jsonl",
}


def test_of_two_trainings_with_one_output_the_second_is_refused(run, ok, training, pictures, tmp_path):
    ok("gan-loop", pictures, *MLP, "--steps", 1, "-q", "-o", "old.ckpt")
    os.symlink(tmp_path / "a.ckpt", tmp_path / "link.ckpt")
    for line, name in OTHERS.items():
        words = [*line.split(), *(MLP if line.startswith("gan-loop") else ()), "-q"]
        result = run(*words)
        what = f"{words[0]}: {name}: process {training} is writing it; wait for its end, or choose another name\n"
        assert (result.code, result.err) == (1, what), line
    assert not (tmp_path / "b.ckpt").exists()
    assert [name for name in os.listdir(tmp_path) if name.endswith(".lock")] == [".a.ckpt.lock"]
    ok("gan-loop", pictures, *MLP, "-q", "--dry-run", "-o", "a.ckpt")
    ok("gan-loop", pictures, *MLP, "-q", "--steps", 1, "-o", "b.ckpt")


def test_a_killed_training_stands_in_nobodys_way(run, ok, start, pictures, tmp_path):
    line = ["gan-loop", pictures, *MLP, "-q", "--snapshots", "shots", "--log", "run.jsonl", "-o", "a.ckpt", "--steps"]
    going = start(*line, 10_000_000)
    wait_for(tmp_path / "run.jsonl")
    os.kill(going.process.pid, signal.SIGKILL)
    going.wait()
    ok(*line, 3)
    ok("gan-train-d", pictures, "--from", "a.ckpt", "-q", "-o", "a.ckpt")
    assert not [name for folder in (tmp_path, tmp_path / "shots") for name in os.listdir(folder) if "lock" in name]


def test_of_several_workers_only_the_first_asks_for_the_output(run, training, pictures):
    """The others would refuse themselves. (They go on, and find no first worker.)"""
    line = ["gan-loop", pictures, *MLP, "-q", "--steps", 1, "-o", "a.ckpt"]
    about = {"WORLD_SIZE": "2", "MASTER_ADDR": "nobody.invalid"}
    assert "is writing it" in run(*line, RANK="0", **about).err
    assert "is writing it" not in run(*line, RANK="1", **about).err


def count_of(folder):
    """Number of files in a folder; None if it was exchanged for another meanwhile."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        count = len(os.listdir(handle))
        return count if os.path.samestat(os.fstat(handle), os.stat(folder)) else None
    finally:
        os.close(handle)


def test_two_writers_of_a_folder_never_mix_and_a_reader_always_finds_one(start, tmp_path):
    sets = {"a": (3, 0), "b": (7, 255)}
    for name, (count, gray) in sets.items():
        np.save(tmp_path / f"{name}.npy", np.full((count, 8, 8), gray, "u1"))
    start("gan-data", "a.npy", "-q", "-o", "out/").wait()
    seen = set()
    for _ in range(4):
        going = [start("gan-data", f"{name}.npy", "-q", "-o", "out/") for name in sets]
        while any(one.process.is_alive() for one in going):
            seen.add(count_of(tmp_path / "out"))
        assert [one.wait() for one in going] == [(0, b"", going[0].wait().err), (0, b"", going[1].wait().err)]
        grays = {int(np.asarray(Image.open(path)).max()) for path in (tmp_path / "out").iterdir()}
        assert (len(os.listdir(tmp_path / "out")), grays) in [(count, {gray}) for count, gray in sets.values()]
    assert seen <= {3, 7, None}
    assert not temporaries(tmp_path)


def test_a_folder_can_be_checked_while_another_writer_replaces_it(tmp_path):
    """The files of the old one, which the check has listed, are being removed."""
    from ganutils.files import folders

    def write():
        for _ in range(20):
            folders.write(f"{tmp_path}/out/", [np.zeros((2, 2, 1), "u1")] * 5)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        folders.check(f"{tmp_path}/out/")
    writer.join()


def test_a_folder_whose_writer_was_killed_between_two_renames_comes_back(ok, tmp_path, monkeypatch):
    """There is such a moment where the system cannot exchange two folders."""
    from ganutils.files import folders

    old, new = [np.full((2, 2, 1), gray, "u1") for gray in (1, 2)]
    folder = tmp_path / "out"
    folders.write(f"{folder}/", [old])
    before = bytes_of(folder)
    monkeypatch.setattr(folders, "_exchanged", lambda folder, one, other: False)
    folders.write(f"{folder}/", [new])
    assert bytes_of(folder) != before
    os.rename(folder, tmp_path / ".out.old")  # killed here
    with pytest.raises(ValueError, match="fails"):
        folders.write(f"{folder}/", (fail() for _ in range(1)))
    assert os.listdir(tmp_path) == ["out"]
    assert len(bytes_of(folder)) == 1


def fail():
    raise ValueError("fails")


# ------------------------------------------------------------------------------------------ signals


def takes_signals(pid):
    """Whether the command already handles or ignores SIGUSR1."""
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":\t") for line in status if ":\t" in line)
    return any(int(fields[name], 16) >> (signal.SIGUSR1 - 1) & 1 for name in ("SigIgn", "SigCgt"))


@pytest.mark.parametrize("count", [8, pytest.param(50, marks=SOAK)])
def test_signals_at_random_moments(start, pictures, tmp_path, count):
    rng = random.Random(count)
    out = tmp_path / "a.ckpt"
    numbers = [signal.SIGUSR1, signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    for each in range(count):
        number = numbers[each % len(numbers)]
        going = start("gan-loop", pictures, *MLP, "--steps", 1_000_000, "--save-every", 900_000, "-q", "-o", "a.ckpt")
        while not takes_signals(going.process.pid):
            time.sleep(0.001)  # Python itself starts
        time.sleep(rng.random() * 0.6)
        os.kill(going.process.pid, number)
        if number == signal.SIGUSR1:
            time.sleep(0.1)
            assert going.process.is_alive()
            os.kill(going.process.pid, number := signal.SIGTERM)
        result = going.wait(10)
        assert result.code == 128 + number
        assert result.err in ("", "gan-loop: interrupted\n")
        assert not out.exists() or step_of(out) >= 0
        assert not temporaries(tmp_path)


def test_sigusr1_writes_the_checkpoint_and_goes_on(start, pictures, tmp_path):
    out = tmp_path / "a.ckpt"
    line = ["gan-loop", pictures, *MLP, "--steps", 1_000_000, "--save-every", 900_000, "--snapshots", "shots", "-q"]
    going = start(*line, "-o", "a.ckpt")
    steps = []
    wait_for(tmp_path / "shots" / "step-000100.safetensors")  # it runs
    for _ in range(3):
        out.unlink(missing_ok=True)
        os.kill(going.process.pid, signal.SIGUSR1)
        wait_for(out)
        steps.append(step_of(out))
    assert 100 <= steps[0] < steps[1] < steps[2]
    os.kill(going.process.pid, signal.SIGTERM)
    assert going.wait(10).code == 143
    assert step_of(out) >= steps[2]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_whose_exception_is_lost_in_a_destructor_still_ends_the_loop(monkeypatch):
    monkeypatch.setattr(command, "_ended", [])
    before = signal.signal(signal.SIGTERM, command._end)

    class Swallowing:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGTERM)

    try:
        Swallowing()
        with pytest.raises(SystemExit) as ended, command.stopping() as stopped:
            assert stopped == [signal.SIGTERM]
        assert ended.value.code == 143
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_terminal_that_hangs_up_costs_no_step(start, pictures, tmp_path):
    going = start("gan-loop", pictures, *MLP, "--steps", 1_000_000, "--log", "run.jsonl", "-q", "-o", "a.ckpt")
    wait_for(tmp_path / "run.jsonl")
    while not (tmp_path / "run.jsonl").stat().st_size:
        time.sleep(0.01)
    os.kill(going.process.pid, signal.SIGHUP)
    assert going.wait(10) == (129, b"", "")
    assert step_of(tmp_path / "a.ckpt") >= 50


@pytest.mark.parametrize("number", command.ENDING)
def test_a_signal_that_the_parent_ignores_as_nohup_does_is_ignored(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with command.stopping() as stopped:
            os.kill(os.getpid(), number)
        assert stopped == []
    finally:
        signal.signal(number, before)


def test_a_second_signal_stops_at_once(start, pictures, tmp_path):
    """During a long step: the first signal waits for its end, the second does not."""
    model = ["--width", 64, "--z-dim", 4, "--batch", 64, "--d-updates", 1000]
    (tmp_path / "shots").mkdir()
    going = start("gan-loop", pictures, *model, "--steps", 10, "--snapshots", "shots", "-q", "-o", "a.ckpt")
    wait_for(tmp_path / "shots" / "step-000000.safetensors")
    time.sleep(0.3)
    os.kill(going.process.pid, signal.SIGINT)
    time.sleep(0.3)
    assert going.process.is_alive()
    os.kill(going.process.pid, signal.SIGINT)
    assert going.wait(10) == (130, b"", "")
    assert not (tmp_path / "a.ckpt").exists()


def test_ctrl_c_is_one_line(tmp_path, shell):
    """Even where click would print an empty line before it."""
    done = shell("(sleep 1.5; kill -INT $(cat pid)) & sleep 9 | (echo $BASHPID >pid; exec gan-data -o x.safetensors)")
    assert done.err == "gan-data: interrupted\n"
