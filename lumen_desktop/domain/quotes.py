"""Where a quote stands in the text that it was taken from.

A quote is shown on one line, so that its spaces and its hyphens at line ends differ from the text's.
Knows no page and no database; `services.sources` calls it.
"""

import difflib
import re
from dataclasses import dataclass

ENOUGH = 0.5  # of a quote's characters: below it nothing is marked

_WORD = re.compile(r"\w+")
_SHORTEST_CHARACTERS = 8  # of a run of words: shorter ones stand anywhere
_UNCOUNTED = frozenset("-\u2010\u2011\u00ad")


@dataclass(frozen=True, slots=True)
class Located:
    """What of a quote was found in a text.

    Attributes:
        ranges: (start, end) of its parts in the text, in order; empty where less than half was found.
        share: share of its characters that were found, 0 to 1.
    """

    ranges: tuple[tuple[int, int], ...]
    share: float


def locate(quote: str, text: str) -> Located:
    """Finds a quote in a text, whatever its spaces and hyphens; where it is not there whole, runs of its words."""
    wanted, places = "".join(_counted(quote)[0]), _counted(text)
    at = "".join(places[0]).find(wanted) if wanted else -1
    if at < 0:
        return _in_parts(quote, text)
    return Located(((places[1][at], places[1][at + len(wanted) - 1] + 1),), 1.0)


def _counted(text: str) -> tuple[list[str], list[int]]:
    """The characters that count, and where they stand."""
    pairs = [(c, place) for place, c in enumerate(text) if not c.isspace() and c not in _UNCOUNTED]
    return [c for c, _ in pairs], [place for _, place in pairs]


def _in_parts(quote: str, text: str) -> Located:
    wanted = [match.group() for match in _WORD.finditer(quote)]
    words = list(_WORD.finditer(text))
    matcher = difflib.SequenceMatcher(None, [match.group() for match in words], wanted)
    ranges, found = [], 0
    for at, asked, size in matcher.get_matching_blocks():
        characters = sum(map(len, wanted[asked : asked + size]))
        if characters >= _SHORTEST_CHARACTERS:
            found += characters
            ranges.append((words[at].start(), words[at + size - 1].end()))
    share = found / max(1, sum(map(len, wanted)))
    return Located(tuple(ranges) if share >= ENOUGH else (), share)
