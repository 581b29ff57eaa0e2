"""What a run writes as it goes: its checkpoint and snapshots."""

from __future__ import annotations

import os
import time
from collections.abc import Container
from typing import Any

from ganutils.files import paths
from ganutils.training.loop import Tick
from ganutils.training.trainer import Trainer


class Saver:
    """Writes what a run leaves behind: its checkpoint as it goes and at the end, and snapshots.

    Of several workers only the first writes.


    output, meta    the checkpoint and its metadata
    save_every      steps from one write to the next; None = about a minute
    snapshots       folder of the snapshots `step-000100.safetensors`; None = no snapshots
    moments         the steps after which one is written
    asked           has something in it when a checkpoint is wanted now; emptied when it is written
    whole           whether a snapshot is all of the run, and not the averaged generator alone
    """

    def __init__(
        self,
        trainer: Trainer,
        output: str,
        meta: dict[str, Any],
        save_every: int | None,
        snapshots: str | None,
        moments: Container[int],
        asked: list[int],
        whole: bool = False,
    ):
        self.gan, self.output, self.meta, self.asked = trainer.gan, output, meta, asked
        self.save_every, self.snapshots, self.moments, self.whole = save_every, snapshots, moments, whole
        self.writes = trainer.team.leads
        self.saved = time.monotonic()
        if snapshots and self.writes:
            os.makedirs(snapshots, exist_ok=True)
            if self.gan.step == 0:
                self._snapshot()

    def __call__(self, _: Tick | None) -> None:
        """To be called after each step."""
        if not self.writes:
            return
        if self.snapshots and self.gan.step in self.moments:
            self._snapshot()
        due = self.gan.step % self.save_every == 0 if self.save_every else time.monotonic() - self.saved > 60
        if (due or self.asked) and not paths.is_pipe(self.output):
            self.asked.clear()
            self.save()

    def save(self) -> None:
        """Write the checkpoint."""
        if self.writes:
            self.gan.write(self.output, self.meta)
        self.saved = time.monotonic()

    def _snapshot(self) -> None:
        name = f"step-{self.gan.step:06d}.safetensors"
        write = self.gan.write if self.whole else self.gan.write_snapshot
        write(os.path.join(str(self.snapshots), name), self.meta)
