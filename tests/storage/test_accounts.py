"""People in SQL: never removed, never renamed, their keys never changed, and a GMP site stays one."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from lumen_desktop.domain.accounts import Profile, Role, SessionLimits
from lumen_desktop.errors import LumenError
from lumen_desktop.storage import accounts, audit
from lumen_desktop.storage.accounts import SiteRow, UserKeyRow, UserRow
from lumen_desktop.storage.database import Database
from tests.conftest import Clock
from tests.storage.conftest import TESTER

CLINICIAN = frozenset({Role.CLINICIAN})
NOW = Clock()()


@pytest.fixture
def peopled(database: Database) -> Database:
    """A database with a site and two people."""
    with database.transaction(TESTER, "make") as transaction:
        transaction.add(SiteRow(name="St Luke's", profile="gmp", made_utc=NOW))
        for name in ("Björn", "anna"):
            row = transaction.add(accounts.new_user(name, f"{name} Name", CLINICIAN, now=NOW))
            transaction.add(UserKeyRow(user_id=row.id or 0, public_key=f"{row.id}" * 64, since_utc=NOW))
    return database


def run(database: Database, statement: str) -> None:
    with database.transaction(TESTER, "try") as transaction:
        transaction.session.execute(text(statement))


def count(database: Database, table: str) -> int:
    with database.reading() as session:
        return int(session.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one())


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM user",
        "DELETE FROM user WHERE id = 1",
        "UPDATE user SET name = 'other' WHERE id = 1",
        "UPDATE user SET folded = 'other' WHERE id = 1",
        "UPDATE user SET id = 9 WHERE id = 1",
        "REPLACE INTO user SELECT * FROM user WHERE id = 1",
        (
            "INSERT OR REPLACE INTO user (id, name, folded, printed_name, roles, active, must_choose_password, salt,"
            " created_utc) VALUES (9, 'anna', 'anna', 'A', '', 1, 0, '', '2026-01-01')"
        ),
        "DELETE FROM user_key",
        "UPDATE user_key SET public_key = lower(hex(randomblob(32)))",
        "UPDATE user_key SET user_id = 2",
        "REPLACE INTO user_key SELECT * FROM user_key",
        "DELETE FROM site",
        "UPDATE site SET profile = 'clinical'",
        "UPDATE site SET id = 1, profile = 'clinical'",
        (
            "REPLACE INTO site (id, name, profile, idle_s, longest_s, made_utc)"
            " VALUES (1, 'x', 'clinical', 600, 7200, '2026-01-01')"
        ),
        (
            "INSERT INTO site (id, name, profile, idle_s, longest_s, made_utc)"
            " VALUES (2, 'x', 'clinical', 600, 7200, '2026-01-01')"
        ),
        "UPDATE site SET profile = 'none'",
        "UPDATE site SET idle_s = 901",
        "UPDATE site SET idle_s = 299",
        "UPDATE site SET longest_s = 86401",
        "UPDATE user SET active = 2",
        "UPDATE user SET printed_name = ''",
        (
            "INSERT INTO user (name, folded, printed_name, roles, active, must_choose_password, salt, created_utc)"
            " VALUES ('ANNA', 'anna', 'A', '', 1, 0, '', '2026-01-01')"
        ),
        "UPDATE conversation SET owner_id = 99",
    ],
)
def test_the_database_refuses(peopled: Database, statement: str) -> None:
    with peopled.transaction(TESTER, "ask") as transaction:
        transaction.session.execute(
            text("INSERT INTO conversation (title, salt, created_utc, pinned) VALUES ('t', 's', '2026-01-01', 0)")
        )
    with pytest.raises(LumenError) as caught:
        run(peopled, statement)
    assert caught.value.code == "STO-012"
    assert (count(peopled, "user"), count(peopled, "user_key"), count(peopled, "site")) == (2, 2, 1)


@pytest.mark.parametrize("guard", accounts.GUARDS)
def test_a_guard_that_is_lost_is_named(peopled: Database, guard: str) -> None:
    run(peopled, f"DROP TRIGGER {guard}")
    with peopled.reading() as session:
        assert audit.missing_guards(session, accounts.GUARDS) == [guard]
    with pytest.raises(LumenError) as caught:
        peopled._check(writable=True)
    assert caught.value.code == "STO-011"
    assert guard in caught.value.message


def test_a_clinical_site_may_become_gmp(database: Database) -> None:
    with database.transaction(TESTER, "make") as transaction:
        row = transaction.add(SiteRow(name="St Luke's", profile="clinical", made_utc=NOW))
        assert accounts.profile(transaction.session) is Profile.CLINICAL
        transaction.change(row, profile="gmp")
    with database.reading() as session:
        assert accounts.profile(session) is Profile.GMP


def test_a_site_without_people_is_clinical_and_has_no_row(database: Database) -> None:
    with database.reading() as session:
        assert accounts.site(session) is None
        assert accounts.profile(session) is Profile.CLINICAL
        assert accounts.people(session) == []


def test_a_person_is_found_whatever_the_case_and_read_as_the_domain_knows_them(peopled: Database) -> None:
    with peopled.reading() as session:
        row = accounts.by_name(session, "BJO\u0308RN")
        assert row is not None
        assert row == accounts.by_id(session, 1)
        user = accounts.user(row)
        assert [it.name for it in accounts.people(session)] == ["anna", "Björn"]
        assert [accounts.by_name(session, name) for name in ("bjorn", "", "\udcff", "a\0")] == [None] * 4
        assert accounts.by_id(session, 99) is None
        site = accounts.site(session)
    assert (user.id, user.name, user.printed_name, user.roles) == (1, "Björn", "Björn Name", CLINICIAN)
    assert (user.active, user.must_choose_password, user.second_factor) == (True, False, False)
    assert (user.created_utc, user.identity_checked, user.accountable_utc) == (NOW, "", None)
    assert site is not None
    assert site.limits == SessionLimits(600, 43_200)


def test_the_newest_key_is_a_persons_own(peopled: Database) -> None:
    with peopled.transaction(TESTER, "again") as transaction:
        transaction.add(UserKeyRow(user_id=1, public_key="ab" * 32, since_utc=NOW + timedelta(days=1)))
    with peopled.reading() as session:
        assert accounts.public_key(session, 1, at=NOW + timedelta(days=1)) == "ab" * 32
        assert accounts.public_key(session, 1, at=NOW + timedelta(hours=23)) not in {"", "ab" * 32}
        assert accounts.public_key(session, 1, at=NOW - timedelta(days=1)) == ""
        assert accounts.public_key(session, 2, at=NOW + timedelta(days=1)) == "2" * 64


@pytest.mark.parametrize("roles", [frozenset(), frozenset({Role.ADMIN}), frozenset(Role)])
def test_duties_read_back_as_they_were_stored(roles: frozenset[Role]) -> None:
    assert accounts.parted(accounts.joined(roles)) == roles


def test_the_trail_keeps_no_secret_of_a_second_factor(peopled: Database) -> None:
    with peopled.transaction(TESTER, "change the second factor") as transaction:
        row = transaction.session.get_one(UserRow, 1)
        transaction.change(row, totp_secret="JBSWY3DPEHPK3PXP")
    with peopled.reading() as session:
        (event,) = audit.events(session, newest=1)
    assert event["after"]["totp_secret"].startswith("salted-sha256:")
    assert "JBSWY3" not in str(event)
    assert row.salt not in str(event)


def test_when_an_act_last_happened_is_known_for_each_and_damage_is_passed_over(peopled: Database) -> None:
    clock = peopled.clock
    assert isinstance(clock, Clock)
    for user in (1, 2, 1):
        clock.tick()
        with peopled.transaction(TESTER, "sign in") as transaction:
            transaction.note("signed in", "user", user)
    run(peopled, "DROP TRIGGER audit_event_is_never_changed")
    run(peopled, "UPDATE audit_event SET body = x'00' WHERE seq = 1")
    with peopled.reading() as session:
        last = audit.last_times(session, "signed in")
        assert audit.last_times(session, "flown") == {}
    assert last == {"1": clock(), "2": clock() - timedelta(seconds=1)}
