"""Ways of tampering with an anchored trail, by somebody with the database's key and a tool of their own.

Each takes the folder and a place and returns the number of the first event that is wrong after it. They leave the
anchors file as it is. ``tests.bench audit`` has the same ones.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2

from lumen_desktop.domain.audit import genesis, link
from lumen_desktop.storage import anchors, audit, seals
from tests.conftest import Clock
from tests.storage.conftest import KEY, SITE, TESTER, opened

Raw = Any


def anchored_trail(folder: Path, *, events: int, every: int) -> None:
    """Makes a database of so many events, with an anchor at every so many and in the file."""
    clock = Clock()
    database = opened(folder / "lumen.db", clock=clock)
    with database.transaction(TESTER, "the seal") as transaction:
        seals.make(transaction, clock())
    for first in range(1, events, every):
        with database.transaction(TESTER, f"reason {first}") as transaction:
            for number in range(first + (first == 1), first + every):
                clock.tick()
                transaction.note("tried", "test", number, after={"reason": f"word {number}"})
        with database.anchoring() as session:
            row = anchors.make(session, SITE, now=clock(), why="test")
        assert row is not None
        anchors.write_out(folder / anchors.FILE, row)
    database.close()


def raw_connection(folder: Path, key: bytes = KEY) -> Raw:
    """The file as any SQLCipher tool sees it."""
    raw = sqlcipher3.dbapi2.connect(str(folder / "lumen.db"), isolation_level=None)
    raw.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    return raw


@contextlib.contextmanager
def without_guards(folder: Path, key: bytes = KEY) -> Iterator[Raw]:
    """Drops the guards, lets one write, and makes them again."""
    raw = raw_connection(folder, key)
    raw.execute("BEGIN")
    for guard in audit.GUARDS:
        raw.execute(f"DROP TRIGGER {guard}")
    yield raw
    for statement in audit.GUARDS.values():
        raw.execute(statement)
    raw.execute("COMMIT")
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()


def _events(raw: Raw) -> list[tuple[bytes, bytes, bytes]]:
    found: list[tuple[bytes, bytes, bytes]] = raw.execute(
        "SELECT body, previous, hash FROM audit_event ORDER BY seq"
    ).fetchall()
    return found


def _write(raw: Raw, events: list[tuple[bytes, bytes, bytes]]) -> None:
    raw.execute("DELETE FROM audit_event")
    rows = [(seq, *event) for seq, event in enumerate(events, 1)]
    raw.executemany("INSERT INTO audit_event (seq, body, previous, hash) VALUES (?, ?, ?, ?)", rows)


def _rechained(events: list[tuple[bytes, bytes, bytes]]) -> list[tuple[bytes, bytes, bytes]]:
    previous, made = genesis(SITE), []
    for seq, (body, _, _) in enumerate(events, 1):
        said = b'"seq":%d,' % seq
        start = body.index(b'"seq":')
        body = body[:start] + said + body[body.index(b",", start) + 1 :]  # noqa: PLW2901
        made.append((body, previous, link(previous, body)))
        previous = made[-1][2]
    return made


Events = list[tuple[bytes, bytes, bytes]]


def _edit(events: Events, place: int) -> Events:
    body, previous, digest = events[place - 1]
    events[place - 1] = (body.replace(b"word", b"WORD").replace(b"reason", b"REASON"), previous, digest)
    return events


def _own_hash(events: Events, place: int) -> Events:
    body, previous, _ = _edit(events, place)[place - 1]
    events[place - 1] = (body, previous, link(previous, body))
    return events


def _delete(events: Events, place: int) -> Events:
    return events[: place - 1] + events[place:]


def _insert(events: Events, place: int) -> Events:
    body = b'{"act":"invented","seq":%d,"time_utc":"2026"}' % place
    previous = events[place - 2][2]
    return [*events[: place - 1], (body, previous, link(previous, body)), *events[place - 1 :]]


def _swap(events: Events, place: int) -> Events:
    events[place - 1], events[place] = events[place], events[place - 1]
    return events


def _truncate(events: Events, place: int) -> Events:
    return events[: place - 1]


def _extend(events: Events, place: int) -> Events:
    """Cuts the end off and writes as many invented events instead."""
    invented = [
        (b'{"act":"invented","seq":%d,"time_utc":"2026"}' % seq, b"", b"") for seq in range(place, len(events) + 1)
    ]
    return _rechained(events[: place - 1] + invented)


def _way(change: Callable[[Events, int], Events], *, rechain: bool) -> Callable[[Path, int], int]:
    def tamper(folder: Path, place: int) -> int:
        with without_guards(folder) as raw:
            changed = change(_events(raw), place)
            _write(raw, _rechained(changed) if rechain else changed)
        return place

    return tamper


CLASSES: dict[str, Callable[[Path, int], int]] = {
    "edit": _way(_edit, rechain=False),
    "edit with own hash": _way(_own_hash, rechain=False),
    "edit and re-chain": _way(_edit, rechain=True),
    "delete": _way(_delete, rechain=False),
    "delete and re-chain": _way(_delete, rechain=True),
    "insert": _way(_insert, rechain=False),
    "insert and re-chain": _way(_insert, rechain=True),
    "swap": _way(_swap, rechain=False),
    "swap and re-chain": _way(_swap, rechain=True),
    "truncate": _way(_truncate, rechain=False),
    "truncate and write other events": _way(_extend, rechain=False),
}
