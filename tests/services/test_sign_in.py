"""Signing in: wrong passwords are counted and told, one-time codes are taken once, and no name is written down."""

import subprocess
import sys
from pathlib import Path

import pyotp
import pytest

from lumen_desktop.domain.accounts import NEVER, Lockout
from lumen_desktop.errors import AccessError, StorageError
from lumen_desktop.services import sign_in
from lumen_desktop.services.sign_in import Credentials
from lumen_desktop.storage.attempts import Attempts
from lumen_desktop.storage.keys import KeyFile
from tests.conftest import HOLDER, PASSWORD, ROOT, Clock, found_site, lumen_environment
from tests.rehearsal import RehearsalSite
from tests.services.people import ROLES, add, code_of, events, later, signed_in, who

WRONG = Credentials("holder", "not the password of anybody")


@pytest.fixture
def folder(tmp_path: Path, rehearsed: type[RehearsalSite], clock: Clock) -> Path:
    """A site of one person."""
    found_site(tmp_path / "site")
    return tmp_path / "site"


def enter(folder: Path, person: Credentials = HOLDER) -> None:
    with signed_in(folder, person):
        pass


def refused(folder: Path, person: Credentials = WRONG) -> str:
    return code_of(lambda: enter(folder, person))


def label(folder: Path, name: str) -> str:
    return KeyFile.read(folder / "site.key").label(name)


def test_a_sign_in_and_a_sign_out_are_events(folder: Path, clock: Clock) -> None:
    enter(folder)
    clock.tick()
    acts = [(event["act"], event["actor"], event["role"]) for event in events(folder)]
    both = ("holder", "admin,clinician")
    assert acts[-3:] == [("signed in", *both), ("signed out", *both), ("signed in", *both)]
    assert repr(Credentials("holder", PASSWORD, "123456")) == "Credentials(user='holder')"


def test_who_finds_the_site_in_use_is_told_to_the_trail_and_counted_as_no_wrong_password(folder: Path) -> None:
    with signed_in(folder):
        assert [refused(folder, HOLDER) for _ in range(7)] == ["STO-004"] * 7
        assert refused(folder, Credentials("my password", "")) == "STO-004"
    told = events(folder, "sign-in refused")
    assert [event["after"]["code"] for event in told] == ["STO-004"] * 8
    assert {event["entity_id"] for event in told} == {"holder", "an unknown name"}
    assert Attempts(folder).lockout(label(folder, "holder")) == Lockout()


def test_the_fifth_wrong_password_locks_until_its_time_even_for_the_right_one(folder: Path, clock: Clock) -> None:
    assert [refused(folder) for _ in range(5)] == ["KEY-001"] * 4 + ["ACC-020"]
    assert refused(folder, HOLDER) == "ACC-020"
    clock.tick(15 * 60 - 1)
    assert refused(folder, Credentials("HOLDER", PASSWORD)) == "ACC-020"
    clock.tick(-86_400)  # set back
    assert refused(folder, HOLDER) == "ACC-020"
    clock.tick(86_401)
    assert refused(folder) == "ACC-020"  # the sixth locks twice as long
    clock.tick(30 * 60 - 1)
    assert refused(folder, HOLDER) == "ACC-020"
    clock.tick(1)
    enter(folder)
    assert Attempts(folder).locked() == {}
    assert [refused(folder) for _ in range(4)] == ["KEY-001"] * 4
    enter(folder)


def test_tries_while_locked_lengthen_nothing(folder: Path, clock: Clock) -> None:
    for _ in range(30):
        refused(folder)
    assert Attempts(folder).lockout(label(folder, "holder")).failures == 5
    clock.tick(15 * 60)
    enter(folder)


def test_after_a_hundred_only_an_admin_helps(folder: Path, clock: Clock) -> None:
    for _ in range(110):
        refused(folder)
        clock.tick(86_400)
    clock.tick(10_000 * 86_400)
    with pytest.raises(AccessError) as caught:
        enter(folder)
    assert (caught.value.code, "unlocks" in caught.value.hint) == ("ACC-020", True)
    assert Attempts(folder).lockout(label(folder, "holder")).failures == 100
    assert str(NEVER.year) not in caught.value.message


