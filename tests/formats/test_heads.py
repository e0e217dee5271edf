"""How a stream begins is seen without losing a byte of it."""

import io

import pytest

from lumen_desktop.formats.heads import head


class Dripping(io.BytesIO):
    """Gives fewer bytes than it is asked for, as a pipe does."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size, 3) if size is not None and size >= 0 else -1)


@pytest.mark.parametrize("kind", [io.BytesIO, Dripping])
@pytest.mark.parametrize("size", [0, 1, 10, 99, 100, 101])
def test_a_stream_is_whole_after_its_head(kind: type[io.BytesIO], size: int) -> None:
    content = bytes(range(100))
    begun, whole = head(kind(content), size)
    assert begun == content[:size]
    assert whole.read(7) + whole.read() == content


def test_lines_are_read_over_the_joint() -> None:
    _, whole = head(io.BytesIO(b"one two\nthree\n"), 5)
    assert list(whole) == [b"one two\n", b"three\n"]
