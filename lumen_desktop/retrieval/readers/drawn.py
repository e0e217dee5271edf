"""A drawn page as it comes from the reader's process: gathered, checked, then trusted.

`client` feeds it; knows no process. What arrives are pixels whose count is checked, no image file.
"""

import binascii
import zlib
from dataclasses import dataclass, field
from typing import Any

from lumen_desktop.children import Message
from lumen_desktop.domain.library import Box
from lumen_desktop.retrieval.readers.page_rules import BYTES_A_PIXEL, LARGEST_WIDTH_PX, MOST_BOXES, MOST_PIXELS
from lumen_desktop.retrieval.readers.untrusted import BrokenRuleError, integer, items, share

_MOST_PACKED_BYTES = BYTES_A_PIXEL * MOST_PIXELS + 1024 * 1024  # deflate makes noise no larger than that


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """One page as pixels.

    Attributes:
        rgb: its rows from the top, three bytes a pixel, without padding.
        width_px: its width.
        height_px: its height.
        boxes: where the ranges asked for stand, a box a line.
        placed: how many characters of the ranges have a place on it.
    """

    rgb: bytes
    width_px: int
    height_px: int
    boxes: tuple[Box, ...]
    placed: int


@dataclass(slots=True)
class PageAnswer:
    """Gathers and checks what the child says of one page.

    Attributes:
        width_px: the width that was asked for.
        characters: how many characters there are in the ranges, spaces aside.
    """

    width_px: int
    characters: int
    packed: list[bytes] = field(default_factory=list)
    packed_bytes: int = 0
    untrusted_last: Message | None = None

    def take(self, untrusted_event: Message) -> None:
        """One event of the child's answer.

        Raises:
            BrokenRuleError: a value out of its bounds.
        """
        kind = untrusted_event.get("event")
        if kind == "pixels":
            self._add(untrusted_event.get("data"))
        elif kind == "done":
            self.untrusted_last = untrusted_event
        else:
            raise BrokenRuleError("event")

    def _add(self, untrusted_data: Any) -> None:
        if not isinstance(untrusted_data, str):
            raise BrokenRuleError("pixels")
        try:
            piece = binascii.a2b_base64(untrusted_data, strict_mode=True)
        except ValueError:
            raise BrokenRuleError("pixels") from None
        self.packed_bytes += len(piece)
        if self.packed_bytes > _MOST_PACKED_BYTES:
            raise BrokenRuleError("pixels")
        self.packed.append(piece)

    def page(self) -> DrawnPage | None:
        """The checked page; None where the child does not hold the file.

        Raises:
            BrokenRuleError: a value out of its bounds.
        """
        untrusted = self.untrusted_last or {}
        held = untrusted.get("held")
        if not isinstance(held, bool):
            raise BrokenRuleError("held")
        if not held:
            return None
        width_px = integer(untrusted.get("width_px"), 1, min(self.width_px, LARGEST_WIDTH_PX))
        height_px = integer(untrusted.get("height_px"), 1, MOST_PIXELS // width_px)
        boxes = tuple(_box(untrusted_box) for untrusted_box in items(untrusted.get("boxes"), MOST_BOXES))
        placed = integer(untrusted.get("placed"), 0, self.characters)
        return DrawnPage(self._rgb(width_px * height_px), width_px, height_px, boxes, placed)

    def _rgb(self, pixels: int) -> bytes:
        """Exactly so many pixels; never more memory than that, whatever was packed."""
        size_bytes, unpacker = BYTES_A_PIXEL * pixels, zlib.decompressobj()
        try:
            rgb = unpacker.decompress(b"".join(self.packed), size_bytes + 1)
        except zlib.error:
            raise BrokenRuleError("pixels") from None
        if len(rgb) != size_bytes or not unpacker.eof or unpacker.unused_data:
            raise BrokenRuleError("pixels")
        return rgb


def _box(untrusted_box: Any) -> Box:
    if len(items(untrusted_box, 4)) != 4:  # noqa: PLR2004 - left, top, right, bottom
        raise BrokenRuleError("box")
    left, top, right, bottom = (share(untrusted) for untrusted in untrusted_box)
    if left > right or top > bottom:
        raise BrokenRuleError("box")
    return Box(left, top, right, bottom)
