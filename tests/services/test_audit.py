"""The trail's service: anchored while written, checked at the start, read, exported; and what the clock did."""

import io
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop import app
from lumen_desktop.domain.audit import Fault, Filters
from lumen_desktop.errors import InputError, IntegrityError, StorageError
from lumen_desktop.services import audit_watch
from lumen_desktop.services.audit import Audit
from lumen_desktop.services.audit_watch import Watch
from lumen_desktop.storage import anchors
from tests.conftest import ROOT, Clock
from tests.services.trails import PERSON, Allowed, Trail
from tests.storage.conftest import opened
from tests.storage.tampering import CLASSES


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    trail = Trail(tmp_path, Clock())
    yield trail
    trail.close()


# --- when anchors are made ---


def test_a_new_trail_is_sealed_and_anchored_at_once(trail: Trail) -> None:
    audit = trail.open()
    (event,) = audit.newest(None)
    assert (event["entity"], event["actor"], event["role"]) == ("site_seal", "Lumen", "program")
    assert trail.anchored() == [1]
    assert audit.verify().fault is Fault.NONE


def test_every_hundred_events_and_every_five_minutes_an_anchor_is_made(trail: Trail) -> None:
    audit = trail.open()
    trail.write(99)
    assert trail.anchored() == [1]
    trail.write()
    assert trail.anchored() == [1, 101]
    trail.clock.tick(299)
    trail.write()
    assert trail.anchored() == [1, 101]
    trail.clock.tick(1)
    trail.write()
    assert trail.anchored() == [1, 101, 103]
    audit.anchor("signature")
    assert trail.anchored() == [1, 101, 103]
    trail.write()
    trail.watch.close()
    assert trail.why() == ["start", "periodic", "periodic", "close"]
    assert trail.anchored() == [1, 101, 103, 104]
    assert audit.verify().fault is Fault.NONE
    assert audit.anchor_age_s(audit.verify()) == 0


def test_after_its_end_nothing_is_watched(trail: Trail) -> None:
    trail.open()
    trail.watch.close()
    trail.write(200)
    trail.watch.close()
    assert trail.anchored() == [1]


def test_what_a_kill_left_without_an_anchor_gets_one_at_the_next_start(trail: Trail) -> None:
    trail.open()
    trail.write(7)
    trail.close()
    trail.open()
    assert trail.anchored() == [1, 8]


