"""The self-test finds what is wrong and goes on; the trail's service lists and verifies."""

import os
import signal

import pytest
import sqlcipher3.dbapi2

from lumen_desktop import app
from lumen_desktop.engine.fake import Behaviour
from lumen_desktop.storage import audit
from tests.rehearsal import CHAT, RehearsalSite


def findings(site: app.Site) -> dict[str, tuple[bool, str]]:
    return {finding.check: (finding.good, finding.found) for finding in site.doctor.examine()}


def test_a_healthy_site_is_good_everywhere(site: app.Site, rehearsed: type[RehearsalSite]) -> None:
    rehearsed.indexed = True
    list(site.library.reindex())
    found = findings(site)
    models = ["embedding model", "chat model", "vector index"]
    assert list(found) == ["program", "parts", "disk", "database", "audit trail", "signatures", *models]
    bad = {check for check, (good, _) in found.items() if not good}
    assert bad <= {"embedding model"}  # rehearsed vectors know words, not what they mean
    assert CHAT.sha256 in found["chat model"][1]
    assert "sqlcipher3" in found["parts"][1]
    assert "events, head" in found["audit trail"][1]


def test_an_index_that_lags_behind_is_named(site: app.Site, rehearsed: type[RehearsalSite]) -> None:
    rehearsed.indexed = True
    assert site.index
    site.index.discard()
    good, words = findings(site)["vector index"]
    assert not good
    assert "reindex" in words


def test_a_part_that_fails_is_named_and_the_others_go_on(site: app.Site, rehearsed: type[RehearsalSite]) -> None:
    rehearsed.chat_behaviour = Behaviour(crash_after=0)
    rehearsed.embedding_behaviour = Behaviour(crash_after=0)
    vars(site)["index"] = None
    site.doctor  # noqa: B018 - made while the site can write
    object.__setattr__(site.doctor, "vectors_agree", lambda: None)
    found = findings(site)
    assert {check for check, (good, _) in found.items() if not good} == {"embedding model", "chat model"}
    assert "ENG-002" in found["chat model"][1]
    assert "not looked at" in found["vector index"][1]


def test_little_disk_is_named(site: app.Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lumen_desktop.services.doctor.SMALLEST_FREE_BYTES", 2**60)
    object.__setattr__(site.doctor, "vectors_agree", lambda: None)
    assert not findings(site)["disk"][0]


def test_a_changed_trail_is_named_with_its_event(site: app.Site) -> None:
    count = site.audit.verify().events
    assert [event["seq"] for event in site.audit.newest(2)] == [count - 1, count]
    assert len(site.audit.newest(None)) == count
    raw = sqlcipher3.dbapi2.connect(str(site.place.folder.database()), isolation_level=None)
    raw.execute(f"PRAGMA key = \"x'{site._database.key.hex()}'\"")
    for guard in audit.GUARDS:
        raw.execute(f"DROP TRIGGER {guard}")
    raw.execute("UPDATE audit_event SET previous = ? WHERE seq = 3", (bytes(32),))
    raw.close()
    object.__setattr__(site.doctor, "vectors_agree", lambda: None)
    good, words = findings(site)["audit trail"]
    assert not good
    assert "broken at event 3" in words


def test_the_chat_engine_is_not_left_running(site: app.Site) -> None:
    object.__setattr__(site.doctor, "vectors_agree", lambda: None)
    findings(site)
    assert vars(site)["_chat_engine"][0].pid is None
    assert site.embedder.pid
    os.kill(site.embedder.pid, signal.SIGKILL)
    assert "tells like from unlike" in findings(site)["embedding model"][1]