def test_each_account_is_locked_for_itself(folder: Path) -> None:
    add(folder, "anna", ROLES["clinician"])
    for _ in range(5):
        refused(folder)
    enter(folder, who("anna"))
    assert refused(folder, HOLDER) == "ACC-020"


def test_refused_sign_ins_are_told_to_the_trail_at_the_next_one(folder: Path, clock: Clock) -> None:
    times = []
    for person in (WRONG, Credentials("mallory", "whatever this stranger tries")):
        times.append(clock().isoformat())
        refused(folder, person)
        clock.tick(60)
    told = events(folder, "sign-in refused")
    assert [(event["actor"], event["entity_id"]) for event in told] == [
        ("Lumen", "holder"), ("Lumen", "an unknown name")]  # fmt: skip
    assert [event["after"] for event in told] == [{"time_utc": time, "code": "KEY-001"} for time in times]
    assert len(events(folder, "sign-in refused")) == 2
    with signed_in(folder) as site:
        found = site.people.refused_sign_ins(clock().replace(hour=0))
    assert [it.code for it in found] == ["KEY-001", "KEY-001"]


def test_an_unknown_name_is_locked_like_a_known_one_and_written_nowhere(folder: Path) -> None:
    secret = "My-password-typed-as-a-name"
    stranger = Credentials(secret, "and whatever followed it")
    assert [refused(folder, stranger) for _ in range(5)] == ["KEY-001"] * 4 + ["ACC-020"]
    enter(folder)
    written = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    for word in (secret, secret.casefold(), label(folder, secret), label(folder, secret)[:8], "mallory"):
        assert word.encode() not in written
    assert secret not in str(events(folder))


