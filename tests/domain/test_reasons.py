"""Reasons that tell something, and those that do not."""

import pytest

from lumen_desktop.domain.reasons import LONGEST, checked
from lumen_desktop.errors import InputError


@pytest.mark.parametrize("reason", ["", " ", "\n\t", "\u00a0"])
def test_none_is_refused(reason: str) -> None:
    with pytest.raises(InputError) as caught:
        checked(reason)
    assert caught.value.code == "AUD-010"


@pytest.mark.parametrize(
    "reason",
    "update|Updated.|n/a|N/A|test|-|...|xxx|XXXXXXXXXX|ok|as needed|see above|done!|correction|12|aaaaaaa|(none)".split(
        "|"
    ),
)
def test_words_that_say_nothing_are_refused(reason: str) -> None:
    with pytest.raises(InputError) as caught:
        checked(reason)
    assert caught.value.code == "AUD-011"


def test_a_novel_is_refused() -> None:
    assert len(checked("a reason " * 55)) == 494
    with pytest.raises(InputError) as caught:
        checked("a reason " * (LONGEST // 9 + 2))
    assert caught.value.code == "AUD-012"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("The battery of the mainboard was replaced.", "The battery of the mainboard was replaced."),
        ("  update  of the\nlimit to 10 ppm ", "update of the limit to 10 ppm"),
        ("DST e\u0301t\u00e9", "DST \u00e9t\u00e9"),
    ],
)
def test_a_reason_is_kept_trimmed(given: str, kept: str) -> None:
    assert checked(given) == kept
