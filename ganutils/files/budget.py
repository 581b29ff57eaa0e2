"""What a file may cost, in one place: a stranger's file of a few bytes can ask for terabytes or for days.

docs/promises.md: SECONDS of a processor, and the file's own size and MEMORY; tests/test_budget.py measures both. Only
what a header claims needs a limit here: what has to lie in the file to cost something is paid for by its size.
"""

from __future__ import annotations

from ganutils import Error

SECONDS = 10  # of a processor
MEMORY = 200 << 20  # bytes, beyond the file's size and what a command takes by itself
AXES = 8  # of an array; frames, samples and three of a picture are five, and NumPy stops at 64
EMPTY = 1 << 26  # the product of the lengths that are not 0 in the shape of an array that holds nothing
IN_MEMORY = 1 << 28  # bytes of samples that are read at once; of more, rows are read when they are needed
CAPTIONS = 64  # of a sample, and
CAPTION = 1024  # bytes of each
TEXT = 300  # bytes of memory for each line of captions
LETTERS = 1 << 16  # of a text
RATES = (1, 1 << 20)  # Hz, of sounds
CENTERS = 10_000  # of a toy, as many as --modes makes
FRAMES = 1 << 20  # of a film: eleven hours
CELLS = 1 << 18  # of the grid of a frame, 512x512
SIGNS = 2048  # among them, each drawn letter by letter
NAMES = 1 << 24  # letters in the names of an archive's members, beyond its size
HEADER = 1 << 16  # bytes of text that describe one array or one member of an archive

DECODING = 5  # seconds of a processor for a picture or film
DECODING_PER_BYTE = 5e-6  # seconds; what is honest and slow to decode is large
FILM_PER_BYTE = 5e-5  # seconds; a still scene of many frames takes few bytes
DERIVING_PER_NUMBER = 1e-6  # seconds
PER_NUMBER = 24  # bytes that making an input may take for each number of the picture
PER_PIXEL = 32  # bytes that a decoder may have for each: RGBA several times over
PIXELS = 1 << 26  # of one picture, 8192x8192, and of all that are decoded at once; a larger one's header is enough
SOUND = 1 << 22  # numbers of one sound: a minute and a half at 44,100 Hz
HEARD = 1 << 24  # numbers of a file that are read for one of a lower rate
SPECTROGRAM = 1 << 20  # pixels of one, which become a sound in about a second
UNASKED = 1 << 17  # pixels that any number of processes may decode at once
PACKED = 1 << 26  # bytes that wait to be decoded
UNPACKED = 1 << 24  # bytes of an archive's member, and
UNPACKED_RATIO = 10  # times what lies in the file
MODEL = 2 << 30  # bytes, beyond four times its file's size, that a model of others may take
DOWNLOAD = 1 << 32  # bytes of one file, twelve times those of the largest that gan-data knows
MEMBER = 1000  # bytes of memory for each member of an archive


def decoding(size: int) -> float:
    """Seconds of a processor for a picture in a file of so many bytes."""
    return DECODING + DECODING_PER_BYTE * size


def deriving(size: int) -> float:
    """Seconds of a processor for making an input of a picture of so many numbers."""
    return DECODING + DERIVING_PER_NUMBER * size


def filming(size: int) -> float:
    """Seconds of a processor for each of the two times that a film in a file of so many bytes is read."""
    return DECODING / 2 + FILM_PER_BYTE * size


def unpacked(size: int) -> int:
    """Bytes that a packed file of `size` may become; pictures become one to ten times as many."""
    return (1 << 28) + 100 * size


def members(size: int) -> int:
    """How many members an archive of `size` bytes may have: packed, a tiny picture and its header take a hundred."""
    return 20_000 + size // 64


def lines(size: int) -> int:
    """How many lines of captions, and how many captions, a file of `size` bytes may have."""
    return (MEMORY + size) // TEXT


def check(name: str, count: float, limit: float, what: str, advice: str = "it is damaged or hostile") -> None:
    """Error, with the file's `name`, if it asks for more than `limit` of `what`."""
    if count > limit:
        raise Error(f"{name}: asks for {count:,} {what}, more than {limit:,}; {advice}")
