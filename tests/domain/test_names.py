"""A name that is shown is one line of visible characters in their stored order."""

import sys
import unicodedata

import pytest

from lumen_desktop.domain.names import shown, shown_lines

TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
NOTHING = "\u200b\u2060\ufeff\u00ad\u034f\u3164\u2800\ufe0f\U000e0041\U000e0100"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dose\u202efdp.exe", "dosefdp.exe"),
        ("\u2066label\u2069 \u2067\u202ecod.exe", "label cod.exe"),
        ("Metf\u200bormin", "Metformin"),
        ("pay\u200dpal", "paypal"),
        ("a\u200c", "a"),
        ("\u200da", "a"),
        ("line one\nline two\r\nthree\tfour", "line one line two three four"),
        ("one\u2028two\u2029three\x85four", "one two three four"),
        ("\x1b[2J\x1b]0;title\x07red", "[2J ]0;title red"),
        ("\x9b31mred", "31mred"),
        ("caf\udce9", "caf\ufffd"),
        ("\ue000 and \u0378 and \U0010ffff", "\ufffd and \ufffd and \ufffd"),
        ("cafe\u0301", "caf\u00e9"),
        ("  \u00a0 dose \u3000 card  ", "dose card"),
        ("\u200b\u202e", ""),
        ("", ""),
    ],
)
def test_what_deceives_is_not_shown(name: str, expected: str) -> None:
    assert shown(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "Label µg – 5 mg (2024).pdf",
        "Ibuprofène ß Œ.docx",
        "мелоксикам.pdf",
        "用药指南.pdf",
        "תרופה.pdf",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.pdf",
        "\u0915\u094d\u200d\u0937",
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
        "💊 dose.pdf",
    ],
)
def test_honest_names_stay(name: str) -> None:
    assert shown(name) == name


@pytest.mark.no_cover
def test_no_character_turns_hides_or_breaks_a_name() -> None:
    """Every character of the planes where scripts, marks and unseen characters lie, between two letters."""
    for character in map(chr, [*range(0x20000), *range(0xE0000, 0xF0100), sys.maxunicode]):
        found = shown(f"a{character}b")
        assert not {unicodedata.category(one) for one in found} & {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
        assert found == shown(found)


@pytest.mark.parametrize("character", TURNS + NOTHING, ids=lambda character: f"U+{ord(character):04X}")
def test_turning_and_empty_characters_leave_no_trace(character: str) -> None:
    assert shown(f"a{character}b") == "ab"
    assert shown(f"{character}5 mg{character}") == "5 mg"


def test_lines_keep_their_breaks_and_indents() -> None:
    text = "“Give 5 mg.” [1]\n    — label\u202e, \x1b[31mpage 2\x9b0m\n\n  \tend\r\n"
    assert shown_lines(text) == "“Give 5 mg.” [1]\n    — label,  [31mpage 2 0m\n\n   end \n"
