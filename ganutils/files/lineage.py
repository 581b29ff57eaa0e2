"""The command lines that led to a file, kept in its metadata so that every figure says how to make it again."""

import os
import re
import shlex
from collections.abc import Iterable, Sequence


def command_line(arguments: Sequence[str]) -> str:
    """`arguments` (program first) as one shell line, with absolute paths cut to their last part and logins left out."""
    return shlex.join(map(_public, [os.path.basename(arguments[0]), *arguments[1:]]))


def _public(argument: str) -> str:
    argument = re.sub(r"://[^/@\s]*@", "://", argument)  # user:password@ of an address
    option, sign, value = argument.partition("=") if argument.startswith("-") else ("", "", argument)
    if value.startswith(("/", "~")):
        value = os.path.basename(value.rstrip("/"))
    return option + sign + value


def joined(lineages: Iterable[Iterable[str]], line: str) -> list[str]:
    """The lines of the inputs, in order, and `line`. A line is kept once: a loop of commands does not grow the file."""
    lines = [*(one for lineage in lineages for one in lineage), line]
    return list(dict.fromkeys(lines))