def test_a_file_that_cannot_be_written_keeps_nobody_from_writing(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = trail.open()

    def full(*_: object) -> None:
        raise StorageError("The disk is full.", code="STO-003", hint="Free some space.")

    with monkeypatch.context() as patch:
        patch.setattr(anchors, "write_out", full)
        trail.write(150)
        assert len(audit.newest(None)) == 151
        assert trail.anchored() == [1]
        assert audit.verify().fault is Fault.NONE  # one behind, as after a kill
        with pytest.raises(StorageError):
            audit.anchor("signature")
    trail.write()
    assert trail.anchored() == [1, 101, 152]
    assert audit.verify().fault is Fault.NONE


# --- the start ---


def test_lines_that_the_file_lost_are_completed_and_told(trail: Trail) -> None:
    trail.open()
    trail.write(350)
    trail.close()
    whole = trail.file.read_bytes()
    trail.file.unlink()
    audit = trail.open()
    assert trail.file.read_bytes().startswith(whole)
    (event,) = audit.find(Filters(act="completed"))
    assert (event["entity"], event["after"]) == ("anchors_file", {"anchors": 4})
    assert audit.verify().fault is Fault.NONE


def troubled(trail: Trail) -> tuple[Audit, Any]:
    trail._database = opened(trail.folder / "lumen.db", clock=trail.clock)
    audit = trail.service()
    return audit, trail.watch.begin()


@pytest.mark.parametrize("name", ["truncate", "truncate and write other events", "delete", "edit and re-chain"])
def test_a_site_whose_end_was_changed_can_only_be_read(trail: Trail, name: str) -> None:
    trail.open()
    trail.write(120)
    trail.close()
    CLASSES[name](trail.folder, 110 if name == "delete" else 90)  # the last anchor is that of event 101
    before = trail.file.read_bytes()
    audit, verdict = troubled(trail)
    if name == "delete":
        assert verdict.fault is Fault.BROKEN
    assert verdict is not None
    with pytest.raises(IntegrityError) as caught:
        trail.write()
    assert caught.value.code == "AUD-002"
    for act in (lambda: audit.anchor("test"), lambda: audit.export(io.BytesIO(), "csv")):
        with pytest.raises(IntegrityError):
            act()
    trail.watch.close()
    assert trail.file.read_bytes() == before
    assert audit.count() > 0


def test_what_a_verification_finds_far_from_the_end_ends_writing(trail: Trail) -> None:
    trail.open()
    trail.write(250)
    trail.close()
    CLASSES["edit"](trail.folder, 20)
    audit = trail.open()  # a start looks from the last anchor on
    trail.write()
    assert audit.verify().first_bad is not None
    with pytest.raises(IntegrityError) as caught:
        trail.write()
    assert caught.value.code == "AUD-002"
    assert audit.count() > 0


def test_an_older_copy_of_the_database_is_found_at_the_start(trail: Trail) -> None:
    trail.finish()
    trail.close()
    old = (trail.folder / "lumen.db").read_bytes()
    trail.open()
    trail.write(250)
    trail.service().anchor("test")
    trail.close()
    for file in trail.folder.glob("lumen.db*"):
        file.unlink()
    (trail.folder / "lumen.db").write_bytes(old)
    _, verdict = troubled(trail)
    assert verdict.fault is Fault.TRUNCATED


def test_a_site_opens_to_be_read_and_says_what_is_wrong(site_folder: Path, open_again: Any) -> None:
    (site_folder / anchors.FILE).write_bytes(b"something else\n")
    with open_again() as site:
        assert site.trouble.fault is Fault.APART
        assert not site.writable
        document = site.library.documents()[0]
        with pytest.raises(IntegrityError) as caught:
            site.library.remove(document.id)
    assert caught.value.code == "AUD-002"


# --- killed between the database and the file ---


def work(folder: Path) -> None:
    """Writes and anchors until killed."""
    database = opened(folder / "lumen.db")
    watch = Watch(database, folder / anchors.FILE, steady_s=audit_watch.steady_s)
    watch.begin()
    sys.stdout.write("started\n")
    sys.stdout.flush()
    while True:
        with database.transaction(PERSON, "test") as transaction:
            transaction.note("tried", "test", 1)
        watch.anchor("test")


def test_a_kill_at_any_moment_leaves_a_trail_that_verifies_and_a_file_that_is_completed(tmp_path: Path) -> None:
    draw = random.Random(5)
    code = "import sys, pathlib; from tests.services.test_audit import work; work(pathlib.Path(sys.argv[1]))"
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        assert process.stdout.readline() == "started\n"
        time.sleep(draw.uniform(0, 0.1))
        process.kill()
        process.communicate()
        database = opened(tmp_path / "lumen.db")
        watch = Watch(database, tmp_path / anchors.FILE, steady_s=audit_watch.steady_s)
        audit = Audit(database, Allowed(), watch)
        assert audit.verify().fault is Fault.NONE
        assert watch.begin() is None
        with database.reading() as session:
            assert (tmp_path / anchors.FILE).read_bytes() == b"".join(anchors.lines(session))
        assert audit.count(Filters(act="completed")) == 0
        database.close()


def test_a_kill_between_the_commit_and_the_line(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = trail.open()
    trail.write(3)
    half = trail.file.read_bytes()

    def killed(path: Path, row: anchors.AuditAnchorRow) -> None:
        with path.open("ab") as file:
            file.write(row.line[:50])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(anchors, "write_out", killed)
        audit.anchor("signature")
    trail.close()
    assert len(trail.file.read_bytes()) == len(half) + 50
    audit = trail.open()
    assert trail.anchored() == [1, 4]
    assert audit.verify().fault is Fault.NONE
    assert audit.count(Filters(act="completed")) == 0


# --- the clock ---


def test_a_clock_that_was_set_back_between_two_runs_is_told_until_somebody_explains_it(trail: Trail) -> None:
    trail.finish()
    trail.close()
    trail.clock.tick(60)
    trail.clock.set(-7200)
    audit = trail.open()
    trouble = audit.clock_trouble()
    assert trouble is not None
    assert (trouble.kind, trouble.before[:16], trouble.after[:16]) == (
        "set back", "2026-11-22T09:30", "2026-11-22T07:31",
    )  # fmt: skip
    for reason in ("", "update", "n/a"):
        with pytest.raises(InputError):
            audit.explain_clock(reason)
    trail.close()
    audit = trail.open()
    assert audit.clock_trouble() == trouble
    audit.explain_clock("The battery of the mainboard was replaced.")
    assert audit.clock_trouble() is None
    event = audit.newest(1)[0]
    assert (event["act"], event["entity_id"], event["actor"]) == ("clock explained", str(trouble.seq), PERSON.name)
    with pytest.raises(InputError) as caught:
        audit.explain_clock("The battery of the mainboard was replaced.")
    assert caught.value.code == "AUD-013"


@pytest.mark.parametrize(
    ("seconds", "kind"), [(-3, "set back"), (-7200, "set back"), (121, "jumped"), (90_000, "jumped")]
)
def test_a_clock_set_while_the_program_runs_is_told_at_the_next_write_and_before_a_signature(
    trail: Trail, seconds: float, kind: str
) -> None:
    audit = trail.open()
    trail.write()
    trail.clock.set(seconds)
    trail.write()
    trouble = audit.clock_trouble()
    assert trouble is not None
    assert trouble.kind == kind
    trail.write()
    assert audit.count(Filters(act="clock anomaly")) == 1
    audit.explain_clock("An administrator corrected the time zone.")
    trail.clock.set(-seconds)
    assert (audit.clock_trouble() is None) is (seconds == -3)  # set right again is set again


@pytest.mark.parametrize("seconds", [0, 1, -2, 119])
def test_what_a_network_does_to_a_clock_is_no_anomaly(trail: Trail, seconds: float) -> None:
    audit = trail.open()
    trail.write()
    trail.clock.tick(3600)
    trail.write()
    trail.clock.set(seconds)
    trail.write()
    assert audit.clock_trouble() is None


def test_a_long_pause_is_information_only(trail: Trail) -> None:
    trail.finish()
    trail.close()
    trail.clock.tick(25 * 3600)
    audit = trail.open()
    (event,) = audit.find(Filters(act="clock anomaly"))
    assert event["entity_id"] == "gap"
    assert event["after"]["seconds"] == 90_000
    assert audit.clock_trouble() is None


def test_a_clock_that_nobody_sets_counts_on() -> None:
    first = audit_watch.steady_s()
    assert audit_watch.steady_s() >= first


def test_the_services_of_a_site_share_one_trail(site: app.Site) -> None:
    assert site.trouble is None
    site.audit.anchor("test")
    assert site.audit.verify().outside is not None
