"""The notices of a build: what its licences ask for, and nothing that it does not use."""

from pathlib import Path

import pytest

from tests.trainer import built
from trainer.licences import LICENCES
from trainer.ownership import notices
from trainer.ownership.ledger import Ledger, ledger, table
from trainer.ownership.verdict import STAMP, verdict
from trainer.ownership.work import Work
from trainer.records import Record


def accounts(folder: Path, *records: Record) -> tuple[Work, Ledger]:
    work = built.built(folder, records, train=[built.example("label", one) for one in records])
    return work, ledger(work)


def texts(folder: Path, *records: Record, replaced: bool = False) -> dict[str, str]:
    work, found = accounts(folder, *records)
    return notices.texts(found, verdict(work, found), replaced=replaced)


def flat(text: str) -> str:
    return " ".join(text.split())


def test_every_licence_that_the_trainer_knows_has_its_duty_written_once() -> None:
    written = [licence for duty in table("duties")["duty"] for licence in duty["ids"]]
    assert sorted(written) == sorted(LICENCES)


def test_only_the_licences_used_are_written(tmp_path: Path) -> None:
    notice = texts(tmp_path / "work", built.LABEL)[notices.NOTICE]
    assert "LicenseRef-DailyMed" in notice
    assert [one for one in LICENCES if f"({one})" in notice] == ["LicenseRef-DailyMed"]
    assert "WITHOUT WARRANTY" not in notice
    assert STAMP not in notice


def test_a_source_collected_but_not_used_leaves_no_trace(tmp_path: Path) -> None:
    work = built.built(tmp_path / "w", [built.LABEL, built.DRUGBANK], train=[built.example("label", built.LABEL)])
    found = ledger(work)
    assert "DrugBank" not in notices.notice(found, verdict(work, found))


def test_an_article_is_named_with_title_authors_place_licence_and_change(tmp_path: Path) -> None:
    found = texts(tmp_path / "work", built.ARTICLE)
    named = flat(found[notices.ATTRIBUTIONS])
    assert '"A trial of tablets". Ada Bell; Cy Dole. pmc:PMC1. version 3, 2026-01-31.' in named
    assert "https://example.org/pmc/PMC1" in named
    assert LICENCES["CC-BY-4.0"].url in named
    assert "Changed as said above." in named
    assert "What was changed: documents were cut" in named
    assert f"Each work is named in {notices.ATTRIBUTIONS}" in flat(found[notices.NOTICE])


def test_an_article_without_authors_points_to_where_they_are_named(tmp_path: Path) -> None:
    nobody = built.record("pmc:PMC2", "CC-BY-4.0")
    assert "authors as named there" in flat(texts(tmp_path / "work", nobody)[notices.ATTRIBUTIONS])


def test_a_source_that_is_one_work_is_credited_once_and_not_listed(tmp_path: Path) -> None:
    found = texts(tmp_path / "work", built.record("medquad:1", "CC-BY-4.0"))
    assert notices.ATTRIBUTIONS not in found
    assert "Asma Ben Abacha and Dina Demner-Fushman" in found[notices.NOTICE]


def test_mit_keeps_the_copyright_line_and_the_permission(tmp_path: Path) -> None:
    notice = texts(tmp_path / "work", built.record("pubmedqa:1", "MIT"))[notices.NOTICE]
    assert "Copyright (c) 2019 pubmedqa" in notice
    assert "Permission is hereby granted, free of charge" in notice


def test_a_copyright_line_that_is_not_known_is_asked_for(tmp_path: Path) -> None:
    notice = texts(tmp_path / "work", built.record("medmcqa:1", "MIT"))[notices.NOTICE]
    assert (
        "Its copyright line is not known to lumen-trainer: copy it from the licence at https://github.com/medmcqa"
        in flat(notice)
    )


