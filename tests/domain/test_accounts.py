"""People, lockouts and the length of a signed-in period, over given times."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from lumen_desktop.domain.accounts import (
    HARD_CAP,
    NEVER,
    Lockout,
    Moment,
    Profile,
    Role,
    SessionLimits,
    User,
    after_failure,
    forbidden_together,
    runs_out,
    waits_until,
)

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
LIMITS = SessionLimits()


def after(count: int, *, now: datetime = NOW) -> Lockout:
    lockout = Lockout()
    for _ in range(count):
        lockout = after_failure(lockout, now)
    return lockout


def person(*, identity: str, accountable: datetime | None) -> User:
    return User(1, "anna", "Anna", frozenset(), True, False, False, NOW, identity, accountable)  # noqa: FBT003


@pytest.mark.parametrize(
    ("identity", "accountable", "signs"),
    [("", None, "never"), ("passport seen", None, "never"), ("", NOW, "never"), ("passport seen", NOW, "ever")],
)
def test_nobody_signs_whose_identity_and_accountability_are_not_on_record(
    identity: str, accountable: datetime | None, signs: str
) -> None:
    assert person(identity=identity, accountable=accountable).may_ever_sign is (signs == "ever")


def test_duties_and_profiles_in_words() -> None:
    assert [role.words for role in Role] == ["clinician", "QA officer", "QA approver", "admin"]
    assert [profile.words for profile in Profile] == ["clinical", "GMP"]


def test_at_a_gmp_site_an_admin_has_no_other_duty_and_all_other_mixtures_go_together() -> None:
    mixtures = [frozenset(some) for count in range(5) for some in combinations(Role, count)]
    assert len(mixtures) == 16
    for roles in mixtures:
        assert forbidden_together(roles, Profile.CLINICAL) == ""
        mixed = "admin" in roles and roles != {"admin"}
        assert bool(forbidden_together(roles, Profile.GMP)) is mixed


# --- lockout ---


def test_five_wrong_passwords_lock_for_a_quarter_of_an_hour_and_each_further_one_twice_as_long_up_to_a_day() -> None:
    minutes = {0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 15, 6: 30, 7: 60, 8: 120, 9: 240, 10: 480, 11: 960, 12: 1440, 13: 1440}
    for count, delay in minutes.items():
        until = waits_until(after(count), NOW)
        assert until == (NOW + timedelta(minutes=delay) if delay else None), count
    assert after(99).until_utc == NOW + timedelta(days=1)
    assert after(3) == Lockout(3, None, NOW)


def test_a_delay_ends_at_its_time_and_the_next_wrong_password_goes_on_counting() -> None:
    lockout = after(5)
    almost, then = NOW + timedelta(minutes=15) - timedelta(microseconds=1), NOW + timedelta(minutes=15)
    assert waits_until(lockout, almost) == then
    assert waits_until(lockout, then) is None
    assert waits_until(after_failure(lockout, then), then) == then + timedelta(minutes=30)


def test_from_a_hundred_on_no_time_opens_an_account() -> None:
    assert HARD_CAP == 100
    years = NOW + timedelta(days=10_000)
    assert waits_until(after(99), years) is None
    assert waits_until(after(100), years) == NEVER
    assert waits_until(after(101), years) == NEVER


def test_a_clock_that_is_set_back_opens_nothing() -> None:
    lockout = after(6)
    assert waits_until(lockout, NOW - timedelta(days=365)) == lockout.until_utc
    over = Lockout(5, NOW - timedelta(minutes=1), NOW)  # as a clock leaves it that was set back in between
    assert waits_until(over, NOW - timedelta(seconds=1)) == over.until_utc
    assert waits_until(over, NOW) is None
    assert waits_until(after(4), NOW - timedelta(days=1)) is None


# --- how long a signed-in period lasts ---


def moment(wall_s: float, running_s: float) -> Moment:
    return Moment(NOW + timedelta(seconds=wall_s), running_s)


START = moment(0, 1000)


@pytest.mark.parametrize(
    ("wall_s", "running_s", "why"),
    [
        (599.9, 1599.9, ""),
        (600, 1600, "idle"),
        (600, 1001, "idle"),  # the computer slept: only the wall's clock went on
        (-3600, 1600, "idle"),  # the wall's clock was set back
        (-3600, 1599, ""),
        (43_199, 1001, "idle"),
        (43_200, 1001, "too long"),
        (0, 44_200, "too long"),
    ],
)
def test_an_idle_period_locks_by_whichever_clock_went_further(wall_s: float, running_s: float, why: str) -> None:
    assert runs_out(LIMITS, begun=START, last_used=START, now=moment(wall_s, running_s)) == why


@pytest.mark.parametrize(
    ("wall_s", "running_s", "why"),
    [(43_199, 44_199, ""), (43_200, 44_199, "too long"), (43_199, 44_200, "too long"), (0, 44_200, "too long")],
)
def test_use_does_not_lengthen_a_period_beyond_its_longest(wall_s: float, running_s: float, why: str) -> None:
    now = moment(wall_s, running_s)
    assert runs_out(LIMITS, begun=START, last_used=now, now=now) == why


def test_a_site_may_have_other_limits() -> None:
    short = SessionLimits(idle_s=300, longest_s=3600)
    assert runs_out(short, begun=START, last_used=START, now=moment(300, 1300)) == "idle"
    assert runs_out(short, begun=START, last_used=moment(3599, 4599), now=moment(3600, 4600)) == "too long"


@pytest.mark.parametrize(
    ("idle_s", "longest_s", "sound"),
    [(300, 3600, "yes"), (900, 86_400, "yes"), (299, 3600, "no"), (901, 3600, "no"), (600, 3599, "no"),
     (600, 86_401, "no")],
)  # fmt: skip
def test_limits_that_a_site_may_have(idle_s: int, longest_s: int, sound: str) -> None:
    assert SessionLimits(idle_s=idle_s, longest_s=longest_s).sound is (sound == "yes")
