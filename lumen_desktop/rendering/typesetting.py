"""From characters to lines: which face has a glyph for each, where a line ends, and what has to be named instead.

Knows widths, no page and no file format: whoever loads the fonts gives their widths. Text is never markup here, so
nothing in it can do more than be seen.

Covered: Latin, Greek and Cyrillic with their marks (Noto Sans); arrows, mathematics, boxes and other signs, Armenian
(DejaVu Sans Mono). Any other character - Chinese, Japanese, Korean, emoji, scripts that join or run to the left,
controls, marks of direction, what has no ink - is named as ``[U+202E]`` in a colour of its own. None is left out.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

Units = float  # thousandths of the type's size


class Face(StrEnum):
    """A face that what is printed is set in; the value is its file's name."""

    REGULAR = "NotoSans-Regular"
    BOLD = "NotoSans-Bold"
    ITALIC = "NotoSans-Italic"
    MONO = "DejaVuSansMono"


class Tone(StrEnum):
    """Colours by role, as red, green and blue."""

    TEXT = "#15202B"
    MUTED = "#4D5A67"
    ACCENT = "#0B6670"
    STRANGE = "#9A3412"
    DANGER = "#B3261E"
    LINE = "#C9D1D9"
    BAND = "#E6EBEF"
    SUNKEN = "#F5F7F9"


class Style(NamedTuple):
    """How a text is set; size and leading in points."""

    face: Face
    size: float
    leading: float
    tone: Tone = Tone.TEXT


class Run(NamedTuple):
    """Characters of one face; strange ones are the name of a character that cannot be shown."""

    face: Face
    text: str
    width: Units
    strange: bool = False


class Line(NamedTuple):
    """Runs that stand side by side."""

    runs: tuple[Run, ...]
    width: Units


