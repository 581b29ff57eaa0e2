"""Where a training command starts: at a new run, a checkpoint given with --from or --init, or its own output."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any

from ganutils import Error
from ganutils.files import container, lineage, paths
from ganutils.files.container import File
from ganutils.runs import checkpoints, descriptions, parts, snapshots
from ganutils.runs.config import Config, checked, decided, differences
from ganutils.runs.defaults import fresh
from ganutils.runs.descriptions import Descriptions
from ganutils.runs.traits import CONDITIONS
from ganutils.samples import encoding, identity
from ganutils.samples.samples import DOMAINS, MOST_CLASSES, Samples, in_words
from ganutils.sounds import about

ENOUGH = 100  # samples of each class, on average, for a D that tells classes without being asked to


@dataclasses.dataclass
class Start:
    """A run's config and, unless it is new, the checkpoint it continues from.

    data      what tells its data from others (see Samples.identity)
    lineages  of the data and the checkpoint
    classes   names of the classes that the networks are given, or D tells, where they have names
    sound     what the metadata say of sounds, or texts (see samples/encoding.py)
    descriptions  what it knows of attributes or captions
    resumed   whether the checkpoint is the command's own output
    init      checkpoint whose networks a new run begins with
    began     what tells the networks that the run began with from others: a digest, if they came from a file
    origin    what tells the run that trained before on other data from others, if one did
    base      step from which `--more` counts
    """

    config: Config
    checkpoint: File | None
    data: dict[str, Any]
    lineages: list[list[str]]
    classes: list[str] | None
    resumed: bool = False
    init: File | None = None
    began: str | None = None
    origin: str | None = None
    base: int = 0
    sound: dict[str, Any] = dataclasses.field(default_factory=dict)
    descriptions: Descriptions = descriptions.NONE

    @property
    def step(self) -> int:
        """Generator updates done so far."""
        return checkpoints.updates(self.checkpoint)["G"] if self.checkpoint else 0

    @property
    def end(self) -> int:
        """The step at which the learning rate of a run with a decay has fallen to 0."""
        assert self.config.decay
        return self.config.decay[1]

    @property
    def threads(self) -> int | None:
        """Of the CPU that the checkpoint was trained on, which the last bits depend on; None if there is none such."""
        versions = self.checkpoint.meta.get("versions") if self.checkpoint else None
        count = versions.get("threads") if isinstance(versions, dict) else None
        return count if type(count) is int and count > 0 else None

    def meta(self, line: str) -> dict[str, Any]:
        """Metadata of the checkpoint that the command `line` writes."""
        optional = {_named(self.config): self.classes, "init": self.began, "origin": self.origin}
        named = {name: value for name, value in optional.items() if value is not None}
        lines = lineage.joined(self.lineages, line, self.resumed)
        return {"data": self.data, "lineage": lines, **self.sound, **self.descriptions.meta, **named}

    def finish(self, output: str, part: bool) -> None:
        """Give `output` the checkpoint as it is, since there is nothing to train; with `part`, remove a stale one."""
        if self.checkpoint is None:
            raise ValueError("a new run cannot be finished")
        is_kept = self.resumed and os.path.exists(output)
        if not is_kept:
            arrays = {name: self.checkpoint[name] for name in self.checkpoint.specs}
            container.write(output, "checkpoint", arrays, self.checkpoint.meta)
        if part and not (is_kept and self.checkpoint.name != output):  # then the part is further
            parts.remove(output)


@contextlib.contextmanager
def start(
    samples: Samples | None, origin: str | None, given: Mapping[str, Any], init: str | None = None
) -> Iterator[Start]:
    """Start on `samples` from the checkpoint `origin`, or anew if that is None. `given`: the settings typed.

    init   checkpoint that a new run takes its networks from, and the settings that are not given

    Error if a setting does not exist, is invalid or differs from the checkpoint's; if the samples have not the shape or
    the classes that the checkpoint was made for; or if they are those it was trained on with other labels.
    """
    if samples is not None and samples.name == "standard input" and origin == "-":
        raise Error("standard input: cannot be both the data and --from; give one of them as a file")
    if origin is None:
        if samples is None:
            raise Error("a new run needs DATA, to know the shape of its samples; or give --from CHECKPOINT")
        with contextlib.ExitStack() as stack:
            begun = stack.enter_context(container.read(init, "checkpoint")) if init else None
            like = checkpoints.config_of(begun) if begun else None
            known = _described(samples, given, begun, like)
            settings = _with_counts(given, samples, known)
            labels = len(samples.classes) if samples.labels is not None else 0
            if len(samples) < ENOUGH * labels:
                settings.setdefault("class_loss", 0.0)
            config = fresh(samples.shape, settings, like, samples.input_shape, labels)
            if config.domains:
                samples.domains()
            sound = encoding.kept(samples.meta)
            new = Start(config, None, samples.identity, [_lineage(samples)], _names(samples, config), sound=sound)
            new.descriptions = known
            if begun:
                new.lineages.append(_lineage(begun))
                new = dataclasses.replace(new, init=begun, began=begun.digest())
            yield new
        return
    with container.read(origin, "checkpoint") as checkpoint:
        config, known = checkpoints.config_of(checkpoint), descriptions_in(checkpoint)
        is_like_it = _kind(given) == config.seen_beside
        given = _with_counts(given, samples, known if is_like_it else _described(samples, given))
        config = _fitting_config(checkpoint, given)
        meta, lineages = checkpoint.meta, [_lineage(checkpoint)]
        data, began, origin = meta.get("data", {}), meta.get("init"), meta.get("origin")
        if samples is not None:
            lineages = [_lineage(samples), *lineages]
            _check_samples(samples, checkpoint, config)
            origin = snapshots.run_of(config, meta) if samples.other_than(data) else origin
            data = samples.identity
        step, names = checkpoints.updates(checkpoint)["G"], _names(checkpoint, config)
        sound = encoding.kept(meta)
        run = Start(config, checkpoint, data, lineages, names, began=began, origin=origin, base=step, sound=sound)
        run.descriptions = known
        yield run


def _kind(given: Mapping[str, Any]) -> str | None:
    """What a run is to be conditioned on, of those in CONDITIONS; None if `given` does not say."""
    kind = given.get("conditional")
    if kind not in (None, True, False, *CONDITIONS):
        raise Error(f"conditional is {kind!r}, not one of {', '.join(CONDITIONS)}")
    return "labels" if kind is True else kind or None


def _described(
    samples: Samples | None, given: Mapping[str, Any], init: File | None = None, like: Config | None = None
) -> Descriptions:
    """The descriptions of a new run on `samples`, which begins with the networks of the checkpoint `init`, if any."""
    known = descriptions_in(init) if init else descriptions.NONE
    kind = _kind(given) or ("attributes" if known.attributes else "captions" if known.vocabulary else None)
    if samples is None or kind not in ("attributes", "captions"):
        return descriptions.NONE
    return descriptions.of_samples(samples, kind, init.name if init else "", known)


def descriptions_in(checkpoint: File) -> Descriptions:
    """What the networks of a checkpoint know of descriptions."""
    return descriptions.of_checkpoint(checkpoint.name, checkpoint.meta, checkpoints.config_of(checkpoint))


def _with_counts(given: Mapping[str, Any], samples: Samples | None, known: Descriptions) -> dict[str, Any]:
    """The settings `given`, valid ones, with the number of domains, and of classes, attributes or words in place of
    `conditional`.
    """
    settings = {name: value for name, value in given.items() if name != "conditional"}
    if given.get("domains"):
        settings["domains"] = DOMAINS
    kind = _kind(given)
    if kind and samples is not None:
        counts = {"attributes": len(known.attributes), "captions": len(known.vocabulary)}
        if kind == "labels":
            samples.labels_of(MOST_CLASSES)
            counts["labels"] = len(samples.classes)
        settings |= {**dict.fromkeys(CONDITIONS.values(), 0), CONDITIONS[kind]: counts[kind]}
    return checked(settings)


def _lineage(file: File | Samples) -> list[str]:
    lines: list[str] = file.meta.get("lineage", [])
    return lines


def _names(file: File | Samples, config: Config) -> list[str] | None:
    """The names of the classes of a run of `config`, in its data or its checkpoint, if it has some."""
    name = "classes" if isinstance(file, Samples) else _named(config)
    return file.meta.get(name) if config.seen_beside == "labels" else None


def _named(config: Config) -> str:
    """What a checkpoint calls these names: where D alone tells classes, samples have none."""
    return "d_classes" if config.d_classes else "classes"


def _fitting_config(checkpoint: File, given: Mapping[str, Any]) -> Config:
    """The config of `checkpoint`; Error if a setting `given` is another."""
    config = checkpoints.config_of(checkpoint)
    other = differences(config, given)
    if other:
        raise Error(f"{checkpoint.name}: its settings are fixed: {other}; leave the option out or start a new run")
    return decided(config, given)


def _check_samples(samples: Samples, checkpoint: File, config: Config) -> None:
    """Error if a run of `checkpoint` cannot go on with `samples`."""
    if samples.shape != config.shape:
        of_texts = "in that alphabet, with gan-data --length"
        how = of_texts if samples.are_texts else "of that shape with gan-data --size and --channels"
        raise Error(
            f"{samples.name}: samples are {in_words(samples.shape)}, and {checkpoint.name} was made for "
            f"{in_words(config.shape)}; make data {how}"
        )
    encoding.check_alike(samples.name, samples.meta, checkpoint.name, checkpoint.meta)
    if about.SPECTROGRAM in checkpoint.meta and about.SPECTROGRAM not in samples.meta:
        raise Error(f"{samples.name}: has no spectrograms, which {checkpoint.name} makes; see gan-data --spectrogram")
    if config.domains:
        samples.domains()
    elif config.inputs:
        samples.check_inputs(config.inputs, checkpoint.name)
    names = zip(_names(samples, config) or (), _names(checkpoint, config) or (), strict=False)
    for label, (ours, theirs) in enumerate(names):
        if ours != theirs:
            raise Error(
                f"{samples.name}: class {label} is {ours!r}, and {theirs!r} in {checkpoint.name}; "
                "give data with the same classes in the same order, or start a new run"
            )
    descriptions_in(checkpoint).check(samples, checkpoint.name)
    seen = config.seen_beside
    if seen and identity.is_changed(samples.other_than(checkpoint.meta.get("data")), seen):
        raise Error(
            f"{samples.name}: has other {seen} than when {checkpoint.name} was trained on it; "
            "give the data as they were, or start a new run"
        )


@contextlib.contextmanager
def resume(
    samples: Samples,
    origin: str | None,
    output: str,
    given: Mapping[str, Any],
    init: str | None = None,
    is_fresh: bool = False,
    has_part: bool = False,
    is_timed: bool = False,
) -> Iterator[Start]:
    """As `start`, but from `output` if that exists; Error if it was made with other settings or data.

    is_fresh  start over, whatever exists
    has_part  continue from the part beside `output` if that is further
    is_timed  go on with the decay that `output` has; Error if it has none
    """
    output = parts.latest(output) if has_part else output
    if is_fresh or paths.is_pipe(output) or not os.path.exists(output):
        with start(samples, origin, given, init) as begun:
            yield begun
        return
    with start(samples, origin, given, init) as intended, start(samples, output, {}) as begun:
        if is_timed:
            intended.config = dataclasses.replace(intended.config, decay=begun.config.decay)
        problems = [differences(begun.config, vars(intended.config))]
        others = samples.other_than(begun.checkpoint.meta.get("data")) if begun.checkpoint is not None else []
        if others:
            problems.append(f"the data are not the same ({identity.in_words(others)})")
        for name in ("attributes", "vocabulary"):
            if not others and getattr(begun.descriptions, name) != getattr(intended.descriptions, name):
                problems.append(f"its {name} are others")
        if init and begun.began != intended.began:
            problems.append(f"it did not begin with the networks of {init}")
        if any(problems):
            what = ", ".join(filter(None, problems))
            raise Error(f"{output}: is another run: {what}; --fresh starts over, or choose another -o")
        if is_timed and begun.config.decay is None:
            advice = "give --steps or --more in its place, or start over with --fresh"
            raise Error(f"{output}: has no --decay, to whose end --minutes would train; {advice}")
        config = decided(begun.config, vars(intended.config))
        yield dataclasses.replace(begun, config=config, resumed=True, base=intended.base if origin else begun.base)
