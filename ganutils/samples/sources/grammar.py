"""toy:sentences: an exact grammar of some 30 words. What a generator of texts should learn, and whether it has.

    sentence  subject verb, subject verb object, or subject verb place; at most 29 letters
    subject, object  article noun, or article adjective noun

A verb is of its subject's number, and an article of what it stands before: `a cat`, `an old cat`, `two cats`. The label
of a sentence is the number of its subject.
"""

from __future__ import annotations

import numpy as np

from ganutils import randomness
from ganutils.files import letters
from ganutils.samples.sources.sentences import Picker
from ganutils.samples.sources.source import Request, Source, of_texts

NAME, LENGTH = "sentences", 32
NUMBERS = ("singular", "plural")
ADJECTIVES = ("big", "old", "red", "shy")
PLACES = ("at home", "in town", "by boat")
# The forms of a word for each of NUMBERS.
ARTICLES = (("a", "the", "one"), ("the", "two", "all"))
NOUNS = (("boy", "cat", "dog", "owl", "pig"), ("boys", "cats", "dogs", "owls", "pigs"))
INTRANSITIVE = (("naps", "runs", "sits"), ("nap", "run", "sit"))
TRANSITIVE = (("eats", "hugs", "sees"), ("eat", "hug", "see"))
ALPHABET = letters.BLANK + "".join(
    sorted({*"".join((*ADJECTIVES, *PLACES, *sum((*ARTICLES, *NOUNS, *INTRANSITIVE, *TRANSITIVE), ())))} - {" "})
)


def open_sentences(request: Request) -> list[Source]:
    """Different sentences are as likely as their words make them; some come twice."""
    made = [sentence(randomness.stream(request.options.seed, "sentences", row)) for row in range(request.toys)]
    rows = letters.encoded([text for text, _ in made], ALPHABET, LENGTH)
    labels = np.array([number for _, number in made], np.int64)
    meta = {**request.meta, "toy": {"name": NAME}}
    return [of_texts(request.name, rows, ALPHABET, labels=labels, classes=NUMBERS, meta=meta)]


def sentence(random: np.random.Generator) -> tuple[str, int]:
    """One of them, and the number of its subject, 0 or 1."""
    pick = Picker(random)
    number = int(pick.chance(0.5))
    words = [_noun_phrase(pick, number)]
    if pick.chance(0.6):
        words += [pick.of(TRANSITIVE[number]), _noun_phrase(pick, int(pick.chance(0.5)))]
    else:
        words += [pick.of(INTRANSITIVE[number]), *([pick.of(PLACES)] if pick.chance(0.5) else [])]
    return " ".join(words), number


def _noun_phrase(pick: Picker, number: int) -> str:
    words = [*([pick.of(ADJECTIVES)] if pick.chance(0.5) else []), pick.of(NOUNS[number])]
    article = pick.of(ARTICLES[number])
    return " ".join([_before(words[0]) if article == "a" else article, *words])


def _before(word: str) -> str:
    """The indefinite article."""
    return "an" if word.startswith(("a", "e", "i", "o", "u")) else "a"


def is_grammatical(text: str) -> bool:
    """Whether `sentence` can give this text."""
    numbers, rest = _noun_phrases(text.split(" "))
    return any(_ends(number, rest) for number in numbers)


def _noun_phrases(words: list[str]) -> tuple[list[int], list[str]]:
    """The numbers that the noun phrase at the beginning has, if there is one, and the words behind it."""
    article, *rest = words
    has_adjective = rest[:1] != [] and rest[0] in ADJECTIVES
    noun = rest[has_adjective : has_adjective + 1]
    plain = "a" if rest and article == _before(rest[0]) else article if article != "a" else ""
    numbers = [n for n in (0, 1) if plain in ARTICLES[n] and noun and noun[0] in NOUNS[n]]
    return numbers, rest[has_adjective + 1 :]


def _ends(number: int, words: list[str]) -> bool:
    """Whether a sentence whose subject has this number can go on with these words."""
    verb, after = words[:1], words[1:]
    if verb and verb[0] in INTRANSITIVE[number]:
        return not after or " ".join(after) in PLACES
    if not verb or verb[0] not in TRANSITIVE[number] or not after:
        return False
    objects, rest = _noun_phrases(after)
    return bool(objects) and not rest