def test_apache_of_the_base_model_brings_the_licence_itself_and_the_statement_of_change(tmp_path: Path) -> None:
    found = texts(tmp_path / "work", built.LABEL)
    assert "Version 2.0, January 2004" in found[notices.APACHE_TEXT]
    assert found[notices.APACHE_TEXT] == (Path(__file__).resolve().parents[2] / "LICENSE").read_text(encoding="utf-8")
    assert "mistralai/Mistral-7B-Instruct-v0.1, by Mistral AI, under Apache-2.0" in flat(found[notices.NOTICE])
    assert "Its section 4 asks four things" in flat(found[notices.NOTICE])
    assert "The weights of such a model are changed" in found[notices.NOTICE]


def test_agencies_are_acknowledged_in_the_form_that_their_terms_ask(tmp_path: Path) -> None:
    ogl, ich = built.record("guidance:mhra", "OGL-UK-3.0"), built.record("guidance:q9", "LicenseRef-ICH")
    notice = flat(texts(tmp_path / "work", built.LEAFLET, ogl, ich)[notices.NOTICE])
    assert "Contains public sector information licensed under the Open Government Licence v3.0." in notice
    assert "Source: European Medicines Agency" in notice
    assert "Copyright International Council for Harmonisation" in notice


def test_a_non_commercial_build_is_stamped_in_its_notice(tmp_path: Path) -> None:
    assert STAMP in texts(tmp_path / "work", built.DRUGBANK)[notices.NOTICE]


def test_what_was_replaced_or_reworded_is_said_only_where_it_was(tmp_path: Path) -> None:
    plain = flat(texts(tmp_path / "a", built.LABEL)[notices.NOTICE])
    assert "replaced by words in brackets" not in plain
    assert "language model reworded" not in plain
    work = built.built(tmp_path / "b", [built.LABEL], train=[built.example("label", built.LABEL, synthetic=True)])
    found = ledger(work)
    full = flat(notices.notice(found, verdict(work, found), replaced=True))
    assert "replaced by words in brackets" in full
    assert "A language model reworded some of it" in full


def test_a_title_from_a_stranger_cannot_break_its_line(tmp_path: Path) -> None:
    odd = built.record("pmc:PMC3", "CC-BY-4.0", title="A\n\nNOTICE\x1b[2J\u202egnp", facts={"authors": "E. Vil\nB"})
    named = texts(tmp_path / "work", odd)[notices.ATTRIBUTIONS]
    assert '"A NOTICE [2Jgnp". E. Vil B.' in named


def test_a_source_without_credits_is_named_by_itself(tmp_path: Path) -> None:
    assert "- newsource" in texts(tmp_path / "work", built.record("newsource:1", "CC0-1.0"))[notices.NOTICE]


def test_replayed_talk_is_named_by_its_file_and_no_list_is_promised(tmp_path: Path) -> None:
    talk = built.example("replay", doc_ids=("openchat:1",), licences=("CC-BY-4.0",))
    found = ledger(built.built(tmp_path / "work", [], train=[talk]))
    notice = notices.notice(found, verdict(Work(tmp_path / "work"), found))
    assert "- openchat\n" in notice
    assert notices.ATTRIBUTIONS not in notice


def test_lines_can_be_read_in_a_terminal(tmp_path: Path) -> None:
    notice = texts(tmp_path / "work", built.LABEL, built.ARTICLE)[notices.NOTICE]
    assert max(len(line) for line in notice.splitlines() if "https://" not in line) <= 100


@pytest.mark.parametrize("licence", sorted(LICENCES))
def test_every_licence_makes_a_notice_with_its_title(tmp_path: Path, licence: str) -> None:
    assert LICENCES[licence].title in texts(tmp_path / "work", built.record("web:1", licence))[notices.NOTICE]


def test_conditions_name_what_an_owner_should_know(tmp_path: Path) -> None:
    _, found = accounts(tmp_path / "work", built.LABEL)
    assert [of for of, _ in notices.conditions(found)] == [
        "Apache-2.0", "LicenseRef-DailyMed", "BioMistral/BioMistral-7B", "mistralai/Mistral-7B-Instruct-v0.1",
    ]  # fmt: skip
