"""Random options of every command, made from what the commands themselves declare, and what must hold whatever comes.

A new option joins by itself: its values come from its type. A new command needs a line in LINES that works.
"""

import hashlib
import itertools
import os
import pathlib
import random
import runpy
import shlex
import shutil
import signal
from typing import NamedTuple

import child
import click
from conftest import BIN, FORKS

SECONDS = 10  # until it is asked to stop, since what was asked for may be much
MORE = 20  # in which it must stop
LINES_LIMIT = 25  # that it may say

# What each command can be asked, so that random options meet a command that works.
LINES = [
    "gan-arith sheet.safetensors '0,1 - 2 + 3' -o o.safetensors",
    "gan-arith sheet.safetensors '[a] - [b] + [a & ~c]' --top 2 -o o.safetensors",
    "gan-arith sheet.safetensors --direction a -o o.npy",
    "gan-arith sheet.safetensors '0 - 1 + 2' --pixels -o o.png",
    "gan-arith sheet.safetensors '[a] - [b] + [b]' --score gan.ckpt --like data.safetensors --features pixels",
    "gan-data data.safetensors -o o.safetensors",
    "gan-data data.safetensors folder --size 8 --channels 1 -o o/",
    "gan-data folder --attributes table.csv --size 8 -o o.npy",
    "gan-data toy:ring toy:grid --limit 9 -o o.safetensors",
    "gan-data array.npy film.gif --size 4 -o o.png",
    "gan-data data.safetensors --inputs sheet.safetensors -o o.safetensors",
    "gan-data folder --size 8 --derive edges -o o.safetensors",
    "gan-data takes/1.wav takes/2.wav --rate 4000 --length 50ms --trim 40 -o o.safetensors",
    "gan-data toy:drums toy:vowels --limit 3 --length 200 --spectrogram 16 -o o.safetensors",
    "gan-data folder --captions captions.csv --size 8 -o o.safetensors",
    "gan-data toy:shapes --describe 2 --limit 9 --size 8 -o o.safetensors",
    "gan-data toy:people:walk --limit 9 --size 8 --film -o o.safetensors",
    "gan-eval data.safetensors gan.ckpt --features pixels -n 6",
    "gan-eval data.safetensors sheet.safetensors data.safetensors --features pixels --table",
    "gan-eval points.safetensors points.ckpt -n 9",
    "gan-eval domains.safetensors cycle.ckpt --to 0 --features pixels --limit 9",
    "gan-eval --diagnose gan.ckpt data.safetensors --features pixels --history run.jsonl -n 9",
    "gan-export gan.ckpt -o o.onnx",
    "gan-export points.ckpt --runtime folder -o o.html",
    "gan-export pix.ckpt --inputs pairs.safetensors --runtime folder -o o.html",
    "gan-gif film.safetensors -o o.gif",
    "gan-gif film.safetensors film.gif --caption {frame} -o o.apng",
    "gan-gif data.safetensors --grid 2x2 -o o.png",
    "gan-gif pairs.safetensors --show inputs,images --grid 2x2 -o o.png",
    "gan-gif 'folder/*.png' -o o.webp",
    "gan-gif sounds.safetensors -o o.mp4",
    "gan-data sounds.safetensors -o o.wav",
    "gan-data texts.safetensors lines.txt --length 5 -o o.txt",
    "gan-data toy:sentences --limit 9 -o o.png",
    "gan-eval texts.safetensors texts.safetensors --baseline",
    "gan-info data.safetensors gan.ckpt film.gif",
    "gan-info points.safetensors --preview o.png",
    "gan-interp latents.safetensors --frames 3 -o o.safetensors",
    "gan-interp --seeds 0-3 --for gan.ckpt --kind grid --grid 2x2 -o o.npy",
    "gan-interp sheet.safetensors --along 0 --frames 3 -o o.safetensors",
    "gan-interp --seeds 1 --for words.ckpt --text 'a big one' --text small --frames 3 -o o.safetensors",
    "gan-interp latents.safetensors --kind jitter --frames 3 -o o.safetensors",
    "gan-label sheet.safetensors --like data.safetensors --features pixels -o o.safetensors",
    "gan-loop data.safetensors --width 1 --z-dim 2 --batch 2 --steps 1 -o o.ckpt",
    "gan-loop data.safetensors --width 1 --z-dim 2 --batch 2 --steps 2 --snapshots shots --log o.jsonl -o o.ckpt",
    "gan-loop domains.safetensors --domains --width 1 --batch 2 --steps 1 -o o.ckpt",
    "gan-loop described.safetensors --conditional captions --width 1 --z-dim 2 --batch 2 --steps 1 -o o.ckpt",
    "gan-loop points.safetensors --width 1 --z-dim 1 --batch 2 --steps 1 -o o.ckpt",
    "gan-loop data.safetensors --from gan.ckpt --more 1 -o o.ckpt",
    "gan-plot run.jsonl -o o.png",
    "gan-plot points.ckpt points.safetensors --data points.safetensors -o o.svg",
    "gan-plot gan.ckpt --units 0 --data data.safetensors -o o.pdf",
    "gan-plot gan.ckpt --units 0 --dream --data data.safetensors -o o.png",
    "gan-plot --losses hinge,wgan -o o.png",
    "gan-quiz data.safetensors sheet.safetensors -n 3 -o o.html",
    "gan-report gan.ckpt run.jsonl film.gif data.safetensors -o o.html",
    "gan-sample gan.ckpt -n 4 -o o.safetensors",
    "gan-sample gan.ckpt gan.ckpt --latents latents.safetensors -o o.gif",
    "gan-sample classes.ckpt --label 1 --seeds 1-3 -o o/",
    "gan-sample words.ckpt --seeds 0-3 -o o.safetensors",
    "gan-sample words.ckpt --text 'a big one' --text small -n 2 -o o.png",
    "gan-sample pix.ckpt --inputs pairs.safetensors -n 3 --tile 16 -o o.png",
    "gan-sample pix.ckpt pix.ckpt --inputs film.safetensors -o o.gif",
    "gan-sample cycle.ckpt --inputs data.safetensors -n 3 --to 0 --back -o o.png",
    "gan-sample cycle.ckpt cycle.ckpt --inputs sheet.safetensors --back -o o.gif",
    "gan-train-d data.safetensors --width 1 --z-dim 2 --batch 2 --updates 1 -o o.ckpt",
    "gan-train-g --from gan.ckpt --updates 1 -o o.ckpt",
]
OUTPUTS = {
    "output",
    "log",
    "report",
    "answers",
    "preview",
    "snapshots",
    "tensorboard",
    "root",
}  # options that are written to
INPUTS = (
    *("data.safetensors", "points.safetensors", "film.safetensors", "latents.safetensors", "sheet.safetensors"),
    *("pairs.safetensors", "pix.ckpt", "domains.safetensors", "cycle.ckpt", "described.safetensors", "words.ckpt"),
    *("gan.ckpt", "points.ckpt", "classes.ckpt", "run.jsonl", "table.csv", "captions.csv", "film.gif", "array.npy"),
    *("folder", "sounds.safetensors", "texts.safetensors", "lines.txt"),
)
PATHS = [
    *INPUTS,
    *("missing", "missing/x.png", "", "-", ".", "..", "/", "/dev/null", "/dev/full", "/dev/zero", "/proc/self/mem"),
    *(
        "o.safetensors",
        "o.npy",
        "o.png",
        "o.gif",
        "o.mp4",
        "o.webp",
        "o.apng",
        "o.wav",
        "o.txt",
        "o.pdf",
        "o.svg",
        "o.json",
        "o.jsonl",
    ),
    *("o.ckpt", "o/", "o", "o.xyz", "folder/", "folder/0.png", "data.safetensors/x", "fifo", "empty", "noise"),
    *("x" * 255, "x" * 256, "x/" * 3000, "~", "*", "[", "folder/[", "\n", "\x1b[2J.png", "\udcff.gif", "$x$.jsonl"),
    *("file:///etc/passwd", "http://[", "toy:", "lsun:x", "quickdraw:cat", "-q", "--", "%s", "{frame}.gif", "_.jsonl"),
]
TEXTS = [
    *("", " ", "a", "0", "a & ~b", "a | (b & c)", "[a]", "~" * 200 + "a", "(" * 200, "'a", '"', "a &", "0 - 1 + 2"),
    *("[a] - [b]", "0-99999999", "9" * 400, "auto", "pixels", "inception", "{frame}/{frames}", "{step:.1f}", "{", "{}"),
    *("{frame.__class__}", "{frame:9999999999}", "{frame!r}", "x$\\frac$", "$", "\\", "a,b,c", '"a,b",c', "a\nb", "\r"),
    *("\x1b[2J", "\u202e", "\udcff", "☃", "\U0001f600", "é" * 3000, "a " * 3000, "a,' " * 3000, "a&" * 3000 + "a"),
    *("%s%n", "nan", "-inf", "1e999", "--", "0x10", "1_000", "٣", "null", "True", "../..", "/dev/null", "50%"),
]
LISTS = [
    "0",
    "0-3",
    "3,1,0",
    "0,0,0",
    "0-999999",
    "1-0",
    ",",
    "-1",
    "0-",
    "99999999999",
    "0-1,x",
    "9" * 400,
    "1," * 2000,
]
SIZES = [
    "1",
    "8",
    "8x4",
    "4x8",
    "64",
    "1x1",
    "0",
    "0x0",
    "99999",
    "8192x8192",
    "99999x99999",
    "8x",
    "-1x1",
    "8x8x8",
    "nan",
]
BY_NAME = {  # values of our own types
    "list": LISTS,
    "list|file": [*LISTS, *INPUTS],
    "size": SIZES,
    "grid": ["2x2", "1x1", "4x1", "1x9", *SIZES],
    "texts": ["a", "a,b", "a,b,c", "a,b,c,d", ",,,", *TEXTS],
    "names": ["a", "b,a", "0,1", "a,a", "hinge", "wgan,hinge", *TEXTS],
    "color": ["white", "#fff", "#12345678", "rgb(1,2,3)", "rgb(999,0,0)", "hsl(1,2%,3%)", "hsv(1e9,1%,1%)", *TEXTS],
    "part": ["train", "test", "all", "0-90%", "90-100%", "0-0%", "100-0%", "0.00001-0.1%", "nan-inf%", *TEXTS],
    "first:last": ["0:1", "2000:5000", "1:1", "5:1", "0:999999999999999", ":", "nan:inf", *TEXTS],
    "how": ["edges", "edges:0.5", "gray", "small:2", "noise:9", "mask:0.3", "flat:4", "sketch:color", "blur:1", *TEXTS],
    "length": ["90", "200", "10ms", "0.02s", "1", "0", "0s", "1e3s", "9999999", "99999999", "1h", "-5", "nans", *TEXTS],
    "device": ["cpu", "auto", "cuda:99999999999", "mps", "cuda", *TEXTS],
}


