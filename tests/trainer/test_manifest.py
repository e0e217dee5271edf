"""The manifest: the digests of a build, and which file is not as it was built."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop import __version__
from lumen_desktop.errors import IntegrityError, StorageError
from tests.trainer import built
from trainer.ownership import manifest, notices, papers
from trainer.ownership.manifest import Difference, FileFact, canonical, digested, read, verify
from trainer.ownership.work import Work


def written(folder: Path, make: Callable[[Path], Work] = built.sellable) -> Work:
    work = make(folder)
    papers.write(work, built.MADE, report=built.REPORT, name="small")
    return work


def test_it_lists_inputs_records_outputs_settings_and_programs(tmp_path: Path) -> None:
    fields = read(written(tmp_path / "work").dataset)
    assert fields["trainer"] == __version__
    assert fields["seeds"] == {"dataset": 7}
    assert fields["inputs"] == [{"name": "labels.zip", "size_bytes": 1234, "sha256": "ab" * 32}]
    assert [one["name"] for one in fields["records"]] == ["dailymed/part-00000.jsonl", "ema/part-00000.jsonl"]
    assert [one["name"] for one in fields["outputs"]] == [
        "ATTRIBUTIONS.txt", "LICENSES/Apache-2.0.txt", "NOTICE", "card.md", "licences.json", "rejects.jsonl",
        "test.jsonl", "train.jsonl", "validation.jsonl",
    ]  # fmt: skip
    assert fields["packages"]["rfc8785"]
    assert "transformers" not in fields["packages"] or fields["packages"]["transformers"]
    assert (fields["commercial"], fields["stamp"]) == (True, "")


def test_a_non_commercial_build_is_stamped_in_manifest_and_ledger(tmp_path: Path) -> None:
    work = written(tmp_path / "work", built.mixed)
    assert read(work.dataset)["commercial"] is False
    accounts = json.loads((work.dataset / papers.LEDGER).read_text(encoding="utf-8"))
    assert accounts["verdict"]["stamp"].startswith("NON-COMMERCIAL")
    assert [one["source"] for one in accounts["materials"]] == ["dailymed", "drugbank"]


def test_the_same_build_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a"), written(tmp_path / "b")
    for path in sorted(first.dataset.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (second.dataset / path.relative_to(first.dataset)).read_bytes(), path.name


def test_writing_the_papers_again_changes_nothing(tmp_path: Path) -> None:
    work = written(tmp_path / "work")
    before = (work.dataset / manifest.NAME).read_bytes()
    papers.write(work, built.MADE, report=built.REPORT, name="small")
    assert (work.dataset / manifest.NAME).read_bytes() == before


def test_papers_that_are_owed_no_more_are_taken_away(tmp_path: Path) -> None:
    work = built.built(tmp_path / "w", [built.LABEL], train=[built.example("label", built.LABEL)])
    (work.dataset / notices.ATTRIBUTIONS).write_text("of an earlier build", encoding="utf-8")
    papers.write(work, built.MADE, report={}, name="small")
    assert not (work.dataset / notices.ATTRIBUTIONS).exists()


def test_an_untouched_build_verifies(tmp_path: Path) -> None:
    assert verify(written(tmp_path / "work").dataset) == ()


def test_each_kind_of_difference_is_named(tmp_path: Path) -> None:
    work = written(tmp_path / "work")
    train = work.dataset / "train.jsonl"
    train.write_bytes(train.read_bytes().replace(b"20 mg", b"80 mg"))  # the size stays
    (work.dataset / "NOTICE").unlink()
    (work.dataset / "more.jsonl").write_bytes(b"{}\n")
    records = work.collected / "ema" / "part-00000.jsonl"
    records.write_bytes(records.read_bytes() + b"\n")
    assert verify(work.dataset) == (
        Difference("NOTICE", "missing"), Difference("collected/ema/part-00000.jsonl", "changed"),
        Difference("more.jsonl", "unlisted"), Difference("train.jsonl", "changed"),
    )  # fmt: skip


def test_a_dataset_may_travel_without_the_collected_records(tmp_path: Path) -> None:
    work = written(tmp_path / "work")
    work.dataset.rename(tmp_path / "alone")
    assert verify(tmp_path / "alone") == ()


def changed(fields: dict[str, Any], **more: Any) -> bytes:
    return canonical({**fields, **more})


BAD: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "no JSON": lambda _: b"{",
    "no object": lambda _: b"[]\n",
    "other schema": lambda fields: changed(fields, schema="other"),
    "newer version": lambda fields: changed(fields, version=2),
    "not canonical": lambda fields: json.dumps(fields, indent=1).encode(),
    "without outputs": lambda fields: canonical({k: v for k, v in fields.items() if k != "outputs"}),
    "above the folder": lambda fields: changed(fields, outputs=[{"name": "../x", "size_bytes": 1, "sha256": "0" * 64}]),
    "absolute": lambda fields: changed(fields, records=[{"name": "/etc/hosts", "size_bytes": 1, "sha256": "0" * 64}]),
    "a drive": lambda fields: changed(fields, outputs=[{"name": "C:x", "size_bytes": 1, "sha256": "0" * 64}]),
    "no size": lambda fields: changed(fields, outputs=[{"name": "x", "size_bytes": "1", "sha256": "0" * 64}]),
    "no digest": lambda fields: changed(fields, outputs=[{"name": "x", "size_bytes": 1, "sha256": "0"}]),
    "deep": lambda _: b"[" * 100_000,
    "not text": lambda _: b"\xff",
}


@pytest.mark.parametrize("kind", BAD)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, kind: str) -> None:
    work = written(tmp_path / "work")
    (work.dataset / manifest.NAME).write_bytes(BAD[kind](read(work.dataset)))
    with pytest.raises(IntegrityError) as refused:
        verify(work.dataset)
    assert refused.value.code == "TRN-042"


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="missing"):
        read(tmp_path)


def test_digests_are_those_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    fact = digested(path)
    assert (fact.name, fact.size_bytes) == ("abc", 3)
    assert fact.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digested(path, name="other").name == "other"


def test_inputs_are_those_that_collecting_digested(tmp_path: Path) -> None:
    work = built.sellable(tmp_path / "work")
    assert manifest.inputs(work) == ()
    listed = [{"source": "dailymed", "file": "labels.zip", "size_bytes": 9, "sha256": "cd" * 32}]
    (work.collected / "inputs.json").write_text(json.dumps(listed), encoding="utf-8")
    assert manifest.inputs(work) == (FileFact("labels.zip", 9, "cd" * 32),)


@pytest.mark.parametrize("damage", ["{", '[{"file": "x"}]', "[1]", "3"])
def test_a_damaged_list_of_inputs_is_refused(tmp_path: Path, damage: str) -> None:
    work = built.sellable(tmp_path / "work")
    (work.collected / "inputs.json").write_text(damage, encoding="utf-8")
    with pytest.raises(IntegrityError) as refused:
        manifest.inputs(work)
    assert refused.value.code == "TRN-041"


def test_a_paper_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    work = built.sellable(tmp_path / "work")
    (work.dataset / notices.NOTICE).mkdir()
    with pytest.raises(StorageError, match="NOTICE cannot be written") as refused:
        papers.write(work, built.MADE, report={}, name="small")
    assert refused.value.code == "TRN-010"
