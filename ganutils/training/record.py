"""What a run writes as it goes: its checkpoint, snapshots, log, TensorBoard's curves and warnings."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ganutils.files import locks, logs, paths
from ganutils.runs import parts, snapshots
from ganutils.runs.schedules import snapshot_steps
from ganutils.training.loop import Tick
from ganutils.training.monitor import Monitor
from ganutils.training.tensorboard import open_board
from ganutils.training.trainer import Trainer
from ganutils.training.writer import Writer

MINUTE = 60  # seconds

Listener = Callable[[Tick | None], object]


class Outputs(NamedTuple):
    """Where a run writes; None for what it does not write.

    output       checkpoint
    part         write the checkpoint beside `output` until the run is finished
    save_every   steps between writes of the checkpoint; None = about a minute
    snapshots    folder for the snapshots `step-000100.safetensors`
    every        steps between snapshots; None = schedules.EVERY
    frames       number of snapshots, denser early on, in place of `every`
    whole        snapshots of both networks, which can be trained on; else of the averaged generator alone
    log          file to append a line of JSON to at each tick
    tensorboard  folder for TensorBoard
    at_once      write the checkpoint before the first step too: what a run is must be known before it names snapshots
    """

    output: str
    part: bool = False
    save_every: int | None = None
    snapshots: str | None = None
    every: int | None = None
    frames: int | None = None
    whole: bool = False
    log: str | None = None
    tensorboard: str | None = None
    at_once: bool = False


class Saver:
    """Listener that writes the checkpoint and snapshots of a run of `steps` steps.

    Of several processes only the first writes. `requests` are signals that ask for the checkpoint at once; they are
    cleared when it begins to be written. All but the last checkpoint are written while training goes on.
    """

    def __init__(self, trainer: Trainer, outputs: Outputs, steps: int, meta: dict[str, Any], requests: list[int]):
        self.gan, self.outputs, self.meta, self.requests = trainer.gan, outputs, meta, requests
        self.leads, self.steps = trainer.team.leads, steps
        self.snapshot_steps = snapshot_steps(steps, outputs.every, outputs.frames)
        self.saved = time.monotonic()
        self.writer = Writer()
        if outputs.at_once and self.gan.step == 0 and not paths.is_pipe(outputs.output):
            self.save()
        if outputs.snapshots and self.leads and self.gan.step == 0:
            self._snapshot(outputs.snapshots)

    def __call__(self, _: Tick | None) -> None:
        """Called after each step."""
        if not self.leads:
            return
        self.writer.check()
        if self.outputs.snapshots and self.gan.step in self.snapshot_steps:
            self._snapshot(self.outputs.snapshots)
        is_asked = self._is_due() or bool(self.requests)
        if is_asked and self.gan.step < self.steps and not paths.is_pipe(self.outputs.output):
            self.requests.clear()
            self._start(self.target, self.meta)
            self.saved = time.monotonic()

    def _is_due(self) -> bool:
        every = self.outputs.save_every
        return self.gan.step % every == 0 if every else time.monotonic() - self.saved > MINUTE

    def save(self) -> None:
        """Write the checkpoint, after all that is being written."""
        if self.leads:
            self.writer.finish()
            self.gan.write(self.target, self.meta)
            if self.outputs.part and self.gan.step >= self.steps:
                parts.remove(self.outputs.output)
        self.saved = time.monotonic()

    @property
    def target(self) -> str:
        """Where the checkpoint goes now."""
        is_unfinished = self.outputs.part and self.gan.step < self.steps
        return parts.part_of(self.outputs.output) if is_unfinished else self.outputs.output

    def _snapshot(self, folder: str) -> None:
        run = snapshots.run_of(self.gan.config, self.meta)
        self._start(snapshots.path_of(folder, self.gan.step), {**self.meta, "run": run}, self.outputs.whole)

    def _start(self, path: str, meta: dict[str, Any], whole: bool = True) -> None:
        kept = self.gan.kept(whole)
        self.writer.start(lambda: kept.write(path, meta))


class Recorder:
    """Hands each tick to its listeners; `save` writes the checkpoint."""

    def __init__(self, saver: Saver, others: list[Listener]):
        self.saver, self.save = saver, saver.save
        self._listeners: list[Listener] = [saver, *others]

    def __call__(self, tick: Tick | None) -> None:
        """Called after each step."""
        for listener in self._listeners:
            listener(tick)


@contextlib.contextmanager
def recording(
    trainer: Trainer,
    outputs: Outputs,
    steps: int,
    meta: dict[str, Any],
    requests: list[int],
    tell: Callable[[str], None],
) -> Iterator[Recorder]:
    """Yield a Recorder of a run of `steps` steps. Of several processes only the first writes.

    meta      metadata of the checkpoint and the snapshots
    requests  see Saver
    tell      takes warnings about a run that goes wrong
    """
    with contextlib.ExitStack() as stack:
        if outputs.snapshots and trainer.team.leads:
            os.makedirs(outputs.snapshots, exist_ok=True)
            stack.enter_context(locks.held(outputs.snapshots))  # two runs would mix there
            snapshots.check_folder(outputs.snapshots, trainer.config, meta)
        saver = Saver(trainer, outputs, steps, meta, requests)
        stack.enter_context(saver.writer)
        others: list[Listener] = []
        if trainer.team.leads:
            others.append(Monitor(trainer.config, tell))
            if outputs.log:
                others.append(stack.enter_context(logs.appended(outputs.log)))
            if outputs.tensorboard:
                others.append(stack.enter_context(open_board(outputs.tensorboard, trainer, steps, meta)))
        yield Recorder(saver, others)


class Phase:
    """One phase by hand: what is trained, how often, and where its log goes; `record` takes what each update gives."""

    def __init__(self, network: str, updates: int, output: str, log: str | None):
        self.network, self.updates, self.output, self.log = network, updates, output, log
        self.done = 0
        self.ticks: list[Tick] = []  # the first and the last

    @contextlib.contextmanager
    def recording(self) -> Iterator[Listener]:
        """Yield what is called after each update."""
        with contextlib.ExitStack() as stack:
            append = stack.enter_context(logs.appended(self.log)) if self.log else None

            def record(tick: Tick | None) -> None:
                self.done += 1
                if tick is not None:
                    self.ticks = [*self.ticks[:1], tick]
                    if append:
                        append(tick)

            yield record
