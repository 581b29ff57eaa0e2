"""What a training command says of its run: at the start, at the end, and in place of it all with --dry-run."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from ganutils.compute import devices
from ganutils.files import kinds, paths
from ganutils.runs.config import in_words
from ganutils.runs.start import Start
from ganutils.runs.traits import CONDITIONS
from ganutils.samples.samples import Samples
from ganutils.training.loop import Tick
from ganutils.training.record import Outputs, Phase, Saver
from ganutils.training.trainer import Trainer


def introduction(trainer: Trainer, samples: Samples | None) -> str:
    """Data, networks and machine, in one line."""
    config, gan = trainer.config, trainer.gan
    data = [f"{samples.name}: {len(samples):,} {samples.modality.many.format(*samples.shape)}"] if samples else []
    sizes = f"G {_parameters(gan.G):,}, D {_parameters(gan.D):,} parameters"
    processes = [f"{trainer.team.count} processes"] if trainer.team.count > 1 else []
    machine = ", ".join([*_device(trainer.device), *processes, config.precision])
    return "; ".join([*data, f"{config.arch} of width {config.width} ({sizes})", machine])


def _parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _device(device: torch.device) -> list[str]:
    if device.type == "cuda":
        return [f"{device} ({torch.cuda.get_device_name(device)})"]
    return [device.type, _count(torch.get_num_threads(), "thread")] if device.type == "cpu" else [device.type]


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'s' * (number != 1)}"


def beginning(run: Start, trainer: Trainer, samples: Samples) -> list[str]:
    """What gan-loop says before it trains: where it continues, and on what."""
    lines = []
    if run.checkpoint is not None:
        name = run.checkpoint.name
        lines.append(f"{name}: continues at step {run.step:,}")
        moved = devices.differences(run.checkpoint.meta, trainer.device, trainer.config.precision)
        lines += [f"{name}: {moved}"] if moved else []
    return [*lines, introduction(trainer, samples)]


def words_of_end(run: Start) -> list[str]:
    """The options that train a run as far as --minutes does."""
    return ["--steps", str(run.end), "--decay", in_words(run.config.decay)]


def meaning_of_minutes(run: Start, minutes: float) -> str:
    """What --minutes comes to, as options that can be typed in its place."""
    what = "goes on to the end of this run" if run.checkpoint else f"{minutes:g} here"
    return f"--minutes {what}: {' '.join(words_of_end(run))}"


def plan(trainer: Trainer, samples: Samples | None, given: Mapping[str, Any], work: str) -> list[str]:
    """What --dry-run prints: the introduction, all settings, and the `work` that would be done."""
    conditions = {
        CONDITIONS["labels" if kind is True else kind] for name, kind in given.items() if name == "conditional"
    }
    names = conditions | set(given)
    values = {name: in_words(value) for name, value in vars(trainer.config).items()}
    width = max(map(len, values))
    rows = [f"  {name:{width}}  {value}{'  (given)' * (name in names)}" for name, value in values.items()]
    return [introduction(trainer, samples), *rows, work]


def work_of_loop(start: int, steps: int, outputs: Outputs) -> str:
    """What gan-loop would do, for --dry-run."""
    files = [name_of(outputs.output)]
    files += [f"snapshots in {outputs.snapshots}"] if outputs.snapshots else []
    files += [file for file in (outputs.log, outputs.tensorboard) if file]
    return f"would train from step {start:,} to {steps:,} and write {', '.join(files)}"


def work_of_phase(phase: Phase) -> str:
    """What gan-train-d or gan-train-g would do, for --dry-run."""
    files = [name_of(phase.output), *([phase.log] if phase.log else [])]
    return f"would do {_count(phase.updates, 'update')} of {phase.network} and write {', '.join(files)}"


def _again(steps: int, counts_more: bool, fresh: bool) -> str:
    """How to continue a run that was stopped."""
    if counts_more:
        return f"--steps {steps} in place of --more continues"
    return f"the same command {'without --fresh ' * fresh}continues"


def ending_of_loop(saver: Saver, elapsed: str, counts_more: bool, fresh: bool) -> list[str]:
    """What gan-loop says at the end: what it wrote, how long it took, and what to type next.

    counts_more  whether the same command would count --more from where the run is
    fresh        whether it would start over
    """
    step, name, is_pipe = saver.gan.step, name_of(saver.target), paths.is_pipe(saver.target)
    if step < saver.steps:
        stopped = f"{name}: stopped at step {step:,} of {saver.steps:,} after {elapsed}"
        return [stopped if is_pipe else f"{stopped}; {_again(saver.steps, counts_more, fresh)}"]
    written = f"{name}: written at step {step:,} after {elapsed}"
    are_seen = kinds.modality_of_shape(saver.gan.config.shape) in (kinds.IMAGES, kinds.TEXTS)
    command = "gan-sample {} -n 64 -o sheet.png" if are_seen else "gan-plot {} -o plot.png"
    command = "gan-sample {} --inputs DATA -o sheet.png" if saver.gan.config.inputs else command
    return [written] if is_pipe else [written, f"next: {command.format(shlex.quote(name))}"]


def ending_of_phase(phase: Phase, elapsed: str) -> str:
    """What gan-train-d or gan-train-g says at the end: what it did, from the first tick to the last."""
    count = _count(phase.updates, "update")
    if phase.done < phase.updates:
        count = f"stopped after {phase.done:,} of {count}"
    return f"{name_of(phase.output)}: {count} of {phase.network} in {elapsed}; {_change(phase.network, phase.ticks)}"


def _change(network: str, ticks: list[Tick]) -> str:
    """D loss 1.380 -> 0.630, real 97%, fake 92%."""
    if network == "D" and math.isnan(ticks[-1].d_loss):
        return "nothing to train: --adversarial is 0, so G does not ask D"
    values = [tick.d_loss if network == "D" else tick.g_loss for tick in ticks]
    if math.isnan(values[-1]):
        return f"L1 {' -> '.join(f'{tick.l1:.3f}' for tick in ticks)}"
    losses = " -> ".join(f"{value:.3f}" for value in values)
    accuracy = f", real {ticks[-1].d_real:.0%}, fake {ticks[-1].d_fake:.0%}" if network == "D" else ""
    return f"{network} loss {losses}{accuracy}"


def name_of(path: str) -> str:
    """How messages call an output."""
    return "standard output" if path in ("-", "/dev/stdout") else path
