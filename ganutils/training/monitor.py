"""Plain words, once, when a run goes wrong in a way that its losses show only to those who know them."""

from __future__ import annotations

import math
from collections.abc import Callable

from ganutils.runs.config import Config
from ganutils.runs.traits import SMOOTHED
from ganutils.training.loop import TICK, Tick

LONG = 10  # ticks in a row that make a state one that lasts
WON = 0.003  # of D's loss above the least it can have: real and fake are told apart with no doubt left
ALIKE = 0.2  # of the real pictures' diversity: the generator makes nearly one picture


class Monitor:
    """Listens to the ticks of a run and says what is wrong with it, the first time that it has lasted."""

    def __init__(self, config: Config, say: Callable[[str], None]):
        self.config, self.say = config, say
        self._lasting = {"won": 0, "alike": 0}
        self._was_diverse = False

    def __call__(self, tick: Tick | None) -> None:
        """To be called after each step."""
        if tick is None:
            return
        self._was_diverse |= tick.diversity > 2 * ALIKE
        sure = min(tick.d_real, tick.d_fake) > 0.999 and tick.d_loss < least_d_loss(self.config) + WON
        if self._lasts("won", sure):
            self.say(
                f"step {tick.step:,}: D has told every picture from a generated one for {LONG * TICK} steps, with no "
                "doubt left, so G learns next to nothing. Try --smooth 0.9, --r1 1 --norm none, more data"
            )
        # A young generator makes one gray picture; that is no collapse unless it stays so.
        alike = tick.diversity < ALIKE and (self._was_diverse or tick.step > 1000)
        if self._lasts("alike", alike):
            self.say(
                f"step {tick.step:,}: the generated pictures have been nearly all alike for {LONG * TICK} steps "
                f"({tick.diversity:.0%} of the real ones' diversity): G has collapsed. Start "
                "afresh with --loss relativistic --r1 1 --r2 1 --norm none, a lower --lr, or a larger --batch"
            )

    def _lasts(self, what: str, is_so: bool) -> bool:
        """True once, when `what` has been so LONG times in a row."""
        if self._lasting[what] < LONG:
            self._lasting[what] = self._lasting[what] + 1 if is_so else 0
            return self._lasting[what] == LONG
        return False


def least_d_loss(config: Config) -> float:
    """The discriminator's loss where it knows real from fake: 0, or its smoothed label's entropy; WGAN's has none."""
    if config.loss == "wgan":
        return -math.inf
    p = config.smooth
    if config.loss not in SMOOTHED or config.loss == "lsgan" or p == 1:
        return 0.0
    return -(p * math.log(p) + (1 - p) * math.log(1 - p))
