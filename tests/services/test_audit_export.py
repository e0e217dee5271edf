"""Events found, compared and handed on: every filter, every format, and what a spreadsheet must not run."""

import csv
import hashlib
import io
import json
import os
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lumen_desktop.domain.accounts import Actor
from lumen_desktop.domain.audit import Change, Fault, Filters, Order, Page
from lumen_desktop.errors import InputError, IntegrityError, LumenError
from lumen_desktop.services import audit_print
from lumen_desktop.services.audit import Audit
from tests.conftest import Clock
from tests.services.trails import OTHER, PERSON, Trail
from tests.storage.conftest import SITE
from tests.storage.tampering import without_guards


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    trail = Trail(tmp_path, Clock())
    yield trail
    trail.close()


# --- reading ---


@pytest.fixture
def told(trail: Trail) -> Audit:
    """Twelve events by two people, one a second."""
    audit = trail.open()
    for number in range(12):
        trail.clock.tick()
        reason = f"reason {number}" + (' with "quotes" and ÄÖ' if number == 7 else "")
        trail.write(actor=OTHER if number % 3 == 0 else PERSON, reason=reason)
    return audit


NOON = Clock()()


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        (Filters(), range(1, 14)),
        (Filters(actor=OTHER.name), [2, 5, 8, 11]),
        (Filters(role="officer"), [3, 4, 6, 7, 9, 10, 12, 13]),
        (Filters(act="added"), [1]),
        (Filters(entity="test", actor=OTHER.name, until=NOON + timedelta(seconds=5)), [2, 5]),
        (Filters(since=NOON + timedelta(seconds=11)), [12, 13]),
        (Filters(entity="test", entity_id="0", words="REASON 1"), [3, 12, 13]),
        (Filters(words='"quotes" and äö'), [9]),
        (Filters(words="limit"), []),
        (Filters(entity="test", words="10"), range(2, 14)),
        (Filters(words="%"), []),
        (Filters(actor="x' OR '1'='1"), []),
    ],
)
def test_events_are_found(told: Audit, filters: Filters, numbers: Any) -> None:
    found = told.find(filters)
    assert [event["seq"] for event in found] == list(numbers)
    assert told.count(filters) == len(found)


def test_pages_are_sorted_and_cut(told: Audit) -> None:
    def numbers(page: Page) -> list[int]:
        return [event["seq"] for event in told.find(page=page)]

    assert numbers(Page(limit=3)) == [1, 2, 3]
    assert numbers(Page(descending=True, offset=2, limit=3)) == [11, 10, 9]
    assert numbers(Page(Order.TIME, descending=True, limit=2)) == [13, 12]
    assert numbers(Page(Order.ACTOR, offset=8, limit=3)) == [2, 5, 8]
    assert numbers(Page(offset=99)) == []


def test_an_event_is_compared_field_by_field(told: Audit) -> None:
    event = told.event(3)
    assert event.fields["seq"] == 3
    assert event.fields["previous"] == told.event(2).fields["hash"]
    assert [(one.field, one.change, one.before, one.after) for one in event.differences] == [
        ("limit", Change.CHANGED, "5", "10"), ("n", Change.ADDED, None, 0),
    ]  # fmt: skip
    for seq in (0, 99):
        with pytest.raises(InputError) as caught:
            told.event(seq)
        assert caught.value.code == "AUD-005"


def test_filters_can_name_what_is_there(told: Audit) -> None:
    choices = told.choices()
    assert choices.actors == (PERSON.name, OTHER.name, "Lumen")
    assert choices.acts == ("added", "tried")
    assert choices.entities == ("site_seal", "test")


def test_a_filter_that_cannot_read_an_event_does_not_pass_it_over(trail: Trail, told: Audit) -> None:
    with without_guards(trail.folder) as raw:
        raw.execute("UPDATE audit_event SET body = x'00' WHERE seq = 4")
    for look in (told.find, told.count):
        with pytest.raises(IntegrityError) as caught:
            look(Filters(actor=OTHER.name))
        assert caught.value.code == "AUD-001"
    with pytest.raises(IntegrityError):
        told.export(io.BytesIO(), "json")


# --- export ---


def test_an_export_as_json_can_be_checked_by_a_stranger(trail: Trail, told: Audit, tmp_path: Path) -> None:
    trail.write(110)
    done = told.export(tmp_path / "trail.json", "json")
    content = (tmp_path / "trail.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == done.sha256
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "trail.json").stat().st_mode) == 0o600
    _check_as_a_stranger(json.loads(content), SITE)
    event = told.newest(1)[0]
    assert (event["act"], event["entity"], event["entity_id"]) == ("exported", "audit_trail", "json")
    assert event["after"] == {"events": done.events, "sha256": done.sha256, "filters": {}}
    assert event["actor"] == PERSON.name
    assert trail.anchored()[-2:] == [done.events, done.events + 1]
    assert told.verify().fault is Fault.NONE


