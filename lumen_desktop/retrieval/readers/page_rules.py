"""What the process that draws a page and the one that asked for it agree on."""

import hashlib

from lumen_desktop.domain.library import storable

LARGEST_WIDTH_PX = 5_000
MOST_PIXELS = 24_000_000
MOST_BOXES = 2_000
MOST_RANGES = 200
BYTES_A_PIXEL = 3


def text_digest(text: str) -> str:
    """SHA-256 of a page's text, by which both know that they mean the same one."""
    return hashlib.sha256(storable(text).encode()).hexdigest()