_TOKENS = re.compile(r" +|[^ ]+")
_TAB = 4
_MARKS = 2  # as many accents as one letter of a European language bears
_REMEMBERED_WORD = 40
_REMEMBERED = 50_000
# From Hebrew to Myanmar, and the presentation forms: to be read they need shaping or another direction.
_UNSHAPED = (range(0x0590, 0x10A0), range(0x1100, 0x1200), range(0xFB1D, 0xFE00), range(0xFE70, 0xFF00))
_NO_INK = frozenset(
    map(chr, [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164, *range(0xFE00, 0xFE10),
              0xFFA0, *range(0xE0100, 0xE01F0)])
)  # fmt: skip
_MARK = frozenset({"Mn", "Me"})
_NO_GLYPH = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class Typesetter:
    """Sets text in lines.

    Args:
        widths: for each face, the width of every character that it has, by code point.
    """

    def __init__(self, widths: Mapping[Face, Mapping[int, Units]]) -> None:
        self._widths = widths
        self._cells: dict[tuple[Face, str], Run] = {}
        self._words: dict[tuple[Face, str], Line] = {}

    def lines(self, text: str, style: Style, width: float) -> list[Line]:
        """A text broken into lines no wider than ``width`` points; an empty text is one empty line.

        Line breaks and indents stay, tabs become four spaces, marks are composed (NFC); a word wider than the line
        is cut where the line ends.
        """
        limit = width * 1000 / style.size
        text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\t", " " * _TAB)
        return [line for part in text.split("\n") for line in self._wrapped(part, style.face, limit)]

    def one_line(self, text: str, style: Style, width: float) -> Line:
        """As much of a text as one line holds; an ellipsis says that there is more."""
        limit = width * 1000 / style.size
        longest = int(limit / 100)  # hardly a glyph is narrower than a tenth of the size
        cells = list(self._cells_of(style.face, " ".join(unicodedata.normalize("NFC", text[:longest]).split())))
        if len(text) <= longest and sum(cell.width for cell in cells) <= limit:
            return _line(cells)
        ellipsis = self._cell(style.face, "…")
        kept = list(_fitting(cells, limit - ellipsis.width))
        return _line([*kept, ellipsis])

    def _wrapped(self, text: str, face: Face, limit: Units) -> Iterator[Line]:
        space = self._cell(face, " ").width
        runs: list[Run] = []
        width = gap = 0.0
        for token in _TOKENS.findall(text):
            if token[0] == " ":
                gap = min(len(token) * space, limit / 2)
                continue
            word = self._word(face, token)
            if runs and width + gap + word.width > limit:
                yield Line(_merged(runs), width)
                runs, width, gap = [], 0.0, 0.0
            if gap:
                runs.append(Run(face, " " * round(gap / space), gap))
            if gap + word.width > limit:
                *full, word = self._cut(face, token, limit - gap)
                yield from _led(full, runs)
                runs, gap = [], 0.0
            runs.extend(word.runs)
            width, gap = width + gap + word.width, 0.0
        yield Line(_merged(runs), width)

    def _cut(self, face: Face, word: str, limit: Units) -> Iterator[Line]:
        """Pieces of a word, each as long as a line holds, the last one shorter."""
        held: list[Run] = []
        width = 0.0
        for cell in itertools.chain.from_iterable(_pieces(whole, limit) for whole in self._cells_of(face, word)):
            if held and width + cell.width > limit:
                yield _line(held)
                held, width = [], 0.0
            held.append(cell)
            width += cell.width
        yield _line(held)

    def _word(self, face: Face, word: str) -> Line:
        key = (face, word)
        if (known := self._words.get(key)) is None:
            known = _line(self._cells_of(face, word))
            if len(word) <= _REMEMBERED_WORD and len(self._words) < _REMEMBERED:
                self._words[key] = known
        return known

    def _cells_of(self, face: Face, text: str) -> Iterator[Run]:
        """Each character's cell; marks piled upon one letter would hide one another and are named."""
        pile = 0
        for character in text:
            pile = pile + 1 if unicodedata.category(character) in _MARK else 0
            yield self._cell(face, character) if pile <= _MARKS else self._named(character)

    def _cell(self, face: Face, character: str) -> Run:
        key = (face, character)
        if (known := self._cells.get(key)) is None:
            known = self._cells[key] = self._set(face, character)
        return known

    def _set(self, face: Face, character: str) -> Run:
        code = ord(character)
        if _can_be_seen(character):
            kind = unicodedata.category(character)
            for able in (face, Face.MONO):
                width = self._widths[able].get(code)
                if width or (width is not None and kind in _MARK):
                    return Run(able, character, width)
            if kind == "Zs":
                return Run(face, " ", self._widths[face][ord(" ")])
        return self._named(character)

    def _named(self, character: str) -> Run:
        name = f"[U+{ord(character):04X}]"
        return Run(Face.MONO, name, sum(self._widths[Face.MONO][ord(sign)] for sign in name), strange=True)


def _can_be_seen(character: str) -> bool:
    """Whether a glyph of its own, set to the right of the one before, shows this character.

    Source: Unicode UAX 9, UTR 36 section 2.10; CVE-2021-42574 (marks of direction that hide what is written).
    """
    return (
        unicodedata.category(character) not in _NO_GLYPH
        and character not in _NO_INK
        and not any(ord(character) in block for block in _UNSHAPED)
    )


def _pieces(cell: Run, limit: Units) -> list[Run]:
    """A name of a character that is wider than its line, sign by sign."""
    if cell.width <= limit:
        return [cell]
    return [cell._replace(text=sign, width=cell.width / len(cell.text)) for sign in cell.text]


def _line(cells: Iterable[Run]) -> Line:
    runs = _merged(cells)
    return Line(runs, sum(run.width for run in runs))


def _merged(runs: Iterable[Run]) -> tuple[Run, ...]:
    """The same runs with neighbours of one face made one."""
    merged = []
    for (face, strange), group in itertools.groupby(runs, key=lambda run: (run.face, run.strange)):
        parts = list(group)
        merged.append(
            parts[0]
            if len(parts) == 1
            else Run(face, "".join(part.text for part in parts), sum(part.width for part in parts), strange)
        )
    return tuple(merged)


def _fitting(cells: Iterable[Run], limit: Units) -> Iterator[Run]:
    width = 0.0
    for cell in cells:
        width += cell.width
        if width > limit:
            return
        yield cell


def _led(lines: list[Line], lead: list[Run]) -> Iterator[Line]:
    """The lines, with what stands before the first of them."""
    for line in lines:
        yield _line([*lead, *line.runs])
        lead = []
