"""Checks of single values that came from the reader's process, which may be a stranger's by now."""

import math
from typing import Any

from lumen_desktop.domain.library import storable


class BrokenRuleError(Exception):
    """What came from the child is out of its bounds; the text says which bound and no content."""


def integer(untrusted: Any, smallest: int, largest: int) -> int:
    """A whole number from ``smallest`` to ``largest``."""
    if not isinstance(untrusted, int) or isinstance(untrusted, bool) or not smallest <= untrusted <= largest:
        raise BrokenRuleError("number")
    return untrusted


def share(untrusted: Any) -> float:
    """A number from 0 to 1."""
    if not isinstance(untrusted, int | float) or isinstance(untrusted, bool) or not math.isfinite(untrusted):
        raise BrokenRuleError("share")
    if not 0 <= untrusted <= 1:
        raise BrokenRuleError("share")
    return float(untrusted)


def text(untrusted: Any, longest: int) -> str:
    """Text of up to ``longest`` characters, made storable."""
    if not isinstance(untrusted, str) or len(untrusted) > longest:
        raise BrokenRuleError("text")
    return storable(untrusted)


def items(untrusted: Any, most: int) -> list[Any]:
    """A list of up to ``most`` items, which are untrusted themselves."""
    if not isinstance(untrusted, list) or len(untrusted) > most:
        raise BrokenRuleError("list")
    return untrusted
