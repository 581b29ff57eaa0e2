"""The command lines that led to a file, kept in its metadata so that every figure says how to make it again.

A lineage is a list of texts, one command each, in the order they ran. Commands that were repeated, such as rounds of
gan-train-d and gan-train-g, stand once, in a loop of the shell:

    for i in $(seq 5); do
    gan-train-d data.safetensors --from gan.ckpt -o gan.ckpt
    gan-train-g data.safetensors --from gan.ckpt -o gan.ckpt
    done

Nothing is lost by that: the loops unroll to exactly the commands that ran.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

_NAMES = "arith data eval export gif info interp label loop plot quiz report sample train-d train-g"
COMMANDS = frozenset(f"gan-{name}" for name in _NAMES.split())
LOGIN = re.compile(r"://[^/?#\s]*@")  # user:password@ of an address
SAFE = r"[\w@%+=:,./-]+"
WORD = re.compile(rf"({SAFE})|'(?!{SAFE}'(?: |$))([^']*(?:'\"'\"'[^']*)*)'", re.ASCII)  # as shlex.quote writes it
GLUED = re.compile(r"--[\w-]+=|-[a-np-z]*o=?|stacked:")  # what a path follows at once: --output=FILE, -oFILE
FOR = re.compile(r"for i in \$\(seq ([2-9]|[1-9]\d{1,6})\); do")  # a shell keeps all the numbers
DONE = "done"
LONGEST = 100  # pipelines in the body of a loop
PIPED = 10  # commands in a row that write to a pipe; more, as of `gan-train-d ... >x`, are none
DEEPEST = 10  # loops in loops
LINE_LIMIT = 1 << 20  # characters of a command; Linux takes twice as many
COMPARED = 100_000  # pipelines of two lineages
PARSED = 20_000  # texts of a lineage; in a longer one each stands for itself

Pipeline = tuple[str, ...]  # commands; all but the last write to a pipe


@dataclasses.dataclass(frozen=True)
class Loop:
    """`body`, `count` times."""

    count: int
    body: tuple[Pipeline | Loop, ...]


Node = Pipeline | Loop


# ------------------------------------------------------------------------------------------- writing


def command_line(arguments: Sequence[str], is_source: Callable[[str], bool] = lambda name: False) -> str:
    """`arguments` (program first) as one shell line, with absolute paths cut to their last part and logins left out.

    is_source   whether gan-data takes a name for a source: a path that would read as one gets ./ before it
    """
    program = os.path.basename(arguments[0])
    reserved = is_source if program == "gan-data" else lambda name: False
    return shlex.join([program, *(_public(argument, reserved) for argument in arguments[1:])])


def replaced(arguments: Sequence[str], option: str, words: Sequence[str]) -> list[str]:
    """`arguments` with `words` in place of an option and its value."""
    kept: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, is_joined, _ = argument.partition("=")
        if name != option:
            kept.append(argument)
            continue
        kept += words
        if not is_joined:
            next(rest, None)  # its value
    return kept


def _public(argument: str, is_source: Callable[[str], bool]) -> str:
    argument = without_logins(argument)
    option = match[0] if (match := GLUED.match(argument)) else ""
    value = argument[len(option) :]
    if value.startswith(("/", "~")) and not re.match("/dev/(std|fd/)", value):
        value = os.path.basename(value.rstrip("/")) + "/" * value.endswith("/")
        if is_source(value) or value.startswith("-"):
            value = f"./{value}"
    return option + value


def without_logins(text: str) -> str:
    """`text` without the user:password@ of the addresses in it."""
    return LOGIN.sub("://", text)


def joined(lineages: Iterable[Sequence[str]], line: str, resumed: bool = False) -> list[str]:
    """The lineage of what the command `line` makes of files with these `lineages`.

    resumed   the command went on with its own output: the same line again is still one run
    """
    nodes = _parsed([*merged(lineages), line])
    if resumed and nodes[-2:-1] == nodes[-1:]:
        nodes.pop()
    return list(_texts(_folded(nodes)))


def merged(lineages: Iterable[Sequence[str]]) -> list[str]:
    """One lineage of several, without the history they share; a command that writes to a pipe comes last."""
    history: list[Node] = []
    piped: list[Node] = []
    for lineage in lineages:
        nodes = _parsed(lineage)
        if nodes and isinstance(nodes[-1], tuple) and _is_piped(nodes[-1][-1]):
            piped.append(nodes.pop())
        history = _with(history, nodes)
    return list(_texts([*history, *piped]))


def _with(history: list[Node], nodes: list[Node]) -> list[Node]:
    """`history`, and what of `nodes` is new to it."""
    for short, long in ((history, nodes), (nodes, history)):
        pairs = zip(_unrolled(short), itertools.chain(_unrolled(long), itertools.repeat(None)), strict=False)
        if all(one == other for one, other in itertools.islice(pairs, COMPARED)):
            return long
    known: Counter[tuple[Node, ...]] = Counter()
    for body, count in map(_repeats, history):
        known[body] += count
    added: list[Node] = []
    for body, count in map(_repeats, nodes):
        new = max(0, count - known[body])
        known[body] -= count - new
        added += body * new if new < 2 else [Loop(new, body)]
    return [*history, *added]


def _repeats(node: Node) -> tuple[tuple[Node, ...], int]:
    return (node.body, node.count) if isinstance(node, Loop) else ((node,), 1)


def _folded(nodes: list[Node]) -> list[Node]:
    """The same, with a repetition at its end as a loop."""
    for size in range(1, min(LONGEST, len(nodes) - 1) + 1):
        before, body = nodes[:-size], tuple(nodes[-size:])
        last = before[-1]
        if isinstance(last, Loop) and last.body == body:
            return _folded([*before[:-1], Loop(last.count + 1, body)])
        if tuple(before[-size:]) == body:
            return _folded([*before[:-size], Loop(2, body)])
    return nodes


# ------------------------------------------------------------------------------------------- reading


def recipe(lineage: Sequence[str]) -> list[str]:
    """A lineage as lines for a shell, printable ones: our own commands, quoted by us, in pipes and loops.

    Run where their inputs lie, in the versions the file names, they make its content again. All else in it is a
    stranger's text: it is marked as a comment, and quoted, since some shells run what follows a # typed into them.
    """
    return list(_pasteable(_parsed(lineage)))


def _pasteable(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Loop):
            yield from _pasteable_loop(node)
        else:
            yield from (f"{line} |" for line in node[:-1])
            yield node[-1] if _is_ours(node[-1]) else _as_text(node[-1])


def _as_text(line: str) -> str:
    text = " ".join(line.split()).removeprefix("# ")
    return "# " + shlex.quote("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text))


def _pasteable_loop(loop: Loop) -> list[str]:
    body = list(_pasteable(loop.body))
    is_empty = all(line.lstrip().startswith("# ") for line in body)  # a loop of comments is no loop to a shell
    first, last = (_as_text(line) if is_empty else line for line in (_for(loop.count), DONE))
    return [first, *(f"  {line}" for line in body), last]


def _parsed(lineage: Sequence[str]) -> list[Node]:
    """Pipelines and loops; lines that only look like a loop's are commands of their own."""
    plain: list[Node] = [(line,) for line in lineage]
    if len(plain) > PARSED:
        return plain
    open_loops: list[tuple[int, list[Node]]] = [(1, [])]
    piped: list[str] = []  # commands whose reader is still to come

    def end_pipeline(*last: str) -> None:
        if pipeline := (*piped, *last):
            open_loops[-1][1].append(pipeline)
        piped.clear()

    for line in lineage:
        if piped and not _is_ours(line):
            end_pipeline()
        if match := FOR.fullmatch(line):
            open_loops.append((int(match[1]), []))
        elif line == DONE and len(open_loops) > 1:
            count, body = open_loops.pop()
            open_loops[-1][1].extend([Loop(count, tuple(body))] if body else [])
        elif _is_piped(line) and len(piped) < PIPED:
            piped.append(line)
        else:
            end_pipeline(line)
        if len(open_loops) > DEEPEST:
            break
    end_pipeline()
    return open_loops[0][1] if len(open_loops) == 1 else plain


