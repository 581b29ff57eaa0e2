"""Runs scripts given on stdin, forked one by one from a process that has imported nothing heavy.

stdin: JSON [[script, word, ...], ...]. stdout: a line of JSON for each: [exit code, stdout, stderr, heavy modules].
"""

import json
import os
import runpy
import sys
import tempfile

import click  # noqa: F401  (what every command imports first)

HEAVY = {"torch", "torchvision", "numpy", "PIL", "imageio", "matplotlib", "scipy", "sklearn"}


def run(words: list[str]) -> list[object]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile("w+") as heavy:
        pid = os.fork()
        if pid == 0:
            _child(words, out.fileno(), err.fileno(), heavy)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        texts = []
        for file in (out, err, heavy):
            file.seek(0)
            text = file.read()
            texts.append(text if isinstance(text, str) else text.decode())
        return [code, texts[0], texts[1], texts[2].split()]


def _child(words: list[str], out: int, err: int, heavy: "tempfile._TemporaryFileWrapper[str]") -> None:
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.argv = words
    code = 0
    try:
        runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    finally:
        heavy.write(" ".join(sorted(name for name in HEAVY if sys.modules.get(name))))
        for file in (heavy, sys.stdout, sys.stderr):
            file.flush()
        os._exit(code)


if __name__ == "__main__":
    for words in json.load(sys.stdin):
        print(json.dumps(run(words)), flush=True)