def test_two_processes_that_try_at_once_count_together(folder: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from lumen_desktop import app
from lumen_desktop.errors import AccessError
from lumen_desktop.services.sign_in import Credentials
from lumen_desktop.storage import keys
keys._MEMORY_KIB, keys._PASSES = 64, 1
for _ in range(2):
    try:
        place = app.find_site(Path({str(folder)!r}))
        with app.opened(place, Credentials("holder", "wrong"), purpose="t", writable=False):
            pass
    except AccessError:
        pass
"""
    children = [subprocess.Popen([sys.executable, "-c", code], env=lumen_environment(), cwd=ROOT) for _ in range(2)]
    assert [child.wait(timeout=60) for child in children] == [0, 0]
    assert Attempts(folder).lockout(label(folder, "holder")).failures == 4


def test_who_was_deactivated_gets_in_by_no_old_copy_of_the_key_file(folder: Path) -> None:
    add(folder, "anna", ROLES["clinician"])
    old = (folder / "site.key").read_bytes()
    with signed_in(folder) as site:
        site.people.deactivate("anna", "left the company in May")
    assert refused(folder, who("anna")) == "KEY-001"
    now = (folder / "site.key").read_bytes()
    (folder / "site.key").write_bytes(old)
    assert refused(folder, who("anna")) == "ACC-005"
    (folder / "site.key").write_bytes(now)
    assert [event["after"]["code"] for event in events(folder, "sign-in refused")] == ["KEY-001", "ACC-005"]


def test_attempts_that_another_holds_are_no_free_tries(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(*_: object) -> Lockout:
        raise StorageError("Another program is signing in at this site.", code="STO-004", hint="")

    monkeypatch.setattr(Attempts, "failed", held)
    assert refused(folder) == "STO-004"


def test_a_disk_that_cannot_be_written_counts_nothing_and_opens_for_nobody_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Lockout:
        raise StorageError("The disk is full.", code="STO-003", hint="")

    for name in ("failed", "clear", "tell"):
        monkeypatch.setattr(Attempts, name, full)
    assert [refused(folder) for _ in range(7)] == ["KEY-001"] * 7
    enter(folder)
    assert events(folder, "signed in")


def test_a_sign_in_that_the_trail_cannot_take_for_damage_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(folder)

    def damaged(*_: object, **__: object) -> None:
        raise StorageError("The database is damaged.", code="STO-010", hint="")

    with monkeypatch.context() as patch:
        patch.setattr("lumen_desktop.storage.database.Transaction.note", damaged)
        assert refused(folder, HOLDER) == "STO-010"
    assert len(events(folder, "sign-in refused")) == 1


# --- a second factor ---


@pytest.fixture
def secret(folder: Path, clock: Clock) -> str:
    """The holder's second factor, begun at the clock's time."""
    made = sign_in.new_second_factor()
    with signed_in(folder) as site:
        assert code_of(lambda: site.people.use_second_factor(made, "000000x")) == "ACC-022"
        site.people.use_second_factor(made, pyotp.TOTP(made).at(clock()))
    clock.tick(90)
    return made


def with_code(code: str) -> Credentials:
    return Credentials(HOLDER.user, PASSWORD, code)


def test_a_second_factor_asks_for_its_code_and_takes_each_once(folder: Path, secret: str, clock: Clock) -> None:
    totp = pyotp.TOTP(secret)
    assert refused(folder, HOLDER) == "ACC-021"
    code = totp.at(clock())
    enter(folder, with_code(f" {code} "))
    assert refused(folder, with_code(code)) == "ACC-022"
    clock.tick(30)
    enter(folder, with_code(totp.at(clock())))
    assert refused(folder, with_code(code)) == "ACC-022"


@pytest.mark.parametrize(("steps", "taken"), [(-2, "no"), (-1, "yes"), (0, "yes"), (1, "yes"), (2, "no")])
def test_a_clock_that_is_half_a_minute_off_is_forgiven(
    folder: Path, secret: str, clock: Clock, steps: int, taken: str
) -> None:
    person = with_code(pyotp.TOTP(secret).at(clock() + later(30 * steps)))
    if taken == "yes":
        enter(folder, person)
    else:
        assert refused(folder, person) == "ACC-022"


@pytest.mark.parametrize("code", ["12345", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "\udcff", "0" * 1000])
def test_what_is_no_code_is_refused(folder: Path, secret: str, code: str) -> None:
    assert refused(folder, with_code(code)) == "ACC-022"


def test_codes_are_not_guessed(folder: Path, secret: str, clock: Clock) -> None:
    right = pyotp.TOTP(secret).at(clock())
    wrong = [str(number).zfill(6) for number in range(6)]
    assert [refused(folder, with_code(code)) for code in wrong] == ["ACC-022"] * 5 + ["ACC-020"]
    assert refused(folder, with_code(right)) == "ACC-020"


def test_two_that_bring_the_same_code_at_once_do_not_both_get_in(folder: Path, secret: str, clock: Clock) -> None:
    with signed_in(folder, with_code(pyotp.TOTP(secret).at(clock()))) as site, site._database.reading() as session:
        from lumen_desktop.storage import accounts  # noqa: PLC0415

        row = accounts.by_name(session, HOLDER.user)
        assert row is not None
        row.totp_step -= 5  # as the other read it before
        step = sign_in.step_of(secret, pyotp.TOTP(secret).at(clock()), clock())
        assert step is not None
        assert not sign_in._taken(site._database, row, step)
        assert sign_in._taken(site._database, row, step + 1)


def test_after_the_longest_period_the_password_alone_brings_nobody_back_who_has_a_second_factor(
    folder: Path, secret: str, clock: Clock
) -> None:
    clock.tick(60)
    person = Credentials("holder", PASSWORD, pyotp.TOTP(secret).at(clock()))
    with signed_in(folder, person) as site:
        site.person.lock()
        site.people.come_back(PASSWORD)
        for _ in range(13 * 60):
            clock.tick(60)
            site.person.used()
        assert site.person.over() == "too long"
        assert code_of(lambda: site.people.come_back(PASSWORD)) == "ACC-025"
        assert site.person.over() == "too long"


def test_a_second_factor_ends_by_the_password(folder: Path, secret: str, clock: Clock) -> None:
    with signed_in(folder, with_code(pyotp.TOTP(secret).at(clock()))) as site:
        assert code_of(lambda: site.people.drop_second_factor("wrong")) == "KEY-001"
        site.people.drop_second_factor(PASSWORD)
    enter(folder)
    assert secret not in str(events(folder))
    assert sign_in.second_factor_uri(secret, user="holder", site="St Luke's").startswith("otpauth://totp/")
