"""What can be printed: times and digests are what they claim to be."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from lumen_desktop.rendering.pages import AnchorShown, Column, Moment, Table
from tests.rendering.printed import NOON, envelope

LATE = datetime(2026, 12, 31, 23, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("offset", "zone", "local"),
    [
        (0, "+00:00", "2026-12-31 23:30:05 +00:00"),
        (60, "+01:00", "2027-01-01 00:30:05 +01:00"),
        (-210, "-03:30", "2026-12-31 20:00:05 -03:30"),
        (345, "+05:45", "2027-01-01 05:15:05 +05:45"),
    ],
)
def test_a_moment_is_shown_in_utc_and_on_the_local_clock(offset: int, zone: str, local: str) -> None:
    moment = Moment(LATE, offset)
    assert (moment.zone, moment.local, moment.in_utc) == (zone, local, "2026-12-31 23:30:05 UTC")


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=1))])
def test_a_moment_is_given_in_utc(zone: timezone | None) -> None:
    with pytest.raises(ValueError, match="UTC"):
        Moment(LATE.replace(tzinfo=zone))


@pytest.mark.parametrize("wrong", ["", "ab", "A" * 64, "g" * 64, "0" * 65, "0" * 64 + "\n"])
def test_a_digest_is_64_hexadecimal_digits(wrong: str) -> None:
    with pytest.raises(ValueError, match="64"):
        AnchorShown(1, wrong, Moment(NOON), "file")


def test_a_row_has_a_text_for_each_column() -> None:
    with pytest.raises(ValueError, match="columns"):
        Table((Column("A"), Column("B")), (("1",),))


@pytest.mark.parametrize("count", [0, 13])
def test_a_table_has_columns_that_a_page_can_hold(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 12"):
        Table((Column("A"),) * count, ())


def test_an_envelope_says_english_where_nothing_else_is_said() -> None:
    assert envelope().language == "en-GB"
