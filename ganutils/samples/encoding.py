"""How the numbers of samples are to be read, as metadata say it: the rate of sounds, the kind of spectrograms, the
alphabet of texts. Data, checkpoints and samples carry it from one to the next; only what is read alike goes together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganutils import Error
from ganutils.files.letters import ALPHABET
from ganutils.sounds.about import RATE, SPECTROGRAM, rate_of


def kept(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the metadata, which hold for what is made of such samples or like them too."""
    return {key: meta[key] for key in (RATE, SPECTROGRAM, ALPHABET) if key in meta}


def check_alike(name: str, meta: Mapping[str, Any], other: str, theirs: Mapping[str, Any]) -> None:
    """Error if what the file `name` holds, or was made for, has another rate, or is spectrograms of another kind, than
    what the file `other` does, or texts in another alphabet; `meta` and `theirs` are their metadata. Spectrograms that
    do not say are not compared.
    """
    if meta.get(ALPHABET) != theirs.get(ALPHABET):
        raise Error(f"{name}: its texts have another alphabet than those of {other}; make both from one gan-data")
    if RATE in meta or RATE in theirs:
        rate, wanted = rate_of(name, meta), rate_of(other, theirs)
        if rate != wanted:
            raise Error(
                f"{name}: its sounds have {rate:,} Hz, those of {other} {wanted:,}; make both alike with "
                "gan-data --rate"
            )
    if SPECTROGRAM in meta and SPECTROGRAM in theirs and meta[SPECTROGRAM] != theirs[SPECTROGRAM]:
        raise Error(
            f"{name}: its spectrograms are of another kind than those of {other}; make both alike with gan-data "
            "--spectrogram"
        )
