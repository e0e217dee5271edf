"""Looks at how a stream begins and gives it back whole; knows no format.

The parsers beside it tell by this, before they read gigabytes, that a file is another format than theirs.
"""

from typing import BinaryIO, cast

HEAD_BYTES = 65536


def head(stream: BinaryIO, size: int = HEAD_BYTES) -> tuple[bytes, BinaryIO]:
    """The first bytes of a stream, fewer than ``size`` only where there are fewer, and all its bytes as a stream."""
    pieces, left = [], size
    while left and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    begun = b"".join(pieces)
    return begun, cast("BinaryIO", _Rejoined(begun, stream))


class _Rejoined:
    """What was read already, then the rest; read forward only."""

    def __init__(self, begun: bytes, stream: BinaryIO) -> None:
        self._begun = begun
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not self._begun:
            return self._stream.read(size)
        if size < 0:
            piece, self._begun = self._begun + self._stream.read(), b""
        else:
            piece, self._begun = self._begun[:size], self._begun[size:]
        return piece
