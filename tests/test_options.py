"""What holds for the options of every command: help, usage errors, one meaning; and failures that no input explains."""

import collections
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from typing import NamedTuple

import click
import light as server
import pytest
from conftest import BIN, ROOT

import ganutils
from ganutils.cli.types import Integer, Number

COMMANDS = sorted(path.name for path in BIN.iterdir())

WRONG = {  # usage errors that are found after all options have been read
    "gan-arith": "z.safetensors '1 - 2' --draws 3",
    "gan-data": "digits --filter box",
    "gan-eval": "a b --history run.jsonl",
    "gan-gif": "film.safetensors --colors 16 -o film.mp4",
    "gan-info": "x --json --digest",
    "gan-interp": "z.safetensors --kind circle --closed",
    "gan-export": "x.ckpt --along z -o x.onnx",
    "gan-report": "",
    "gan-quiz": "-",
    "gan-label": "--like -",
    "gan-loop": "x.safetensors --frames 3",
    "gan-plot": "--losses minimax run.jsonl",
    "gan-sample": "x.ckpt -n 3 --seeds 1-3",
    "gan-train-d": "x.safetensors --updates 0",
    "gan-train-g": "-o x.ckpt",
}


NO_EFFECT = {  # options that change nothing, with what is said of them
    "gan-arith z '1 - 2' --like x": "--score CKPT and --like LABELED need each other",
    "gan-arith z '1 - 2' --target hat": "--target has no effect without --score",
    "gan-arith z '1 - 2' --draws 100": "--draws has no effect without --score",
    "gan-arith z '1 - 2' --features auto": "--features has no effect without --score",
    "gan-arith z '1 - 2' --root x": "--root has no effect without --score",
    "gan-arith z '1 - 2' --device cpu": "--device has no effect without --score",
    "gan-arith z --direction hat --top 3": "--top has no effect with --direction",
    "gan-data digits --fit pad": "--fit has no effect without --size",
    "gan-data digits --mean 3": "--mean has no effect without toy:gaussian",
    "gan-data toy:ring toy:grid --mean 3": "--mean has no effect without toy:gaussian",
    "gan-data digits --std 3": "--std has no effect without toy:gaussian or toy:ring or toy:grid",
    "gan-data digits --captions run.jsonl --describe 2": "--captions and --describe exclude each other; give one",
    "gan-data digits --reducing-gap 2": "--reducing-gap has no effect without --size",
    "gan-eval a b --weights x.pth": "--weights has no effect without --features inception",
    "gan-eval a b --diagnose --recover x": "--recover has no effect with --diagnose",
    "gan-eval a b --history run.jsonl": "--history has no effect without --diagnose",
    "gan-eval a b --diagnose --table": "--table has no effect with --diagnose",
    "gan-eval a b --diagnose --repeats 2": "--repeats has no effect with --diagnose",
    "gan-gif f --colors 256 -o f.apng": "--colors has no effect on .apng",
    "gan-gif f --dither none -o f.mp4": "--dither has no effect on .mp4",
    "gan-gif f --gifsicle -o f.webp": "--gifsicle has no effect on .webp",
    "gan-gif f --gifsicle --format webp -o f": "--gifsicle has no effect on .webp",
    "gan-gif f --quality 80 -o f.gif": "--quality has no effect on .gif",
    "gan-gif f --quality 80 -o f.apng": "--quality has no effect on .apng",
    "gan-gif f --quality 80 -o f.png": "--quality has no effect on .png",
    "gan-gif f --fps 12 -o f.png": "--fps has no effect on .png",
    "gan-gif f --loop 1 -o f.mp4": "--loop has no effect on .mp4",
    "gan-gif f --filter box -o f.gif": "--filter has no effect without --scale",
    "gan-interp z --for missing -o w.npy": "--for has no effect without --seeds, --through or --text",
    "gan-interp z --through 0,1 --along 3 -o w.npy": "--along and --through exclude each other; give one",
    "gan-interp z --through 0,1 --method lerp -o w.npy": "--method has no effect with --kind classes",
    "gan-interp z --through 0,1 -o w.npy": "a walk between classes needs --through with two or more, and "
    "--for CHECKPOINT",
    "gan-interp --seeds 1 --for z --through 0 -o w.npy": "a walk between classes needs --through with two or more, and "
    "--for CHECKPOINT",
    "gan-interp --seeds 1-2 --for z --rows 1 -o w.npy": "--rows has no effect with --seeds",
    "gan-interp z --kind jitter --along 1 -o w.npy": "--along has no effect with --kind jitter",
    "gan-interp z --kind grid --dwell 2 -o w.npy": "--dwell has no effect with --kind grid",
    "gan-loop x --every 100 -o x.ckpt": "--every has no effect without --snapshots",
    "gan-loop x --snapshots s --every 9 --frames 9 -o x.ckpt": "--every and --frames exclude each other; give one",
    "gan-loop x --fresh": "--fresh has no effect without -o FILE",
    "gan-loop x --save-every 9": "--save-every has no effect without -o FILE",
    "gan-plot a.ckpt b.ckpt --dpi 90 -o x.gif": "--dpi has no effect on .gif",
    "gan-plot --losses hinge --units 1 -o x.png": "--units has no effect with --losses",
    "gan-plot run.jsonl --data x -o x.png": "--data has no effect with logs",
    "gan-plot x.ckpt --dream -o x.png": "--dream has no effect without --units",
    "gan-sample x --to a": "--to has no effect without --inputs",
    "gan-sample x --back": "--back has no effect without --inputs",
    "gan-sample x --inputs a --back -o x.npy": "--back has no effect on x.npy, which holds the results alone",
    "gan-sample x --inputs a --back -o x.wav": "--back has no effect on x.wav, which holds the results alone",
    "gan-sample x --inputs a --back -o x/": "--back has no effect on x/, which holds the results alone",
    "gan-sample x --text a --label 3": "--text and --label exclude each other; give one",
    "gan-sample x --seeds 1 --seed 0": "--seed has no effect with --seeds",
    "gan-sample x --latents z --seed 0": "--seed has no effect with --latents",
    "gan-sample x --latents z -n 9": "-n and --latents exclude each other; give one",
}

