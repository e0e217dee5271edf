"""What a build is made from, and whether a model of it may be sold."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.testing

from lumen_desktop.errors import InputError
from tests.trainer import built
from trainer.cli import licence
from trainer.licences import LICENCES
from trainer.ownership import papers
from trainer.ownership.ledger import DEFAULT_BASE, ancestry, ledger, table, tools
from trainer.ownership.verdict import NON_COMMERCIAL, STAMP, UNKNOWN_LICENCE, UNTRACED, Cause, Verdict, verdict
from trainer.ownership.work import Work
from trainer.records import Message


def judged(work: Work) -> Verdict:
    return verdict(work, ledger(work))


def run(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(licence.command)
    return typer.testing.CliRunner().invoke(app, list(arguments))


def test_counts_documents_sections_words_and_examples_by_source_and_licence(tmp_path: Path) -> None:
    label, leaflet = ledger(built.sellable(tmp_path / "work")).materials
    assert (label.source, label.licence, label.documents, label.records) == ("dailymed", "LicenseRef-DailyMed", 1, 2)
    assert label.record_words == len("Take one tablet of 20 mg. Store it dry.".split())
    assert label.examples == {"train": 4, "validation": 0, "test": 1}
    assert label.used_documents == 1
    assert label.example_words == 4 * len("How much on day 1? 20 mg.".split()) + len("And then? 20 mg.".split())
    assert leaflet.examples == {"train": 0, "validation": 1, "test": 0}


def test_a_collected_source_without_examples_is_listed_and_not_counted_as_used(tmp_path: Path) -> None:
    work = built.built(tmp_path / "w", [built.LABEL, built.DRUGBANK], train=[built.example("label", built.LABEL)])
    found = ledger(work)
    assert [one.source for one in found.materials] == ["dailymed", "drugbank"]
    assert [one.source for one in found.used] == ["dailymed"]
    assert verdict(work, found).commercial


def test_the_base_model_is_listed_with_its_ancestors_and_their_licences() -> None:
    chain = ancestry(DEFAULT_BASE)
    assert [(one.id, one.licence) for one in chain] == [
        ("BioMistral/BioMistral-7B", "Apache-2.0"), ("mistralai/Mistral-7B-Instruct-v0.1", "Apache-2.0"),
    ]  # fmt: skip
    assert [one.id for one in ancestry("BioMistral/BioMistral-7B-SLERP")] == [
        "BioMistral/BioMistral-7B-SLERP", *(one.id for one in chain),
    ]  # fmt: skip


def test_every_base_names_known_parents_and_a_known_licence() -> None:
    for one in table("base")["base"]:
        assert ancestry(one["id"])[0].licence in LICENCES
        assert one["commercial"] == LICENCES[one["licence"]].commercial


def test_an_unknown_base_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(InputError, match="base model") as refused:
        ancestry("someone/else")
    assert refused.value.code == "TRN-043"
    assert DEFAULT_BASE in refused.value.hint


def test_tools_say_their_version_and_licence_where_they_are_installed() -> None:
    found = {one.name: one for one in tools()}
    assert found["lxml"].version
    assert "BSD" in found["lxml"].declared
    assert (found["transformers"].version == "") == (found["transformers"].declared == "")
    assert list(found) == sorted(found)


def test_a_build_of_free_sources_may_be_sold(tmp_path: Path) -> None:
    found = judged(built.sellable(tmp_path / "work"))
    assert found.commercial
    assert found.stamp == ""
    assert (found.examples, found.removed) == (6, 0)


def test_a_non_commercial_source_stamps_the_build_and_the_cost_is_told(tmp_path: Path) -> None:
    work, causes = built.mixed(tmp_path / "work"), list[Cause]()
    found = verdict(work, ledger(work), cause=causes.append)
    assert not found.commercial
    assert found.stamp == STAMP
    assert found.why == {NON_COMMERCIAL: {"drugbank (LicenseRef-DrugBank)": 2}}
    assert (found.examples, found.removed) == (3, 2)
    assert {name: (one.examples, one.removed, one.left) for name, one in found.families.items()} == {
        "interaction": (1, 1, 0), "label": (2, 1, 1),
    }  # fmt: skip
    assert found.vanish == ("interaction",)
    assert found.sources["dailymed (LicenseRef-DailyMed)"].removed == 1
    lines = (work.dataset / "train.jsonl").read_text(encoding="utf-8").splitlines()
    assert [one.id for one in causes] == [json.loads(line)["id"] for line in lines[:2]]


def test_an_example_that_claims_to_be_free_is_judged_by_its_records(tmp_path: Path) -> None:
    liar = built.example("interaction", built.DRUGBANK, licences=("CC0-1.0",), commercial=True)
    found = judged(built.built(tmp_path / "work", [built.DRUGBANK], train=[liar]))
    assert found.why == {NON_COMMERCIAL: {"drugbank (LicenseRef-DrugBank)": 1}}


def test_an_example_that_calls_itself_non_commercial_is_believed(tmp_path: Path) -> None:
    careful = built.example("label", built.LABEL, commercial=False)
    found = judged(built.built(tmp_path / "work", [built.LABEL], train=[careful]))
    assert found.why == {NON_COMMERCIAL: {"marked so when it was built": 1}}


def test_a_record_whose_licence_is_free_and_that_is_marked_not_is_not(tmp_path: Path) -> None:
    marked = built.record("dailymed:x", "LicenseRef-DailyMed", commercial=False)
    found = judged(built.built(tmp_path / "w", [marked], train=[built.example("label", marked, commercial=True)]))
    assert found.why == {NON_COMMERCIAL: {"dailymed (LicenseRef-DailyMed)": 1}}


def test_a_licence_that_only_the_example_states_counts(tmp_path: Path) -> None:
    more = built.example("label", built.LABEL, licences=("CC-BY-NC-4.0", "LicenseRef-DailyMed"))
    found = judged(built.built(tmp_path / "work", [built.LABEL], train=[more]))
    assert found.why == {NON_COMMERCIAL: {"stated by the example (CC-BY-NC-4.0)": 1}}


def test_a_document_that_was_never_collected_stands_in_the_way(tmp_path: Path) -> None:
    found = judged(built.built(tmp_path / "work", [], train=[built.example("label", built.LABEL)]))
    assert found.why == {UNTRACED: {"dailymed": 1}}
    assert not found.commercial


def test_a_licence_that_nobody_knows_stands_in_the_way(tmp_path: Path) -> None:
    strange = built.record("web:1", "LicenseRef-Homemade")
    found = judged(built.built(tmp_path / "work", [strange], train=[built.example("label", strange)]))
    assert found.why == {UNKNOWN_LICENCE: {"web (LicenseRef-Homemade)": 1}}


def test_the_trainers_own_wording_needs_no_licence_but_replayed_talk_does(tmp_path: Path) -> None:
    own = built.example("refusal", question="Harm?", answer="No.", answerable=None)
    replay = built.example("replay", question="Hello?", answer="Hello.", answerable=None)
    licensed = built.example("replay", question="Hi?", answer="Hi.", answerable=None, licences=("MIT",))
    work = built.built(tmp_path / "work", [], train=[own, replay, licensed])
    assert judged(work).why == {UNKNOWN_LICENCE: {"lumen (no licence)": 1}}
    assert [one.licence for one in ledger(work).materials] == ["", "MIT"]


def test_replayed_talk_goes_by_the_licence_that_its_user_stated(tmp_path: Path) -> None:
    free, bound, bare = (
        built.example("replay", question=licence, doc_ids=("talk:1",), licences=(licence,) if licence else ())
        for licence in ("Apache-2.0", "CC-BY-NC-4.0", "")
    )
    work = built.built(tmp_path / "work", [], train=[free, bound, bare])
    assert judged(work).why == {
        NON_COMMERCIAL: {"stated by the example (CC-BY-NC-4.0)": 1}, UNKNOWN_LICENCE: {"talk (no licence)": 1},
    }  # fmt: skip
    assert [(one.source, one.licence, one.commercial) for one in ledger(work).materials] == [
        ("talk", "", False), ("talk", "Apache-2.0", True), ("talk", "CC-BY-NC-4.0", False),
    ]  # fmt: skip


def test_no_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        ledger(Work(tmp_path))
    assert refused.value.code == "TRN-040"


def test_an_empty_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        ledger(built.built(tmp_path / "work", [built.LABEL]))
    assert refused.value.code == "TRN-040"


@pytest.mark.parametrize("damage", [b"{", b'{"id":"x"}', b"[]", b"\xff\xfe", b"null"])
def test_a_damaged_line_is_named(tmp_path: Path, damage: bytes) -> None:
    work = built.sellable(tmp_path / "work")
    with (work.dataset / "train.jsonl").open("ab") as file:
        file.write(damage + b"\n")
    with pytest.raises(InputError, match=r"Line 5 of train\.jsonl") as refused:
        ledger(work)
    assert refused.value.code == "TRN-008"


def test_a_file_that_was_cut_off_is_named(tmp_path: Path) -> None:
    work = built.sellable(tmp_path / "work")
    path = work.dataset / "train.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="middle of line 4") as refused:
        ledger(work)
    assert refused.value.code == "TRN-009"


def test_a_record_changed_on_disk_is_named(tmp_path: Path) -> None:
    work = built.sellable(tmp_path / "work")
    path = work.record_files()[0]
    path.write_bytes(path.read_bytes().replace(b"20 mg", b"80 mg"))
    with pytest.raises(InputError, match=r"Line 1 of part-00000\.jsonl"):
        ledger(work)


def test_command_says_yes_with_its_conditions(tmp_path: Path) -> None:
    work = built.sellable(tmp_path / "work")
    result = run("--work", str(work.folder))
    assert result.exit_code == 0, result.output
    assert "may be sold" in result.output
    assert LICENCES["LicenseRef-DailyMed"].note in result.output
    assert "not-for-sale" not in result.output
    assert not list(work.folder.glob("not-for-sale*"))


def test_command_says_no_names_the_examples_and_the_cost(tmp_path: Path) -> None:
    work = built.mixed(tmp_path / "work")
    result = run("--work", str(work.folder))
    assert result.exit_code == 1
    assert STAMP in result.output
    assert "2 of 3 examples (66.7%)" in result.output
    assert "Nothing would be left of the family interaction." in result.output
    named = [json.loads(line) for line in (work.folder / licence.CAUSES).read_text(encoding="utf-8").splitlines()]
    assert [(one["family"], one["split"]) for one in named] == [("interaction", "train"), ("label", "train")]
    assert named[0]["why"] == {NON_COMMERCIAL: ["drugbank (LicenseRef-DrugBank)"]}


def test_command_takes_back_the_file_of_an_earlier_no(tmp_path: Path) -> None:
    work = built.sellable(tmp_path / "work")
    (work.folder / licence.CAUSES).write_text("{}\n", encoding="utf-8")
    assert run("--work", str(work.folder)).exit_code == 0
    assert not (work.folder / licence.CAUSES).exists()


def test_command_prints_one_json_value(tmp_path: Path) -> None:
    result = run("--work", str(built.mixed(tmp_path / "work").folder), "--json")
    found = json.loads(result.output)
    assert result.exit_code == 1
    assert (found["commercial"], found["removed"], found["families_that_vanish"]) == (False, 2, ["interaction"])
    assert found["changed_since_manifest"] is None
    assert found["base"][0]["id"] == DEFAULT_BASE


def test_command_says_what_changed_since_the_manifest(tmp_path: Path) -> None:
    work = built.sellable(tmp_path / "work")
    papers.write(work, built.MADE, report=built.REPORT, name="small")
    assert json.loads(run("--work", str(work.folder), "--json").output)["changed_since_manifest"] == []
    (work.dataset / "card.md").write_text("May be sold.", encoding="utf-8")
    output = run("--work", str(work.folder)).output
    assert "Changed since the manifest was written: card.md (changed)." in output


def test_own_wording_is_shown_as_such(tmp_path: Path) -> None:
    work = built.built(tmp_path / "work", [], train=[built.example("refusal", answerable=None)])
    assert re.search(r"lumen +own wording +yes +1", run("--work", str(work.folder)).output)


def test_command_shows_no_control_character_of_a_family(tmp_path: Path) -> None:
    odd = built.example("la\x1b[2Jbel", built.LABEL)
    work = built.built(tmp_path / "work", [built.LABEL], train=[odd, built.example("dosing", built.DRUGBANK)])
    assert "\x1b" not in run("--work", str(work.folder)).output


def test_a_forbidding_base_stands_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = built.sellable(tmp_path / "work")
    bases = [{**one, "commercial": False} for one in table("base")["base"]]
    monkeypatch.setitem(table("base"), "base", bases)
    result = run("--work", str(work.folder))
    assert result.exit_code == 1
    assert "The licence of the base model BioMistral/BioMistral-7B forbids it." in result.output


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    work = built.sellable(tmp_path / "work")
    (work.folder / f"{licence.CAUSES}.part").mkdir()
    refused = run("--work", str(work.folder)).exception
    assert getattr(refused, "code", "") == "TRN-010"


def test_an_id_follows_from_the_words_alone() -> None:
    one = built.example("label", built.LABEL)
    other = built.example("dosing", built.LEAFLET)
    assert one.messages == other.messages == (Message("user", "How much?"), Message("assistant", "20 mg."))
    assert one.id == other.id
