"""Captions of toy:faces: what a picture shows, in many words.

Smile, glasses and hat are mentioned or denied in most of them, a moustache in half, hair and pose in some; a color only
where it is clearly one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ganutils.samples.captions import words
from ganutils.samples.sources.faces import HAIR, HATS
from ganutils.samples.sources.sentences import Picker, listed, with_article

SMILING, GLASSES, MOUSTACHE, HAT, POSE, HAIR_AT, FELT, LONG = 0, 1, 2, 3, 4, 6, 9, 17  # which of a face's numbers
MOST, HALF, SOME = 0.95, 0.5, 0.3  # how often something is mentioned
FELTS = ("blue", "red", "green", "brown")  # HATS
HAIRS = ("black", "brown", "brown", "blond", "red", "gray")  # HAIR
CLEAR = 0.2  # of the way from one color to the next

PEOPLE = ("face", "face", "person", "person", "character", "cartoon face")
SPECTACLES = ("glasses", "glasses", "glasses", "spectacles", "eyeglasses")
HAPPY, SERIOUS = ("smiling", "smiling", "happy", "cheerful"), ("serious", "serious", "unsmiling")
POSES = (  # of the viewer's sides
    ("looking left", "looking to the left", "turned to the left"),
    ("looking straight ahead", "facing the viewer"),
    ("looking right", "looking to the right", "turned to the right"),
)


class Trait(NamedTuple):
    """Something that a face has or lacks.

    name   without an article
    has    whether it is there
    worn   whether it is worn
    one    whether there is one of it
    """

    name: str
    has: bool
    worn: bool = False
    one: bool = True

    @property
    def noun(self) -> str:
        return with_article(self.name) if self.one else self.name

    def clause(self, pick: Picker) -> str:
        """What stands behind `the person`."""
        if self.name == "smile" and pick.chance(0.7):
            return "smiles" if self.has else pick.of(("does not smile", "is not smiling"))
        verb, plain = ("wears", "wear") if self.worn else ("has", "have")
        if self.has:
            return f"{verb} {self.noun}"
        return pick.of((f"{verb} no {self.name}", f"does not {plain} {self.noun}"))


def describe(numbers: np.ndarray, pick: Picker) -> str:
    """A sentence, or a list, about the face that these numbers make."""
    traits = pick.shuffled(_traits(numbers, pick))
    pose = _pose(float(numbers[POSE]), pick)
    form = pick.of((_phrase, _phrase, _phrase, _phrase, _apart, _apart, _sentence, _list))
    return pick.finished(form(traits, pose, pick))


def _traits(numbers: np.ndarray, pick: Picker) -> list[Trait]:
    smiling, glasses, moustache, hat = (bool(number < 0.5) for number in numbers[: HAT + 1])
    traits = []
    if pick.chance(MOST):
        traits.append(Trait("smile", smiling))
    if pick.chance(MOST):
        traits.append(Trait(pick.of(SPECTACLES), glasses, worn=True, one=False))
    if pick.chance(MOST):
        color = _color(FELTS, len(HATS), float(numbers[FELT])) if hat and pick.chance(0.7) else ""
        traits.append(Trait(f"{color} hat".strip(), hat, worn=True))
    if pick.chance(HALF):
        traits.append(Trait(pick.of(("moustache", "moustache", "mustache")), moustache))
    if pick.chance(SOME):
        length = ("long" if numbers[LONG] < 0.4 else "short") if pick.chance(0.6) else ""
        color = _color(HAIRS, len(HAIR), float(numbers[HAIR_AT])) if pick.chance(0.6) else ""
        if length or color:
            traits.append(Trait(" ".join(filter(None, (length, color, "hair"))), has=True, one=False))
    return traits or [Trait("smile", smiling)]


def _color(names: tuple[str, ...], count: int, at: float) -> str:
    """The name of the color at 0..1 of a palette; "" where it is between two."""
    place = at * (count - 1)
    nearest = round(place)
    return names[nearest] if abs(place - nearest) < CLEAR else ""


def _pose(pose: float, pick: Picker) -> str:
    side = 0 if pose < 0.25 else 2 if pose > 0.75 else 1
    is_clear = side != 1 or 0.4 < pose < 0.6
    return pick.of(POSES[side]) if is_clear and pick.chance(SOME) else ""


def _subject(traits: list[Trait], pick: Picker) -> tuple[str, list[Trait]]:
    """Who it is, with the smile or what is not there as an adjective; and the other traits."""
    adjectives, others = [], []
    for trait in traits:
        if trait.name == "smile" and pick.chance(0.7):
            adjectives.append(pick.of(HAPPY if trait.has else SERIOUS))
        elif trait.name == "hat" and not trait.has and pick.chance(0.15):
            adjectives.append("bareheaded")
        elif trait.name.startswith("m") and not trait.has and pick.chance(0.3):
            adjectives.append("clean-shaven")
        else:
            others.append(trait)
    return with_article(" ".join([*adjectives, pick.of(PEOPLE)])), others


def _phrase(traits: list[Trait], pose: str, pick: Picker) -> str:
    """`a smiling person with a red hat and no glasses`."""
    subject, others = _subject(traits, pick)
    worn = [trait.noun for trait in others if trait.worn and trait.has] if pick.chance(0.4) else []
    rest = [trait.noun for trait in others if trait.has and trait.noun not in worn]
    rest += [f"no {trait.name}" for trait in others if not trait.has]  # `no hat and glasses` could mean neither
    parts = [f"wearing {listed(worn)}" if worn else "", f"with {listed(rest)}" if rest else ""]
    return _ended(" ".join(filter(None, [subject, *(pick.shuffled(parts))])), pose)


def _apart(traits: list[Trait], pose: str, pick: Picker) -> str:
    """`a person with a red hat and a smile, without glasses or a moustache`."""
    subject, others = _subject(traits, pick)
    there = [trait.noun for trait in others if trait.has]
    lacking = [trait for trait in others if not trait.has]
    ways = ("without", [trait.noun for trait in lacking]), ("with no", [trait.name for trait in lacking])
    way, nouns = pick.of(ways)
    without = f"{way} {listed(nouns, 'or')}" if lacking else ""
    parts = [f"with {listed(there)}" if there else "", without]
    sign = pick.of((" but ", ", ", " and ")) if all(parts) else ""
    return _ended(f"{subject} {sign.join(parts)}".strip(), pose)


def _sentence(traits: list[Trait], pose: str, pick: Picker) -> str:
    """`the person smiles, wears a red hat and has no glasses`."""
    clauses = [trait.clause(pick) for trait in traits]
    if pose:
        clauses.append(f"is {pose}")
    return f"{pick.of(('the', 'this'))} {pick.of(PEOPLE)} {listed(clauses)}"


def _list(traits: list[Trait], pose: str, pick: Picker) -> str:
    """`red hat, no glasses, smiling`."""
    ordered = sorted(traits, key=lambda trait: not trait.has)
    items = [trait.name if trait.has else f"no {trait.name}" for trait in ordered]
    items = ["smiling" if item == "smile" else "not smiling" if item == "no smile" else item for item in items]
    return ", ".join([*items, *([pose] if pose else [])])


def _ended(text: str, pose: str) -> str:
    return f"{text}, {pose}" if pose else text


# ------------------------------------------------------------------------------------------ and back

NOT, AGAIN = ("no", "not", "without"), ("with", "wearing", "wears", "has", "is", "but")  # from where on what is denied
CLAIMS = (  # words, the attribute that they are about, and whether they say that it is there
    ((*HAPPY, "smile", "smiles"), "smiling", True),
    (SERIOUS, "smiling", False),
    (SPECTACLES, "glasses", True),
    (("hat",), "hat", True),
    (("bareheaded",), "hat", False),
    (("moustache", "mustache"), "moustache", True),
    (("shaven",), "moustache", False),
    (("right",), "pose", True),
    (("left",), "pose", False),
)
CLAIMED = {word: (name, has) for all_words, name, has in CLAIMS for word in all_words}


def claims(text: str) -> dict[str, bool]:
    """What a sentence like those of `describe` says, by attribute: only those that it mentions or denies."""
    said, is_denied = {}, False
    for word in words(text):
        if word in NOT or word in AGAIN:
            is_denied = word in NOT
        elif word in CLAIMED:
            name, has = CLAIMED[word]
            is_denied = is_denied and word != "smiles" and name != "pose"
            said[name] = has != is_denied
    return said
