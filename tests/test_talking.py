"""What training commands say: at the start, on the way on a terminal and in a log, on a signal, at the end."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import termios
import threading

import child
import pytest
from conftest import BIN, FORKS, LR, TINY, wait_for

from ganutils.cli import progress
from ganutils.cli.progress import Status, duration

INTRODUCTION = r"data.safetensors: 12 pictures of 8x8x1; dcgan of width 2 \(G [\d,]+, D [\d,]+ parameters\); "
INTRODUCTION += r"cpu, \d+ threads?, (fp32|bf16)"


@pytest.fixture
def terminal(tmp_path):
    """terminal(80, "gan-loop", ...) -> (exit code, what a terminal of that many columns got)."""

    def run(columns, name, *arguments):
        main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        (tmp_path / ".in").touch()
        (tmp_path / ".out").touch()
        streams = (str(tmp_path / ".in"), str(tmp_path / ".out"), os.ttyname(other))
        words = [str(argument) for argument in arguments]
        process = FORKS.Process(target=child.command, args=(str(BIN / name), words, str(tmp_path), streams, None, {}))
        chunks = []

        def listen():
            while chunk := read(main):
                chunks.append(chunk)

        process.start()
        ear = threading.Thread(target=listen)
        ear.start()
        process.join(60)
        os.close(other)
        ear.join(10)
        return process.exitcode, b"".join(chunks).decode()

    return run


def read(handle):
    try:
        return os.read(handle, 65536)
    except OSError:  # the other side is closed
        return b""


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_on_a_terminal_the_status_is_one_line_that_never_wraps(terminal, pictures, columns):
    code, text = terminal(columns, "gan-loop", pictures, *TINY, "--steps", 220, "-o", "gan.ckpt")
    assert code == 0
    lines = text.replace("\r\n", "\n").split("\n")
    status = [line for line in lines if re.search(r"step \d+/220", line)]
    assert len(status) == 1, "it is drawn over itself"
    drawn = status[0].split("\r")
    assert max(map(len, drawn)) < columns
    assert drawn[-1].startswith("step 220/220")
    assert any(" left · D " in one for one in drawn) == (columns > 40)
    assert ("img/s" in drawn[-1]) == (columns > 40)
    assert lines[-3:] == [drawn_end(lines), "next: gan-sample gan.ckpt -n 64 -o sheet.png", ""]


def drawn_end(lines):
    (line,) = [line for line in lines if line.startswith("gan.ckpt: written at step 220 after ")]
    return line


def test_without_a_terminal_there_is_a_line_now_and_then_with_the_time(capsys):
    now = 0.0
    status = Status("step", 5000, quiet=False, clock=lambda: now)
    for step in range(1, 5001):
        now += 1.0 if step > 1 else 5.0  # the first is slow
        status.advance([f"D {step}"] if step % 50 == 0 else None)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "step 50/5,000 · 54 s, 1 h 22 min left · D 50"
    assert 15 < len(lines) < 60
    assert re.fullmatch(r"step 4,\d\d0/5,000 · 1 h 2\d min, \d min left · D 4\d\d0", lines[-1])


def test_times_in_words():
    seconds = (0.42, 59.6, 100, 3599, 3600, 5000, 90_000)
    assert [*map(duration, seconds)] == ["0.4 s", "60 s", "2 min", "1 h 0 min", "1 h 0 min", "1 h 23 min", "25 h 0 min"]


def test_what_is_said_during_a_training_does_not_mix_with_its_status(monkeypatch, capsys):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    with Status("step", 9, quiet=False) as status:
        status.advance(["D 1"])
        progress.say("D has won")
        status.advance(["D 2"])
    text = capsys.readouterr().err
    assert re.sub(r"\r +\r", "|", text) == "\rstep 1/9 · D 1|D has won\n\rstep 2/9" + text[text.index(" · ", 45) :]


def test_a_run_says_what_it_trains_and_what_to_type_next(ok, pictures):
    lines = ok("gan-loop", pictures, *TINY, "--steps", 2, "-o", "a b.ckpt").lines
    assert re.fullmatch(INTRODUCTION, lines[0])
    assert re.fullmatch(r"a b.ckpt: written at step 2 after \d\.\d s", lines[1])
    assert lines[2:] == ["next: gan-sample 'a b.ckpt' -n 64 -o sheet.png"]
    lines = ok("gan-loop", pictures, *TINY, "--steps", 3, "-o", "a b.ckpt").lines
    assert lines[0] == "a b.ckpt: continues at step 2"
    assert re.fullmatch(INTRODUCTION, lines[1])
    assert lines[2].startswith("a b.ckpt: written at step 3 after ")
    assert ok("gan-loop", pictures, *TINY, "--steps", 1, "-o", "c.ckpt", "-q").err == ""
    piped = ok("gan-loop", pictures, *TINY, "--steps", 1).lines
    assert piped[-1].startswith("standard output: written at step 1 after ")


@pytest.mark.parametrize(
    ("words", "how"),
    [
        ([], "the same command continues"),
        (["--fresh"], "the same command without --fresh continues"),
        (["--steps", 1_000_000], "the same command continues"),
        (["--more", 1_000_000], "--steps 1000000 in place of --more continues"),
    ],
)
def test_a_signal_is_answered_once_and_the_end_says_how_to_continue(start, pictures, tmp_path, words, how):
    model = [*TINY, *(["--steps", 1_000_000] * ("--more" not in words)), *words]
    going = start("gan-loop", pictures, *model, "--save-every", 3, "-o", "gan.ckpt")
    wait_for(tmp_path / "gan.ckpt")
    os.kill(going.process.pid, signal.SIGINT)
    result = going.wait(20)
    assert result.code == 130
    assert result.lines.count("stopping after this step") == 1
    end = rf"gan.ckpt: stopped at step [\d,]+ of 1,000,000 after .*; {re.escape(how)}"
    assert re.fullmatch(end, result.lines[-1])


# ------------------------------------------------------------------------------------------- the two phases


def test_the_phases_say_what_they_did_and_log_it(ok, checkpoint, pictures, tmp_path):
    number = r"\d+\.\d{3}"
    (line,) = ok("gan-train-d", pictures, "--from", checkpoint, "--updates", 60, "--log", "l", "-o", "d.ckpt").lines
    assert re.fullmatch(rf"d.ckpt: 60 updates of D in .* s; D loss {number} -> {number}, real \d+%, fake \d+%", line)
    (line,) = ok("gan-train-g", "--from", "d.ckpt", "--updates", 2, "--log", "l", "-o", "g.ckpt").lines
    assert re.fullmatch(rf"g.ckpt: 2 updates of G in .* s; G loss {number} -> {number}", line)
    (line,) = ok("gan-train-g", "--from", "d.ckpt", "-o", "g.ckpt").lines
    assert re.fullmatch(rf"g.ckpt: 1 update of G in .* s; G loss {number}", line)
    logged = [json.loads(line) for line in (tmp_path / "l").read_text().splitlines()]
    assert [(line["step"], "d_loss" in line, "g_loss" in line) for line in logged] == [
        (1, True, False),
        (1, True, False),
        (1, True, False),
        (2, False, True),
        (3, False, True),
    ]
    ok("gan-plot", "l", "-o", "curves.png")
    from ganutils.files import logs

    assert len(logs.read(str(tmp_path / "l"))) == 5, "the updates of D at one step do not replace each other"
    assert ok("gan-train-d", pictures, "--from", checkpoint, "-q", "-o", "d.ckpt").err == ""


def test_a_phase_that_is_stopped_says_how_far_it_came(start, checkpoint, pictures, tmp_path):
    words = ["--updates", 1_000_000, "--log", "l", "-o", "d.ckpt"]
    going = start("gan-train-d", pictures, "--from", checkpoint, *words)
    wait_for(tmp_path / "l")
    os.kill(going.process.pid, signal.SIGTERM)
    result = going.wait(20)
    assert result.code == 143
    assert result.lines[0] == "stopping after this update"
    assert re.match(r"d.ckpt: stopped after [\d,]+ of 1,000,000 updates of D in ", result.lines[1])


# ----------------------------------------------------------------------------------------------- --dry-run


@pytest.mark.parametrize(
    ("line", "work"),
    [
        (
            "gan-loop data.safetensors --steps 9 --snapshots shots --log l --tensorboard board -o x.ckpt",
            "would train from step 0 to 9 and write x.ckpt, snapshots in shots, l, board",
        ),
        (
            "gan-loop data.safetensors --steps 9 -o gan.ckpt.safetensors",
            "would train from step 1 to 9 and write gan.ckpt.safetensors",
        ),
        ("gan-loop data.safetensors", "would train from step 0 to 5,000 and write standard output"),
        ("gan-train-d data.safetensors", "would do 1 update of D and write standard output"),
        ("gan-train-g data.safetensors --updates 7 -o x.ckpt --log l", "would do 7 updates of G and write x.ckpt, l"),
    ],
)
def test_a_dry_run_shows_everything_and_writes_nothing(ok, checkpoint, tmp_path, line, work):
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir() if not path.name.startswith(".")}
    shown = ok(*line.split(), *TINY, "--lr", LR, "--dry-run").out.decode().splitlines()
    assert before == {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.name[0] != "."}
    assert re.fullmatch(INTRODUCTION, shown[0])
    assert shown[-1] == work
    settings = dict(row.split(maxsplit=1) for row in shown[1:-1])
    assert (settings["width"], settings["lr"], settings["beta2"]) == ("2  (given)", f"{LR}  (given)", "0.99")
    assert settings["augment"] == "none"


def test_a_dry_run_finds_what_a_run_would(fails, ok, checkpoint, pictures):
    assert "is another run" in fails("gan-loop", pictures, *TINY, "--lr", 1, "-o", checkpoint, "--dry-run")
    shown = ok("gan-loop", pictures, *TINY, "--conditional", "--dry-run").out.decode()
    assert re.search(r"^  classes +3  \(given\)$", shown, re.MULTILINE)
    assert ok("gan-loop", pictures, "--from", checkpoint, "--steps", 1, "--dry-run").out == b""
