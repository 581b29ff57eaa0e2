"""Warnings in plain words, once each, about what only experts see from the losses of a run."""

from __future__ import annotations

from collections.abc import Callable

from ganutils.runs import remedies, traits
from ganutils.runs.config import Config
from ganutils.training.loop import TICK, Tick

LONG = 10  # ticks in a row after which a state is reported
WON = 0.003  # D's loss above its least: real and fake are told apart without doubt
ALIKE = 0.2  # of the real samples' diversity: the generator makes nearly one sample
GROWN = 1000  # steps: a young generator makes one gray picture, which is no collapse unless it lasts


class Monitor:
    """Listener that says, once, that D has won or that G has collapsed, and what to try."""

    def __init__(self, config: Config, say: Callable[[str], None]):
        self.config, self.say = config, say
        self._ticks = {"won": 0, "alike": 0}  # in a row, of each state
        self._was_diverse = False

    def __call__(self, tick: Tick | None) -> None:
        """Called after each step."""
        if tick is None:
            return
        is_sure = min(tick.d_real, tick.d_fake) > 0.999 and tick.d_loss < least_d_loss(self.config) + WON
        if self._lasts("won", is_sure):
            self.say(
                f"step {tick.step:,}: D has told every real sample from a generated one for {LONG * TICK} steps, "
                f"without doubt, so G learns next to nothing; try {', '.join(remedies.against_winning(self.config))}, "
                "or more data"
            )
        self._was_diverse |= tick.diversity > 2 * ALIKE
        is_alike = tick.diversity < ALIKE and (self._was_diverse or tick.step > GROWN)
        if self._lasts("alike", is_alike):
            self.say(
                f"step {tick.step:,}: G has collapsed: its samples have been nearly alike for {LONG * TICK} steps, "
                f"with {tick.diversity:.0%} of the real samples' diversity; start over with "
                f"{', '.join([*remedies.against_collapse(self.config), 'a lower --lr'])}, or a larger --batch"
            )

    def _lasts(self, state: str, is_so: bool) -> bool:
        """True once, when `is_so` was true LONG times in a row."""
        if self._ticks[state] < LONG:
            self._ticks[state] = self._ticks[state] + 1 if is_so else 0
            return self._ticks[state] == LONG
        return False


def least_d_loss(config: Config) -> float:
    """D's loss when it tells real from generated without doubt."""
    return traits.LOSSES[config.loss].least_d_loss(config.smooth)
