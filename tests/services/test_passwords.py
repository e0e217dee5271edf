"""Long passwords that nobody guesses first are taken, of whatever characters; all others are refused with a reason."""

import time

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.services import passwords
from tests.conftest import PASSWORD
from tests.services.people import code_of

ABOUT = ["anna.meier", "Anna Meier", "St Luke's Hospital Pharmacy"]


@pytest.mark.parametrize(
    "good",
    [
        PASSWORD,
        "seven green dogs walk home",
        "ünter der Brücke schläft ein Wal",
        "кошка на крыше ест виноград",
        "猫は屋根の上でぶどうを食べる黒い夜",
        "bytes of a script \udce9\udcff",
        "x7$Kq" + "z9!Lp2#vR8@w",
        "a line\nand another one, with\ttabs",
        "o" * 7 + PASSWORD * 30,
    ],
    ids=lambda it: ascii(it)[:30],
)
def test_a_long_password_of_any_characters_is_taken(good: str) -> None:
    passwords.check(good, ABOUT)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("", "ACC-010"),
        ("fourteen chars", "ACC-010"),
        ("\ufb01" * 7, "ACC-010"),  # ligatures: 14 letters, as they are stretched
        ("x" * 1001, "ACC-011"),
        ("aaaaaaaaaaaaaaa", "ACC-012"),
        ("passwordpassword", "ACC-012"),
        (
            "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44",
            "ACC-012",
        ),  # the same, from a full-width keyboard
        ("qwertyuiopasdfgh", "ACC-012"),
        ("123456789012345", "ACC-012"),
        ("abcdefghijklmnop", "ACC-012"),
        ("anna.meier2026!", "ACC-012"),
        ("MeierAnnaMeierAnna", "ACC-012"),
        ("lumenlumenlumen", "ACC-012"),
        ("hospitalpharmacy", "ACC-012"),
        ("P@ssw0rdP@ssw0rd", "ACC-012"),
    ],
    ids=lambda it: ascii(it)[:30],
)
def test_a_short_a_common_and_a_personal_one_are_refused(bad: str, code: str) -> None:
    assert code_of(lambda: passwords.check(bad, ABOUT)) == code


def test_no_refusal_repeats_the_password() -> None:
    for bad in ("fourteen chars", "passwordpassword"):
        with pytest.raises(InputError) as caught:
            passwords.check(bad, ABOUT)
        assert bad not in caught.value.message + caught.value.hint


def test_a_hostile_password_is_weighed_in_a_moment() -> None:
    began = time.process_time()
    for text in ("p4ssw0rd" * 125, "1" * 1000, "äöü" * 300, "(@$3" * 200):
        code_of(lambda: passwords.check(text, ABOUT * 20))  # noqa: B023
    assert time.process_time() - began < 10


def test_a_password_to_be_handed_over_is_one_that_is_taken() -> None:
    given = {passwords.given() for _ in range(20)}
    assert len(given) == 20
    for password in given:
        passwords.check(password, ABOUT)