def _texts(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Loop):
            yield from (_for(node.count), *_texts(node.body), DONE)
        else:
            yield from node


def _for(count: int) -> str:
    return f"for i in $(seq {count}); do"


def _unrolled(nodes: Iterable[Node]) -> Iterator[Pipeline]:
    for node in nodes:
        if isinstance(node, Loop):
            yield from itertools.chain.from_iterable(_unrolled(node.body) for _ in range(node.count))
        else:
            yield node


def _is_ours(line: str) -> bool:
    """Whether it is one command of ours, as `command_line` writes it."""
    return _read(line)[0]


def _is_piped(line: str) -> bool:
    """Whether a command of ours wrote to stdout."""
    is_ours, output = _read(line)
    return is_ours and output in (None, "-", "/dev/stdout")


@functools.lru_cache(256)
def _read(line: str) -> tuple[bool, str | None]:
    """Whether a line is a command of ours, and the value of its -o, if it has one."""
    if len(line) > LINE_LIMIT or not line.isprintable() or line.partition(" ")[0] not in COMMANDS:
        return False, None
    at = -1
    for match in WORD.finditer(line):
        start, end = match.span()
        if start != at + 1 or line[at : at + 1] not in ("", " "):
            return False, None
        at = end
    return at == len(line), _output(line)


def _output(line: str) -> str | None:
    """The value of -o or --output; -qo FILE and -oFILE give one too."""
    words = (match[1] or match[2].replace("'\"'\"'", "'") for match in WORD.finditer(line))
    for word in words:
        if word[:1] == "-" and (match := re.fullmatch("--output(?:=(.*))?|-[a-mp-z]*o(.*)", word, re.DOTALL)):
            return match[1] or match[2] or next(words, None)
        if word == "--":
            break
    return None
