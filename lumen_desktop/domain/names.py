"""Names as they may be shown: no character of a name may hide another, turn it around or leave its line.

A file's name or a document's title comes from strangers: with an override before ``fdp.exe`` it looks like a PDF, and
an escape steers a terminal. Knows no list and no widget; whoever shows a name calls it. What is stored and opened stays
as it is.
"""

import unicodedata

_REPLACED = frozenset({"Cn", "Co", "Cs"})  # not assigned, private use, half a pair: nobody knows what is seen
_BROKEN = frozenset({"Cc", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"
# Drawn as nothing though Unicode calls them letters, marks or symbols; selectors of variants among them.
_BLANK = frozenset(
    map(chr, [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164,
              *range(0xFE00, 0xFE10), 0xFFA0, *range(0xE0100, 0xE01F0)])
)  # fmt: skip
_VIRAMA = 9  # its class among combining marks


def shown(name: str) -> str:
    """A name as one line of characters that can be seen, in the order in which they are stored.

    Characters that turn the direction or show nothing are left out, controls and breaks become a space, what has no
    assigned meaning becomes U+FFFD; then it is composed (NFC) and its spaces are collapsed. A joiner stays only after
    a virama or between Arabic letters, where it changes what is seen (Persian, Indic scripts). May be empty.

    Source: Unicode TR36 section 2.10, UAX 9, UAX 31 section 2.3 (joiners), CVE-2021-42574.
    """
    return " ".join(unicodedata.normalize("NFC", shown_lines(name)).split())


def shown_lines(text: str) -> str:
    """A text of lines under the same rule: line breaks and indents stay, and no letter is composed."""
    return "\n".join(map(_shown_line, text.split("\n")))


def _shown_line(line: str) -> str:
    if line.isprintable() and _BLANK.isdisjoint(line):
        return line  # nearly all, and lists hold thousands
    return "".join(_seen(line, place) for place in range(len(line)))


def _seen(name: str, place: int) -> str:
    character = name[place]
    kind = unicodedata.category(character)
    if character in _JOINERS:
        return character if _joins(name[place - 1 : place], name[place + 1 : place + 2]) else ""
    if kind == "Cf" or character in _BLANK:
        return ""
    if kind in _BROKEN:
        return " "
    return "\ufffd" if kind in _REPLACED else character


def _joins(before: str, after: str) -> bool:
    """Whether a joiner between two characters changes how letters are drawn."""
    if not before or not after or not unicodedata.category(after).startswith("L"):
        return False
    both_arabic = unicodedata.bidirectional(before) == unicodedata.bidirectional(after) == "AL"
    return both_arabic or unicodedata.combining(before) == _VIRAMA