RAISES = """
import sys
from ganutils.cli.command import command
class OutOfMemoryError(RuntimeError):  # as torch's is called
    pass
class Other(Exception):
    pass
@command()
def gan_x():
    {statement}
gan_x()
"""
LESS = "gan-x: out of memory; use a smaller --batch, --width, --size or --tile, or fewer samples"
FAILURES = {
    "import no_such_package.inner": "gan-x: no-such-package is not installed; run: pip install no-such-package",
    "sys.modules['PIL'] = None; import PIL": "gan-x: pillow is not installed; run: pip install pillow",
    "from click import nothing": "gan-x: cannot import click (cannot import name 'nothing' from 'click' (",
    "raise MemoryError": LESS,
    "raise OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB')": LESS,
    'raise RuntimeError("[enforce fail] DefaultCPUAllocator: can\'t allocate memory")': LESS,
    "import errno; raise OSError(errno.ENOMEM, 'Cannot allocate memory')": LESS,
    "raise Other('strange')": "gan-x: internal error: Other: strange. This is a bug in ganutils; please report it with "
    "the output of GANUTILS_DEBUG=1",
    "import ganutils.nothing": "gan-x: internal error: ModuleNotFoundError: No module named 'ganutils.nothing'.",
}


class Light(NamedTuple):
    code: int
    out: str
    err: str
    heavy: list[str]  # what it imported


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """light["gan-x --help"] -> Light: all lines of these tests, run by a process that imports nothing heavy itself."""
    folder = tmp_path_factory.mktemp("light")
    (folder / "run.jsonl").write_text('{"step": 1, "d_loss": 1.0}\n')
    common = ("--help", "--version", "--no-such-option")
    lines = [f"{name} {words}" for name in COMMANDS for words in (*common, WRONG[name])]
    words = {line: shlex.split(line) for line in [*lines, *NO_EFFECT]}
    for number, statement in enumerate(FAILURES):
        path = folder / f"{number}.py"
        path.write_text(RAISES.format(statement=statement))
        words[statement] = [str(path)]
    scripts = [[str(BIN / script) if script in COMMANDS else script, *rest] for script, *rest in words.values()]
    words_in, env = json.dumps(scripts), {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, server.__file__],
        input=words_in,
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(zip(words, (Light(*json.loads(line)) for line in done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_and_imports_nothing_heavy(light, name):
    help = light[f"{name} --help"]
    assert (help.code, help.heavy) == (0, [])
    assert help.out.startswith(f"Usage: {name} [OPTIONS]")
    assert re.search(rf"Examples:\n  +{name} ", help.out)
    assert max(map(len, help.out.splitlines())) <= 100


@pytest.mark.parametrize("name", COMMANDS)
def test_a_usage_error_comes_before_anything_heavy(light, name):
    refused = light[f"{name} {WRONG[name]}"]
    assert (refused.code, refused.out, refused.heavy) == (2, "", []), refused
    assert re.fullmatch(rf"{name}: .+ \(see {name} --help\)\n", refused.err)


@pytest.mark.parametrize("name", COMMANDS)
def test_usage_errors_are_one_line_and_exit_2(light, name):
    refused = light[f"{name} --no-such-option"]
    assert (refused.code, refused.out, len(refused.err.splitlines())) == (2, "", 1)
    assert refused.err.startswith(f"{name}: No such option")
    assert refused.err.endswith(f"(see {name} --help)\n")


@pytest.mark.parametrize("line", NO_EFFECT)
def test_an_option_without_effect_is_a_usage_error(light, line):
    name, refused = line.split()[0], light[line]
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == f"{name}: {NO_EFFECT[line]} (see {name} --help)\n"


@pytest.mark.parametrize("file", ["x.png", "x.safetensors", "x.gif", "x.npy", "x.pdf", "x/"])
def test_json_is_not_written_into_files_of_other_formats(fails, tmp_path, file):
    line = fails("gan-arith", "z", "1 - 2", "--score", "c", "--like", "d", "-o", file, code=2)
    assert line == f"gan-arith: {file}: JSON is written there; give NAME.json (see gan-arith --help)"
    assert "give NAME.json" in fails("gan-label", "z", "--like", "d", "-o", "l.npy", "--report", file, code=2)
    assert not list(tmp_path.glob("x*"))


@pytest.mark.parametrize("statement", FAILURES)
def test_what_is_not_the_input_s_fault_is_one_line_too(light, statement):
    failed = light[statement]
    assert (failed.code, failed.out, failed.heavy) == (1, "", [])
    assert failed.err.startswith(FAILURES[statement])
    assert len(failed.err.splitlines()) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_the_version(light, name):
    assert light[f"{name} --version"].out == f"{name} {ganutils.__version__}\n"


def meaning(option):
    """What is the same of an option in every command: the type, and the help up to the details."""
    return option.type.name, re.split(r"[.:;,(]|  \[", option.help)[0], tuple(getattr(option.type, "choices", ()))


def number_options():
    for name in COMMANDS:
        for option in runpy.run_path(str(BIN / name))[name.replace("-", "_")].params:
            if isinstance(option.type, click.types.IntParamType | click.types.FloatParamType):
                yield pytest.param(name, option, id=f"{name} {option.opts[-1]}")


@pytest.mark.parametrize(("name", "option"), list(number_options()))
def test_an_option_for_a_number_takes_only_numbers_in_its_limits(name, option):
    command = runpy.run_path(str(BIN / name))[name.replace("-", "_")]
    kind = option.type
    assert isinstance(kind, Integer | Number), "click's own types let NaN and infinities through"
    for value in ("nan", "-inf", "Infinity", "1e999", "9" * 20, "9" * 5000, "", kind.min - 1, kind.max * 2):
        with pytest.raises(click.UsageError) as refused:
            command.make_context(name, [option.opts[-1], str(value)])
        assert f"'{option.opts[-1]}'" in refused.value.format_message()


def test_an_option_means_the_same_in_every_command():
    uses = collections.defaultdict(dict)
    for name in COMMANDS:
        command = runpy.run_path(str(BIN / name))[name.replace("-", "_")]
        for option in command.params:
            for spelled in option.opts if isinstance(option, click.Option) else ():
                uses[spelled][name] = meaning(option)
    assert len(uses) > 100
    assert {spelled: found for spelled, found in uses.items() if len(set(found.values())) > 1} == {}


@pytest.mark.parametrize("command", ["gan-loop", "gan-train-d", "gan-train-g"])
@pytest.mark.parametrize("file", ["x.png", "x.GIF", "x.mp4", "x.npy", "x.pdf", "x.json", "x/"])
def test_a_checkpoint_is_not_written_into_files_of_other_formats(fails, command, file):
    line = fails(command, "data.safetensors", "--from", "c", "-o", file, code=2)
    problem = f"{file}: a checkpoint is written there; give NAME.ckpt.safetensors"
    assert line == f"{command}: {problem} (see {command} --help)"
