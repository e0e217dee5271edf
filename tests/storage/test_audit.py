"""The trail shows every change that a hash chain can show; what it cannot show is stated here too."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlcipher3.dbapi2

from lumen_desktop.domain.audit import Verdict, genesis, link
from lumen_desktop.errors import IntegrityError
from lumen_desktop.storage import audit
from lumen_desktop.storage.chat import ConversationRow
from lumen_desktop.storage.database import Database
from tests.conftest import Clock
from tests.storage.conftest import KEY, SITE, TESTER, opened

EVENTS = 40
Raw = Any
Tamper = Callable[[Raw, int], None]


@pytest.fixture
def long_trail(path: Path) -> Path:
    clock = Clock()
    database = opened(path, clock=clock)
    for number in range(EVENTS):
        clock.tick()
        with database.transaction(TESTER, f"reason {number}") as transaction:
            transaction.add(ConversationRow(title=f"question {number}", created_utc=clock()))
    database.close()
    return path


def around_the_guards(path: Path, tamper: Tamper, seq: int) -> None:
    """What someone with the key and a tool of their own can do: drop the guards, write, make them again."""
    raw = sqlcipher3.dbapi2.connect(str(path), isolation_level=None)
    raw.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    for guard in audit.GUARDS:
        raw.execute(f"DROP TRIGGER {guard}")
    tamper(raw, seq)
    for statement in audit.GUARDS.values():
        raw.execute(statement)
    raw.close()


def verdict(path: Path) -> Verdict:
    database = opened(path, writable=False)
    try:
        with database.reading() as session:
            return audit.verify(session, SITE)
    finally:
        database.close()


def event(raw: Raw, seq: int) -> tuple[bytes, bytes, bytes]:
    row: tuple[bytes, bytes, bytes] = raw.execute(
        "SELECT body, previous, hash FROM audit_event WHERE seq = ?", (seq,)
    ).fetchone()
    return row


def other_words(body: bytes) -> bytes:
    return body.replace(b"reason", b"REASON")


def edit(raw: Raw, seq: int) -> None:
    raw.execute("UPDATE audit_event SET body = ? WHERE seq = ?", (other_words(event(raw, seq)[0]), seq))


def edit_with_own_hash(raw: Raw, seq: int) -> None:
    body, previous, _ = event(raw, seq)
    changed = other_words(body)
    raw.execute("UPDATE audit_event SET body = ?, hash = ? WHERE seq = ?", (changed, link(previous, changed), seq))


def change_previous(raw: Raw, seq: int) -> None:
    raw.execute("UPDATE audit_event SET previous = ? WHERE seq = ?", (bytes(32), seq))


def change_hash(raw: Raw, seq: int) -> None:
    raw.execute("UPDATE audit_event SET hash = ? WHERE seq = ?", (bytes(32), seq))


def delete(raw: Raw, seq: int) -> None:
    raw.execute("DELETE FROM audit_event WHERE seq = ?", (seq,))


def delete_and_renumber(raw: Raw, seq: int) -> None:
    delete(raw, seq)
    for later in range(seq + 1, EVENTS + 1):
        raw.execute("UPDATE audit_event SET seq = ? WHERE seq = ?", (later - 1, later))


def swap(raw: Raw, seq: int) -> None:
    raw.execute("UPDATE audit_event SET seq = -1 WHERE seq = ?", (seq,))
    raw.execute("UPDATE audit_event SET seq = ? WHERE seq = ?", (seq, seq + 1))
    raw.execute("UPDATE audit_event SET seq = ? WHERE seq = -1", (seq + 1,))


def swap_bodies(raw: Raw, seq: int) -> None:
    one, other = event(raw, seq)[0], event(raw, seq + 1)[0]
    raw.execute("UPDATE audit_event SET body = ? WHERE seq = ?", (other, seq))
    raw.execute("UPDATE audit_event SET body = ? WHERE seq = ?", (one, seq + 1))


def insert(raw: Raw, seq: int) -> None:
    for later in range(EVENTS, seq - 1, -1):
        raw.execute("UPDATE audit_event SET seq = ? WHERE seq = ?", (later + 1, later))
    previous = event(raw, seq - 1)[2]
    body = b'{"seq":1}'
    raw.execute("INSERT INTO audit_event VALUES (?, ?, ?, ?)", (seq, body, previous, link(previous, body)))


def copy(raw: Raw, seq: int) -> None:
    body, previous, _ = event(raw, seq)
    raw.execute("INSERT INTO audit_event VALUES (?, ?, ?, ?)", (EVENTS + 1, body, previous, bytes(32)))


def behead(raw: Raw, seq: int) -> None:
    raw.execute("DELETE FROM audit_event WHERE seq < ?", (seq,))


def chain_of_another_site(raw: Raw, seq: int) -> None:
    rechain(raw, 1, genesis("another site"))


def rechain(raw: Raw, first: int, previous: bytes) -> None:
    """Writes all hashes anew from one event on, as if the changed trail were the true one."""
    for seq in range(first, raw.execute("SELECT max(seq) FROM audit_event").fetchone()[0] + 1):
        body = event(raw, seq)[0]
        raw.execute(
            "UPDATE audit_event SET previous = ?, hash = ? WHERE seq = ?", (previous, link(previous, body), seq)
        )
        previous = link(previous, body)


# how, and the first event that verification must name, counted from the one touched
DETECTED = [
    (edit, 0), (edit_with_own_hash, 1), (change_previous, 0), (change_hash, 0), (delete, 1),
    (delete_and_renumber, 0), (swap, 0), (swap_bodies, 0), (insert, 1),
]  # fmt: skip


@pytest.mark.parametrize(("tamper", "later"), DETECTED, ids=[tamper.__name__ for tamper, _ in DETECTED])
def test_a_change_is_found_and_named(long_trail: Path, tamper: Tamper, later: int) -> None:
    whole = long_trail.read_bytes()
    for seq in random.Random(tamper.__name__).sample(range(2, EVENTS - 1), 6):
        long_trail.write_bytes(whole)
        around_the_guards(long_trail, tamper, seq)
        found = verdict(long_trail)
        assert found.first_bad == seq + later
        assert found.reason.endswith(".")


@pytest.mark.parametrize("tamper", [edit, edit_with_own_hash, change_hash, swap, delete, behead])
def test_the_first_event_is_as_safe_as_the_others(long_trail: Path, tamper: Tamper) -> None:
    around_the_guards(long_trail, tamper, 1 if tamper is not behead else 5)
    assert verdict(long_trail).first_bad in {1, 2, 5}


def test_a_copied_event_and_a_foreign_chain_are_found(long_trail: Path) -> None:
    whole = long_trail.read_bytes()
    around_the_guards(long_trail, copy, 7)
    assert verdict(long_trail).first_bad == EVENTS + 1
    long_trail.write_bytes(whole)
    around_the_guards(long_trail, chain_of_another_site, 1)
    assert verdict(long_trail).first_bad == 1


def test_an_untouched_trail_verifies(long_trail: Path) -> None:
    found = verdict(long_trail)
    assert (found.events, found.first_bad, found.reason) == (EVENTS, None, "")
    database = opened(long_trail, writable=False)
    with database.reading() as session:
        assert audit.events(session, newest=1)[0]["hash"] == found.head.hex()
    database.close()


def truncate(raw: Raw, seq: int) -> None:
    raw.execute("DELETE FROM audit_event WHERE seq > ?", (seq,))


def edit_and_rechain(raw: Raw, seq: int) -> None:
    edit(raw, seq)
    rechain(raw, seq, event(raw, seq)[1])


@pytest.mark.parametrize("tamper", [truncate, edit_and_rechain])
def test_limit_a_chain_without_an_anchor_outside_cannot_show_this(long_trail: Path, tamper: Tamper) -> None:
    """Known limit of the chain alone: who has the key can do this unseen; `test_anchors` has the same with anchors."""
    before = verdict(long_trail)
    around_the_guards(long_trail, tamper, EVENTS // 2)
    after = verdict(long_trail)
    assert after.first_bad is None
    assert after.head != before.head  # which is what an anchor will compare


@pytest.mark.parametrize(
    ("column", "value"),
    [("body", "replace(body, 'added', 'moved')"), ("body", "7"), ("body", "zeroblob(3)"),
     ("previous", "substr(hex(previous), 1, 32)"), ("hash", "substr(hex(hash), 1, 32)")],
)  # fmt: skip
def test_a_column_that_holds_another_type_is_a_change_and_no_crash(long_trail: Path, column: str, value: str) -> None:
    """SQLite lets any column hold text or numbers: `replace` makes text of a body."""

    def write(raw: Raw, seq: int) -> None:
        raw.execute(f"UPDATE audit_event SET {column} = {value} WHERE seq = ?", (seq,))

    around_the_guards(long_trail, write, EVENTS // 2)
    assert verdict(long_trail).first_bad in {EVENTS // 2, EVENTS // 2 + 1}
    database = opened(long_trail, writable=False)
    with database.reading() as session, pytest.raises(IntegrityError):
        audit.events(session)
    database.close()


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"7", b"{", b"[" * 5000, b'{"seq":3}', b'{"seq":3,"act":"added"}'], ids=repr
)
def test_an_event_that_was_changed_is_not_shown_as_if_it_were_true(long_trail: Path, body: bytes) -> None:
    def write(raw: Raw, seq: int) -> None:
        previous = event(raw, seq)[1]
        raw.execute("UPDATE audit_event SET body = ?, hash = ? WHERE seq = ?", (body, link(previous, body), seq))

    around_the_guards(long_trail, write, EVENTS)
    database = opened(long_trail, writable=False)
    with database.reading() as session, pytest.raises(IntegrityError) as caught:
        audit.events(session)
    database.close()
    assert caught.value.code == "AUD-001"
    assert str(EVENTS) in caught.value.message


@pytest.fixture
def reading(long_trail: Path) -> Iterator[Database]:
    database = opened(long_trail, writable=False)
    yield database
    database.close()


def test_the_newest_events_come_oldest_first(reading: Database) -> None:
    with reading.reading() as session:
        assert [e["seq"] for e in audit.events(session, newest=3)] == [EVENTS - 2, EVENTS - 1, EVENTS]
        assert [e["seq"] for e in audit.events(session)] == list(range(1, EVENTS + 1))
        assert audit.events(session, newest=0) == []


def test_bodies_are_canonical_json(long_trail: Path) -> None:
    import json  # noqa: PLC0415

    raw = sqlcipher3.dbapi2.connect(str(long_trail))
    raw.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    body = event(raw, 3)[0]
    raw.close()
    fields = json.loads(body)
    assert body == json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert fields["seq"] == 3
