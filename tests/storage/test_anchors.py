"""The trail held against its anchors, in a real file: what is found, what is named, what a kill may leave."""

import os
import random
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from lumen_desktop.domain.audit import Fault, Verdict
from lumen_desktop.errors import InputError, IntegrityError, StorageError
from lumen_desktop.storage import anchors, audit, seals
from lumen_desktop.storage.anchors import AuditAnchorRow
from lumen_desktop.storage.database import Database
from tests.conftest import Clock
from tests.storage.conftest import KEY, SITE, TESTER, opened
from tests.storage.tampering import CLASSES, anchored_trail, raw_connection, without_guards

EVENTS, EVERY = 60, 10


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trail of 60 events with an anchor at every tenth, made once."""
    folder = tmp_path_factory.mktemp("anchored")
    anchored_trail(folder, events=EVENTS, every=EVERY)
    return folder


@pytest.fixture
def trail(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "trail"))


def verdict(folder: Path, *copies: Path) -> Verdict:
    database = opened(folder / "lumen.db", writable=False)
    try:
        with database.reading() as session:
            found = anchors.verify(session, SITE, folder / anchors.FILE, elsewhere=copies)
            assert anchors.end_is_right(session, SITE, folder / anchors.FILE) or found.fault is not Fault.NONE
    finally:
        database.close()
    assert bool(found.reason) is (found.fault is not Fault.NONE) is (found.first_bad is not None)
    return found


def test_an_untouched_trail_is_whole(trail: Path) -> None:
    found = verdict(trail)
    assert (found.fault, found.events, found.good_until) == (Fault.NONE, EVENTS, EVENTS)
    assert found.outside is not None
    assert found.outside.seq == EVENTS
    if os.name == "posix":
        assert stat.S_IMODE((trail / anchors.FILE).stat().st_mode) == 0o600


def test_the_file_holds_numbers_times_and_digests_only(trail: Path) -> None:
    content = (trail / anchors.FILE).read_text(encoding="ascii")
    assert len(content.splitlines()) == EVENTS // EVERY
    for secret in ("question", "reason", "tester", "holder"):
        assert secret not in content


@pytest.mark.parametrize("name", CLASSES)
def test_each_way_of_tampering_is_found_with_its_place(made: Path, tmp_path: Path, name: str) -> None:
    draw = random.Random(name)
    for number in range(10):
        folder = Path(shutil.copytree(made, tmp_path / f"{number}"))
        place = draw.randrange(2, EVENTS - 1)
        first_wrong = CLASSES[name](folder, place)
        found = verdict(folder)
        assert found.first_bad is not None, place
        assert found.good_until < first_wrong <= found.first_bad, (place, found)
        assert found.first_bad - found.good_until <= EVERY + 1


# --- anchors themselves ---


def change_row(folder: Path, statement: str, *values: object) -> None:
    with without_guards(folder) as raw:
        raw.execute(statement, values)


SPOILT: list[tuple[str, Fault, int]] = [
    ("DELETE FROM audit_anchor WHERE n = 60", Fault.APART, 51),
    ("DELETE FROM audit_anchor WHERE n = 20", Fault.FORGED, 30),
    ("DELETE FROM audit_anchor", Fault.APART, 1),
    ("UPDATE audit_anchor SET line = x'00' WHERE n = 20", Fault.FORGED, 20),
    ("UPDATE audit_anchor SET line = CAST(replace(CAST(line AS TEXT), ':20,', ':21,') AS BLOB) WHERE n = 20",
     Fault.FORGED, 20),
    ("UPDATE audit_anchor SET line = CAST(replace(CAST(line AS TEXT), '2026', '2025') AS BLOB) WHERE n = 20",
     Fault.FORGED, 20),
    ("UPDATE audit_anchor SET n = 25 WHERE n = 20", Fault.FORGED, 25),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "fault", "n"), SPOILT)
def test_an_anchor_changed_in_the_database_is_found(trail: Path, statement: str, fault: Fault, n: int) -> None:
    change_row(trail, statement)
    found = verdict(trail)
    assert (found.fault, found.first_bad) == (fault, n)


def test_a_foreign_seal_does_not_pass(trail: Path) -> None:
    change_row(trail, "UPDATE site_seal SET public_key = ?", "ab" * 32)
    assert (verdict(trail).fault, verdict(trail).first_bad) == (Fault.FORGED, 10)


def lines(folder: Path) -> list[bytes]:
    return (folder / anchors.FILE).read_bytes().splitlines(keepends=True)


FILES: list[tuple[Callable[[list[bytes]], list[bytes]], Fault, int]] = [
    (lambda found: found[:-2], Fault.FILE_SHORT, 50),
    (lambda found: found[:0], Fault.FILE_SHORT, 10),
    (lambda found: [*found[:-3], found[-3][:30]], Fault.FILE_SHORT, 40),
    (lambda found: found[1:], Fault.APART, 10),
    (lambda found: [*found[:2], *found[3:]], Fault.APART, 30),
    (lambda found: [found[1], found[0], *found[2:]], Fault.APART, 10),
    (lambda found: [*found, found[-1]], Fault.APART, 61),
    (lambda found: [*found, b"\n"], Fault.APART, 61),
    (lambda found: [*found, b"[" * 5000], Fault.APART, 61),
    (lambda found: [*found, b'{"n":7}\n', b"\xff"], Fault.APART, 61),
    (lambda found: [found[0].replace(b"2026", b"2025"), *found[1:]], Fault.FORGED, 10),
    (lambda found: [b"no anchor\n", *found[1:]], Fault.APART, 10),
]


@pytest.mark.parametrize(("spoil", "fault", "n"), FILES)
def test_a_file_that_was_changed_is_found(
    trail: Path, spoil: Callable[[list[bytes]], list[bytes]], fault: Fault, n: int
) -> None:
    (trail / anchors.FILE).write_bytes(b"".join(spoil(lines(trail))))
    found = verdict(trail)
    assert (found.fault, found.first_bad) == (fault, n)


def test_a_lost_file_is_found(trail: Path) -> None:
    (trail / anchors.FILE).unlink()
    assert (verdict(trail).fault, verdict(trail).first_bad, verdict(trail).outside) == (Fault.FILE_SHORT, 10, None)


# --- limits ---


def cut_back(folder: Path, n: int) -> None:
    """Takes the trail, its anchors and the anchors file back to one anchor."""
    with without_guards(folder) as raw:
        raw.execute("DELETE FROM audit_event WHERE seq > ?", (n,))
        raw.execute("DELETE FROM audit_anchor WHERE n > ?", (n,))
    (folder / anchors.FILE).write_bytes(b"".join(lines(folder)[: n // EVERY]))


def test_limit_database_and_file_cut_back_together_are_shown_by_a_copy_kept_elsewhere_only(
    trail: Path, tmp_path: Path
) -> None:
    kept = Path(shutil.copy(trail / anchors.FILE, tmp_path / "kept.jsonl"))
    cut_back(trail, 40)
    assert verdict(trail).fault is Fault.NONE
    found = verdict(trail, kept)
    assert (found.fault, found.first_bad, found.good_until) == (Fault.TRUNCATED, 41, 40)
    with pytest.raises(InputError) as caught:
        verdict(trail, tmp_path / "nothing.jsonl")
    assert caught.value.code == "AUD-004"


# --- what a kill or a full disk leaves ---


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = opened(tmp_path / "lumen.db")
    yield database
    database.close()


def write(database: Database, number: int = 1) -> None:
    for _ in range(number):
        with database.transaction(TESTER, "test") as transaction:
            transaction.note("tried", "test", 1)


def anchor(database: Database) -> AuditAnchorRow | None:
    with database.transaction(TESTER, "test's seal") as transaction:
        seals.make(transaction, Clock()())
    with database.anchoring() as session:
        return anchors.make(session, SITE, now=Clock()(), why="test")


def check(database: Database, file: Path) -> tuple[Fault, bool]:
    with database.reading() as session:
        return anchors.verify(session, SITE, file).fault, anchors.end_is_right(session, SITE, file)


def test_a_line_may_be_missing_or_torn_and_is_completed(database: Database, tmp_path: Path) -> None:
    file = tmp_path / anchors.FILE
    write(database)
    first = anchor(database)
    assert first is not None
    assert check(database, file) == (Fault.NONE, True)  # killed before the file was made
    anchors.write_out(file, first)
    write(database)
    second = anchor(database)
    assert second is not None
    for torn in (0, 1, 100, len(second.line) - 1, len(second.line)):
        file.write_bytes(first.line + second.line[:torn])
        assert check(database, file) == (Fault.NONE, True), torn
        anchors.write_out(file, second)
        assert file.read_bytes() == first.line + second.line
    anchors.write_out(file, second)
    assert file.read_bytes() == first.line + second.line


def test_a_file_that_is_not_as_it_was_left_is_not_written_to(database: Database, tmp_path: Path) -> None:
    file = tmp_path / anchors.FILE
    write(database)
    first = anchor(database)
    write(database)
    second = anchor(database)
    assert first is not None
    assert second is not None
    for content in (b"", first.line[:-1], first.line + second.line + b"\n"):
        file.write_bytes(content)
        with pytest.raises(IntegrityError) as caught:
            anchors.write_out(file, second)
        assert caught.value.code == "AUD-003"
        assert file.read_bytes() == content


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")
def test_no_line_is_written_through_a_link(database: Database, tmp_path: Path) -> None:
    write(database)
    row = anchor(database)
    assert row is not None
    (tmp_path / "elsewhere").touch()
    (tmp_path / anchors.FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        anchors.write_out(tmp_path / anchors.FILE, row)
    assert (tmp_path / "elsewhere").read_bytes() == b""


def test_a_head_is_anchored_once_and_an_empty_trail_never(database: Database) -> None:
    with database.anchoring() as session:
        assert anchors.make(session, SITE, now=Clock()(), why="test") is None
    write(database)
    assert anchor(database) is not None
    with database.anchoring() as session:
        assert anchors.make(session, SITE, now=Clock()(), why="test") is None


def test_a_file_beside_an_empty_database_is_found(database: Database, tmp_path: Path) -> None:
    (tmp_path / anchors.FILE).write_bytes(b"{}\n")
    assert check(database, tmp_path / anchors.FILE) == (Fault.APART, False)


# --- the seal ---


def test_a_seal_is_made_once_and_its_event_tells_the_public_key_only(database: Database) -> None:
    for _ in range(2):
        with database.transaction(TESTER, "test's seal") as transaction:
            seals.make(transaction, Clock()())
    with database.reading() as session:
        key = seals.public_key(session)
        (event,) = audit.events(session)
        signature = seals.sign(session, b"words")
    assert key is not None
    assert event["after"]["public_key"] == key.hex()
    assert "private_key" not in event["after"]
    assert seals.verify(key, signature, b"words")
    for wrong in ((key, signature, b"other"), (key, signature[:-1], b"words"), (bytes(31), signature, b"words")):
        assert not seals.verify(*wrong)


def test_the_seal_and_its_anchors_are_guarded(trail: Path) -> None:
    database = opened(trail / "lumen.db")
    for statement in (
        "UPDATE site_seal SET public_key = public_key",
        "DELETE FROM site_seal",
        "UPDATE audit_anchor SET why = ''",
        "DELETE FROM audit_anchor",
        "INSERT INTO audit_anchor SELECT 5, line, ends_at, why FROM audit_anchor WHERE n = 10",
        "REPLACE INTO audit_anchor SELECT * FROM audit_anchor WHERE n = 10",
    ):
        with pytest.raises(StorageError), database.transaction(TESTER, "test") as transaction:
            transaction.session.execute(text(statement))
    database.close()
    assert verdict(trail).fault is Fault.NONE


def test_the_raw_connection_of_these_tests_reads_the_file(trail: Path) -> None:
    raw = raw_connection(trail, KEY)
    assert raw.execute("SELECT count(*) FROM audit_anchor").fetchone() == (EVENTS // EVERY,)
    raw.close()