def _check_as_a_stranger(found: dict[str, Any], site_id: str) -> None:
    """What the format's description says, with nothing of ours."""
    genesis = hashlib.sha256(b"LUMEN-GENESIS-v1\0" + site_id.encode()).digest()
    assert found["genesis"] == genesis.hex()
    previous, hashes = genesis, {}
    for seq, event in enumerate(found["events"], 1):
        assert (event["seq"], event["previous"]) == (seq, previous.hex())
        previous = hashlib.sha256(b"LUMEN-AUDIT-v1\0" + previous + event["body"].encode()).digest()
        assert event["hash"] == previous.hex()
        hashes[seq] = event["hash"]
    before, key = genesis, Ed25519PublicKey.from_public_bytes(bytes.fromhex(found["key"]))
    for anchor in found["anchors"]:
        signature = bytes.fromhex(anchor.pop("signature"))
        signed = b"LUMEN-ANCHOR-v1\0" + json.dumps(anchor, sort_keys=True, separators=(",", ":")).encode()
        key.verify(signature, signed)
        assert (anchor["previous"], anchor["head"]) == (before.hex(), hashes[anchor["n"]])
        before = hashlib.sha256(signed).digest()
    assert len(found["anchors"]) == 3


def test_an_export_as_csv_starts_no_formula(trail: Trail, told: Audit) -> None:
    evil = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]
    for reason in evil:
        trail.write(reason=reason, actor=Actor("=cmd|' /C calc'!A0", "officer"))
    out = io.BytesIO()
    done = told.export(out, "csv", Filters(role="officer"))
    rows = list(csv.DictReader(io.StringIO(out.getvalue().decode("utf-8-sig"), newline="")))
    assert len(rows) == done.events == 14
    assert [row["reason"] for row in rows[-6:]] == ["'" + reason for reason in evil]
    assert rows[-1]["actor"].startswith("'=")
    assert json.loads(rows[0]["before"]) == {"limit": "5"}
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "@", "\t"))]
    assert hashlib.sha256(out.getvalue()).hexdigest() == done.sha256


def test_an_export_replaces_a_file_only_where_it_is_told_to(told: Audit, tmp_path: Path) -> None:
    target = tmp_path / "trail.csv"
    target.write_text("mine", encoding="utf-8")
    events = told.count()
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: told.export(target, "csv"), "AUD-014"),
        (lambda: told.export(tmp_path, "csv", replace=True), "AUD-014"),
        (lambda: told.export(tmp_path / "x.xls", "xls"), "AUD-015"),
        (lambda: told.export(tmp_path / "none" / "x.csv", "csv"), "AUD-016"),
    ]
    for act, code in cases:
        with pytest.raises(LumenError) as caught:
            act()
        assert caught.value.code == code
    assert target.read_text(encoding="utf-8") == "mine"
    assert told.count() == events
    assert told.export(target, "csv", Filters(act="nothing"), replace=True).events == 0
    assert target.read_text(encoding="utf-8-sig").startswith("seq,time_utc")
    assert sorted(file.name for file in tmp_path.iterdir() if "trail" in file.name) == ["trail.csv"]


def test_an_extract_is_printed_with_what_was_asked_for_and_how_far_the_chain_went(told: Audit) -> None:
    out = io.BytesIO()
    done = told.export(out, "pdf", Filters(actor=OTHER.name))
    pdf = pypdfium2.PdfDocument(out.getvalue())
    text = "\n".join(page.get_textpage().get_text_bounded() for page in pdf)
    (exported,) = told.find(Filters(act="exported"))
    assert (done.events, exported["after"]["events"]) == (4, 4)
    assert hashlib.sha256(out.getvalue()).hexdigest() == done.sha256 == exported["after"]["sha256"]
    assert "4 of 13 in the audit trail" in text
    assert f"actor: {OTHER.name}" in text
    assert "reason 0" in text
    assert "reason 1" not in text
    chosen = told.find(Filters(actor=OTHER.name))
    assert hashlib.sha256(b"".join(bytes.fromhex(one["hash"]) for one in chosen)).hexdigest() in text
    assert told.event(13).fields["hash"] in text
    assert "anchors.jsonl" in text


def test_more_than_can_be_printed_is_refused_and_leaves_no_file(
    told: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_print, "MOST_EVENTS", 12)
    with pytest.raises(InputError) as caught:
        told.export(tmp_path / "trail.pdf", "pdf")
    assert caught.value.code == "AUD-018"
    assert not list(tmp_path.glob("*trail.pdf*"))
    assert told.find(Filters(act="exported")) == []
    assert told.export(tmp_path / "trail.pdf", "pdf", Filters(entity="test")).events == 12
