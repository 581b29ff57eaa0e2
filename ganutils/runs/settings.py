"""A setting of a run: its help, type, limits, and its value where nobody gives one.

`Config` declares each by `setting(...)` in one line; options, defaults and the checks of checkpoints follow from that.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection
from typing import Any

UNSET: Any = object()


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a setting is.

    help          text of its option
    plain         value where neither the user nor the preset gives one; UNSET if presets must, or `fresh` derives it
    choices       names it can have
    many          several of `choices` in their order, joined by commas; or none
    least, most   limits of a number
    earlier       what checkpoints written before the setting existed were made with; UNSET if there are none
    was           its name in older checkpoints
    undecided     value that leaves the choice to the machine; it is made when a run starts, and kept from then on
    check         says what is wrong with a value, in place of the checks by type, choices and limits
    option        False: it has no option
    flag          its option, if that is a flag by another name; several settings may share one
    flag_values   what may stand behind the flag; the first of them is what it means alone
    type          of a value
    """

    help: str
    plain: Any = UNSET
    choices: Collection[str] = ()
    many: bool = False
    least: float = 0
    most: float = math.inf
    earlier: Any = UNSET
    was: str = ""
    undecided: Any = UNSET
    check: Callable[[Any], str | None] | None = None
    option: bool = True
    flag: str = ""
    flag_values: Collection[str] = ()
    type: type = str

    def problem(self, value: Any) -> str | None:
        """Why `value` cannot be this setting, in words that follow "NAME is VALUE, "; None if it can."""
        if self.check:
            return self.check(value)
        if type(value) is not self.type and not (self.type is float and type(value) is int):
            return f"not of type {self.type.__name__}"
        if self.choices and not self.is_choice(value):
            return f"not one of {', '.join(self.choices)}"
        if isinstance(value, int | float) and not self.least <= value <= self.most:  # as NaN is not
            return f"not from {self.least} to {self.most}"
        return None

    def native(self, value: Any) -> Any:
        """A valid `value` as Config holds it: JSON has no tuples, and one kind of number."""
        if isinstance(value, list):
            return tuple(value)
        return float(value) if self.type is float else value

    def is_choice(self, value: Any) -> bool:
        """Whether `value` is one of the choices; or, of `many`, "none" or some in their order."""
        if not self.many:
            return value in self.choices
        return value == "none" or value == ",".join(name for name in self.choices if name in value.split(","))


def setting(help: str, plain: Any = UNSET, **traits: Any) -> Any:
    """A field of Config; `traits` are the other fields of Setting."""
    return dataclasses.field(metadata={"setting": Setting(help, plain, **traits)})


def settings_of(config: type) -> dict[str, Setting]:
    """The settings that the fields of a dataclass declare, by name; their types are those of its annotations."""
    types = {"int": int, "float": float, "str": str}  # all else is a tuple
    return {
        field.name: dataclasses.replace(field.metadata["setting"], type=types.get(str(field.type), tuple))
        for field in dataclasses.fields(config)
    }
