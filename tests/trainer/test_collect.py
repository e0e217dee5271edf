"""Collecting: what is read, what stays, and what is counted."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop.errors import InputError, StorageError
from tests.trainer.conftest import (
    Configured,
    collect,
    line,
    packed,
    records,
    rejects,
    written,
    zipped,
)

pytestmark = pytest.mark.usefixtures("alone")


def test_a_record_says_where_it_comes_from(configured: Configured, tmp_path: Path) -> None:
    written(tmp_path / "in" / "sub" / "a.jsonl", line("1", "One.", " ", "Three.", version="2", as_of="2024-05-01"))
    done = collect(configured({"tiny": ["in"]}))
    first, second = records(tmp_path / "work")
    assert (first.id, second.id, first.doc_id) == ("tiny:1#1", "tiny:1#3", "tiny:1")
    assert (first.file, first.title) == ("in/sub/a.jsonl", "Label in sub/a.jsonl")
    assert (first.licence, first.commercial, first.version, first.as_of) == ("CC0-1.0", True, "2", "2024-05-01")
    assert (second.section_path, second.section_code, second.text) == (("Uses", "3"), "c3", "Three.")
    assert first.entity.ingredients[0].unii == "ABCDE12345"
    assert done.as_json()["sources"]["tiny"] == {
        "files": 1, "size_bytes": (tmp_path / "in/sub/a.jsonl").stat().st_size, "documents": 1, "records": 2,
        "characters": 10, "licences": {"CC0-1.0": 2}, "rejects": {},
    }  # fmt: skip
    inputs_read = json.loads((tmp_path / "work/collected/inputs.json").read_text())
    assert inputs_read[0]["file"] == "in/sub/a.jsonl"
    assert len(inputs_read[0]["sha256"]) == 64


def test_packed_files_are_opened(configured: Configured, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(packed(line("gz"))))
    inner = zipped(("x.jsonl", packed(line("inner"))), ("picture.jpg", b"no"))
    release = zipped(("one.zip", inner), ("b.jsonl.gz", gzip.compress(packed(line("gz-in-zip")))), ("readme.txt", b"-"))
    (folder / "release.zip").write_bytes(release)
    (folder / ".hidden.jsonl").write_text("broken")
    (folder / "notes.txt").write_text("broken")
    collect(configured({"tiny": ["in"]}))
    assert {record.doc_id: record.file for record in records(tmp_path / "work")} == {
        "tiny:gz": "in/a.jsonl.gz",
        "tiny:inner": "in/release.zip!one.zip!x.jsonl",
        "tiny:gz-in-zip": "in/release.zip!b.jsonl.gz",
    }


def test_a_reader_of_zips_gets_them_closed(configured: Configured, tmp_path: Path) -> None:
    (tmp_path / "t.zip").write_bytes(zipped(("Products.txt", b"1"), ("Applications.txt", b"2")))
    collect(configured({"tables": ["t.zip"]}))
    assert [record.text for record in records(tmp_path / "work")] == ["Products.txt", "Applications.txt"]


def test_what_cannot_be_used_is_counted_and_the_rest_is_read(configured: Configured, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    written(folder / "a.jsonl", line("1"), line("2", " "), {"id": "9", "fault": "no-text"}, line("3", "half \ud800"))
    written(folder / "b.jsonl", line("4"), {"refuse": "FMT-002"})
    (folder / "c.jsonl").write_bytes(packed(line("5")) + b"{broken\n")
    (folder / "d.jsonl.gz").write_bytes(gzip.compress(packed(line("6")) * 20)[:-20])
    (folder / "e.zip").write_bytes(b"PK\x03\x04 and nothing else")
    deep = zipped(("deep.zip", zipped(("deeper.zip", zipped(("x.jsonl", packed(line("7"))))))))
    bad = zipped(("bad.zip", b"no zip"), ("good.jsonl", packed(line("8"))), ("fails.jsonl", b"{broken\n"))
    (folder / "f.zip").write_bytes(bad)
    (folder / "g.zip").write_bytes(deep)
    (folder / "h.jsonl").write_bytes(b"")
    done = collect(configured({"tiny": ["in"]}))
    assert [record.doc_id for record in records(tmp_path / "work")] == [
        "tiny:1", "tiny:4", "tiny:5", "tiny:8"
    ]  # fmt: skip
    found = rejects(tmp_path / "work")
    assert found == [
        ("in/a.jsonl#2", "no-text"),
        ("in/a.jsonl#9", "no-text"),
        ("in/a.jsonl#3", "wrong-form"),
        ("in/b.jsonl", "FMT-002"),
        ("in/c.jsonl", "TRN-011"),
        ("in/d.jsonl.gz", "FMT-002"),
        ("in/e.zip", "FMT-001"),
        ("in/f.zip!bad.zip", "FMT-001"),
        ("in/f.zip!fails.jsonl", "TRN-011"),
        ("in/g.zip!deep.zip", "FMT-004"),
        ("in/h.jsonl", "empty"),
    ]
    assert done.sources["tiny"].rejects["FMT-001"] == 2
    assert sum(done.sources["tiny"].rejects.values()) == len(found)


def test_a_file_that_cannot_be_read_ends_the_run_where_that_is_wanted(configured: Configured, tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", line("1"), {"refuse": "FMT-002"})
    config = configured({"tiny": ["a.jsonl"]}, collect={"on_error": "stop"})
    with pytest.raises(InputError, match=r"a\.jsonl: The file ends too early") as refusal:
        collect(config)
    assert refusal.value.code == "FMT-002"
    assert not (tmp_path / "work/collected/summary.json").exists()


def test_a_file_that_the_disk_refuses_is_counted(
    configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "a.jsonl", line("1"))

    def failing(stream: Any, name: str) -> Any:
        raise OSError(5, "Input/output error")

    config = configured({"tiny": ["a.jsonl"]})
    monkeypatch.setattr("tests.trainer.tiny_sources.ALL", (_with(failing),))
    collect(config)
    assert rejects(tmp_path / "work") == [("a.jsonl", "TRN-018")]


def _with(read: Any) -> Any:
    from tests.trainer.tiny_sources import source  # noqa: PLC0415 - the test replaces it there

    return source("tiny", read=read)


def test_without_a_licence_nothing_is_collected(configured: Configured, tmp_path: Path) -> None:
    lines = [line("1"), line("2", licence="MIT"), line("3", licence="Proprietary"), line("4", licence="CC-BY-NC-4.0")]
    written(tmp_path / "a.jsonl", *lines)
    written(tmp_path / "annex-1.jsonl", line("5"), line("6", licence="MIT"))
    choice = {"files": ["a.jsonl", "annex-1.jsonl"], "licences": {"annex*": "LicenseRef-EC-Reuse"}}
    collect(configured({"unstated": choice, "strange": ["a.jsonl"]}))
    mine = [record for record in records(tmp_path / "work") if record.source == "unstated"]
    assert [(record.doc_id[9:], record.licence, record.commercial) for record in mine] == [
        ("2", "MIT", True), ("4", "CC-BY-NC-4.0", False), ("5", "LicenseRef-EC-Reuse", True), ("6", "MIT", True),
    ]  # fmt: skip
    assert ("a.jsonl#1", "no-licence") in rejects(tmp_path / "work")
    assert rejects(tmp_path / "work").count(("a.jsonl#3", "unknown-licence")) == 2
    assert ("a.jsonl#1", "unknown-licence") in rejects(tmp_path / "work")


@pytest.mark.parametrize(
    ("sources", "code"),
    [
        ({"nobody": ["a.jsonl"]}, "TRN-005"),
        ({"closed": ["a.jsonl"]}, "TRN-005"),
        ({"closed": {"files": ["a.jsonl"], "use": True}}, "TRN-006"),
        ({"tiny": ["missing.jsonl"]}, "TRN-007"),
        ({"tiny": ["empty"]}, "TRN-007"),
        ({"tiny": []}, "TRN-007"),
        ({"tiny": ["."]}, "TRN-007"),
    ],
)
def test_what_the_configuration_does_not_accept_is_refused_before_anything_is_read(
    configured: Configured, tmp_path: Path, sources: dict[str, Any], code: str
) -> None:
    (tmp_path / "empty").mkdir()
    written(tmp_path / "a.jsonl", line("1"))
    with pytest.raises(InputError) as refusal:
        collect(configured(sources))
    assert refusal.value.code == code
    assert not (tmp_path / "work").exists()


def test_a_source_that_is_switched_off_is_left_out(configured: Configured, tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", line("1"))
    off = {"closed": {"files": ["gone"], "use": False}}
    assert list(collect(configured({"tiny": ["a.jsonl"], **off})).sources) == ["tiny"]
    on = {"closed": {"files": ["a.jsonl"], "use": True, "accept_terms": True}}
    collect(configured(on))
    assert [(one.source, one.commercial) for one in records(tmp_path / "work")] == [("closed", False)]


def test_the_newest_version_stays(configured: Configured, tmp_path: Path) -> None:
    written(tmp_path / "in/n1.jsonl", line("a", "A9.", version="9"), line("b", "B1."), line("c", "C2.", version="2"))
    written(tmp_path / "in/n2.jsonl", line("a", "A10.", version="10"), line("b", "B2."), line("c", "C1.", version="1"))
    written(tmp_path / "in/n3.jsonl", line("d", "D.", as_of="2024-02"), line("d", "D old.", as_of="2023-12-31"))
    collect(configured({"tiny": ["in"]}))
    assert [record.text for record in records(tmp_path / "work")] == ["C2.", "A10.", "B2.", "D."]
    assert rejects(tmp_path / "work") == [
        ("in/n1.jsonl#a", "superseded"), ("in/n1.jsonl#b", "repeated"), ("in/n2.jsonl#c", "superseded"),
        ("in/n3.jsonl#d", "superseded"),
    ]  # fmt: skip


def test_what_its_publisher_took_back_goes_unless_it_came_back(configured: Configured, tmp_path: Path) -> None:
    kept, gone, back, taken = (line(name, f"{name}.", version="3") for name in ("kept", "gone", "back", "taken"))
    written(tmp_path / "base/n0001.jsonl", kept, gone, back, taken)
    faults = [{"id": "gone", "fault": "deleted"}, {"id": "back", "fault": "deleted"}, {"id": "no", "fault": "deleted"}]
    written(tmp_path / "a-updates/n0002.jsonl", *faults, {"id": "taken", "fault": "retracted"})
    written(tmp_path / "a-updates/n0003.jsonl", line("back", "Back again.", version="1"))
    collect(configured({"tiny": ["base", "a-updates"]}))
    assert [record.text for record in records(tmp_path / "work")] == ["kept.", "Back again."]
    assert rejects(tmp_path / "work") == [
        ("base/n0001.jsonl#gone", "deleted"), ("base/n0001.jsonl#back", "deleted"),
        ("base/n0001.jsonl#taken", "retracted"), ("a-updates/n0002.jsonl#taken", "retracted"),
    ]  # fmt: skip


def test_what_rested_on_a_consent_goes_with_it_wherever_it_stands(configured: Configured, tmp_path: Path) -> None:
    items = [line("c1/1"), line("c1/2"), line("c2/1"), line("c11/1")]
    written(tmp_path / "in/a-withdrawals.jsonl", {"id": "c1", "fault": "withdrawn"})
    written(tmp_path / "in/items.jsonl", *items)
    collect(configured({"consent": ["in"]}))
    assert [record.doc_id for record in records(tmp_path / "work")] == ["consent:c2/1", "consent:c11/1"]
    assert rejects(tmp_path / "work") == [("in/items.jsonl#c1/1", "withdrawn"), ("in/items.jsonl#c1/2", "withdrawn")]


def test_without_the_whole_list_of_withdrawals_nothing_is_collected(configured: Configured, tmp_path: Path) -> None:
    written(tmp_path / "in/a-withdrawals.jsonl", {"id": "c1", "fault": "withdrawn"}, {"refuse": "FMT-002"})
    written(tmp_path / "in/items.jsonl", line("c1/1"))
    with pytest.raises(InputError, match="a-withdrawals"):
        collect(configured({"consent": ["in"]}))
    assert not (tmp_path / "work/collected").exists()


def test_a_file_that_cannot_be_opened_is_counted(
    configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "in/a.jsonl", line("1"))
    written(tmp_path / "in/b.jsonl", line("2"))
    opened = Path.open

    def refusing(path: Path, *arguments: Any, **options: Any) -> Any:
        if path == file:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refusing)
    collect(configured({"tiny": ["in"]}))
    assert rejects(tmp_path / "work") == [("in/a.jsonl", "TRN-018")]
    assert [record.doc_id for record in records(tmp_path / "work")] == ["tiny:2"]


def test_a_file_named_twice_is_read_once(configured: Configured, tmp_path: Path) -> None:
    written(tmp_path / "in/a.jsonl", line("1"))
    assert collect(configured({"tiny": ["in", "in/a.jsonl"]})).units == 1


def test_without_hard_links_records_are_copied(
    configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "a.jsonl", line("1"))

    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    collect(configured({"tiny": ["a.jsonl"]}))
    assert [record.doc_id for record in records(tmp_path / "work")] == ["tiny:1"]


def test_a_full_disk_ends_the_run_with_a_sentence(configured: Configured, tmp_path: Path, small_disk: Path) -> None:
    written(tmp_path / "a.jsonl", *(line(str(n), "word " * 4000) for n in range(2000)))
    config = configured({"tiny": ["a.jsonl"]}, work=str(small_disk / "work"))
    with pytest.raises(StorageError, match="No space left") as refusal:
        collect(config)
    assert refusal.value.code == "TRN-010"
