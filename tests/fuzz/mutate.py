"""Inputs from examples: each is an example, or two, changed in a few places. The same seed gives the same inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

_MOST_CHANGES = 5
_MOST_BYTES = 4096


def inputs(examples: Sequence[bytes], words: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Changed examples for ever; ``words`` are what is put in."""
    draw = Random(seed)
    while True:
        data = bytearray(draw.choice(examples))
        if draw.random() < 0.2:
            other = draw.choice(examples)
            data[draw.randrange(len(data) + 1) :] = other[draw.randrange(len(other) + 1) :]
        for _ in range(draw.randint(0, _MOST_CHANGES)):
            _change(data, words, draw)
        yield bytes(data[:_MOST_BYTES])


def _change(data: bytearray, words: Sequence[bytes], draw: Random) -> None:
    at = draw.randrange(len(data) + 1)
    match draw.randrange(6):
        case 0:
            data[at:at] = draw.choice(words)
        case 1:
            del data[at : at + draw.randint(1, 8)]
        case 2 if data:
            data[at % len(data)] = draw.randrange(256)
        case 3:
            data[at : at + draw.randint(0, 6)] = draw.choice(words)
        case 4:
            data[at:at] = data[at : at + 20] * draw.randint(1, 4)
        case _:
            data[at:at] = chr(draw.choice((draw.randrange(0x80), draw.randrange(0xD800), 0x1F600, 0x202E))).encode()
