"""What sentences about drawn samples claim: the way back from what `gan-data --describe` writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ganutils.samples.sources import faces, portraits, shapes

Claims = Callable[[str], dict[str, bool]]  # attribute -> whether a sentence says that it is there; others are left open

KNOWN: tuple[tuple[Sequence[str], Claims], ...] = (
    (faces.ATTRIBUTES, portraits.claims),
    (shapes.ATTRIBUTES, shapes.claims),
)


def claims_about(names: Sequence[str]) -> Claims | None:
    """How sentences about samples with attributes of these names are read; None if nobody knows."""
    return next((claims for attributes, claims in KNOWN if {*attributes} == {*names}), None)
