"""Looks at how a stream begins and gives it back whole; knows no format.

The parsers beside it tell by this, before they read gigabytes, that a file is another format than theirs.
"""

from io import BufferedReader, RawIOBase
from typing import BinaryIO, cast

HEAD_BYTES = 65536


def head(stream: BinaryIO, size: int = HEAD_BYTES) -> tuple[bytes, BinaryIO]:
    """The first bytes of a stream, fewer than ``size`` only where there are fewer, and all its bytes as a stream."""
    pieces, left = [], size
    while left > 0 and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    begun = b"".join(pieces)
    return begun, cast("BinaryIO", BufferedReader(_Rejoined(begun, stream), HEAD_BYTES))


class _Rejoined(RawIOBase):
    """What was read already, then the rest; read forward only."""

    def __init__(self, begun: bytes, stream: BinaryIO) -> None:
        self._begun = begun
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview[int]") -> int:  # type: ignore[override]
        size = len(buffer)
        piece, self._begun = self._begun[:size], self._begun[size:]
        piece = piece or self._stream.read(size)
        buffer[: len(piece)] = piece
        return len(piece)