def commands() -> dict[str, click.Command]:
    return {path.name: runpy.run_path(str(path))[path.name.replace("-", "_")] for path in sorted(BIN.iterdir())}


def numbers(kind, r: random.Random) -> str:
    """A number for an option: small ones, the limits and beyond; rarely a large one that is allowed, and much work."""
    least, most = kind.min, kind.max
    is_whole = isinstance(kind, click.IntRange)
    if r.random() < 0.01:
        return str(r.choice([most, (least + most) // 2]))
    if r.random() < 0.6:
        small = min(most, least + 8)
        return str(r.randint(int(least), int(small)) if is_whole else r.uniform(least, small))
    beyond = [most + 1, most * 10 + 1, least - 1, -(2**63), 2**64, 10**30, "9" * 5000]
    words = ["nan", "inf", "-inf", "1e999", "", "x", "0.5", "1e-400", "-0", "1_0", "٣", " 3 ", "0x3", "1,5", "\n", "5%"]
    return str(r.choice([least, *([most] if most <= 100 else []), *beyond, *words]))


def value(option: click.Parameter, r: random.Random) -> str:
    kind = option.type
    if r.random() < 0.03:
        return r.choice([*TEXTS, *PATHS])
    if isinstance(kind, click.IntRange | click.FloatRange):
        return numbers(kind, r)
    if isinstance(kind, click.Choice):
        return r.choice([*kind.choices, *kind.choices, r.choice(TEXTS)])
    if isinstance(kind, click.Path):
        return r.choice(PATHS)
    if kind.name in BY_NAME:
        return r.choice(BY_NAME[kind.name])
    choices = getattr(getattr(kind, "setting", None), "choices", ())  # several of them
    return r.choice([*choices, *choices, *TEXTS]) if choices else r.choice(TEXTS)


class Case(NamedTuple):
    words: list[str]
    outputs: list[str]  # what it may write to
    stdin: str


def case(known: dict[str, click.Command], r: random.Random) -> Case:
    """One of LINES with a few random options, and sometimes another argument."""
    name, *words = shlex.split(r.choice(LINES))
    if r.random() < 0.15:
        at = r.randrange(len(words))
        words[at] = r.choice([*PATHS, *TEXTS])
    options = [one for one in known[name].params if isinstance(one, click.Option) and one.name != "version"]
    for option in r.sample(options, min(r.choice([0, 1, 1, 2, 2, 3, 5]), len(options))):
        spelled = r.choice(option.opts)
        at = r.choice([0, len(words)])
        words[at:at] = [spelled] if option.is_flag else [spelled, value(option, r)]
    spellings = {spelled: one for one in options for spelled in one.opts}
    pairs = itertools.pairwise(words)
    outputs = [given for word, given in pairs if word in spellings and spellings[word].name in OUTPUTS]
    return Case([name, *words], outputs, r.choice(["empty", "empty", *INPUTS[:9]]))


def state(folder: pathlib.Path) -> dict[str, str]:
    """What lies in a folder, at any depth: digests of files by name."""
    found = {}
    for path in sorted(folder.rglob("*")):
        is_file = path.is_file() and not path.is_symlink()
        found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest() if is_file else "no file"
    return found


class Runner:
    """Runs commands on copies of the files in `inputs`, in `work`; `said` is what the last one said on stderr."""

    def __init__(self, inputs: pathlib.Path, work: pathlib.Path):
        self.inputs, self.work = inputs, work
        self.connection, there = FORKS.Pipe()
        self.server = FORKS.Process(target=child.serve, args=(there,))
        self.server.start()
        there.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.server.join()

    def problem(self, one: Case) -> str | None:
        """What a command did wrong, in words; None if all is well."""
        shutil.rmtree(self.work, ignore_errors=True)
        folder, home = self.work / "folder", self.work.parent / "home"
        shutil.copytree(self.inputs, folder)
        os.mkfifo(folder / "fifo")
        home.mkdir(exist_ok=True)
        before = state(folder)
        streams = [self.work / "in", self.work / "out", self.work / "err"]
        shutil.copy(self.inputs / one.stdin, streams[0])
        for stream in streams[1:]:
            stream.touch()
        places = (str(folder), tuple(map(str, streams)), None, {"HOME": str(home), "XDG_CACHE_HOME": str(home)})
        self.connection.send((str(BIN / one.words[0]), one.words[1:], *places))
        number = self.connection.recv()
        was_stopped = not self.connection.poll(2 if "fifo" in one.words else SECONDS)
        if was_stopped and not self._stops(number):
            return "did not stop"
        code, self.said = self.connection.recv(), streams[2].read_text(errors="backslashreplace")
        return _of_words(one, code, self.said, was_stopped) or _of_files(one, before, state(folder), code)

    def _stops(self, number: int) -> bool:
        """Whether a process ends when it is asked to; at the second time, if it waits for something."""
        for _ in range(2):
            os.kill(number, signal.SIGTERM)
            if self.connection.poll(MORE / 2):
                return True
        os.kill(number, signal.SIGKILL)
        self.connection.recv()
        return False


def _of_words(one: Case, code: int, said: str, was_stopped: bool) -> str | None:
    lines = said.splitlines()
    if code not in (0, 1, 2) and not (was_stopped and code in (-signal.SIGTERM, 128 + signal.SIGTERM)):
        return f"exit code {code}: {said}"
    if any(word in said for word in ("Traceback", "internal error", "Warning", "rror:\n")):
        return said
    if code in (1, 2) and not (lines and lines[-1].startswith(f"{one.words[0]}: ")):
        return f"exit code {code} without a word: {said}"
    if len(lines) > (1 if code == 2 else LINES_LIMIT):
        return f"exit code {code} with {len(lines)} lines: {said}"
    return None if all(line.isprintable() for line in lines) else f"not printable: {said!r}"


def _of_files(one: Case, before: dict[str, str], after: dict[str, str], code: int) -> str | None:
    written = {os.path.normpath(path).split("/")[0] for path in one.outputs}
    for name in sorted(before.keys() | after.keys()):
        is_meant = "." in written or name.split("/")[0].removesuffix(".part") in written
        if before.get(name) != after.get(name) and (not is_meant or name.endswith(".tmp") or code == 2):
            change = "was removed" if name not in after else "changed" if name in before else "was left behind"
            return f"{name} {change}, exit code {code}"
    return None
