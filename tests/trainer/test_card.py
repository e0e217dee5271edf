"""The dataset card: the head that Hugging Face reads, and every number from the build itself."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.trainer import built
from trainer.inspect.figures import figures_of
from trainer.ownership import card, manifest
from trainer.ownership.ledger import ledger
from trainer.ownership.verdict import STAMP, verdict
from trainer.ownership.work import Work


def told(work: Work, report: Mapping[str, Any] = built.REPORT, name: str = "Small set") -> card.Told:
    accounts = ledger(work)
    judged = verdict(work, accounts)
    begun = manifest.origin(built.MADE, accounts, judged)
    return card.Told(name, accounts, judged, figures_of(work), report, begun)


def head(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return found


def part(text: str, title: str) -> str:
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_head_names_licence_language_size_and_files(tmp_path: Path) -> None:
    found = head(card.card(told(built.sellable(tmp_path / "work"))))
    assert found["pretty_name"] == "Small set"
    assert (found["license"], found["license_name"], found["license_link"]) == ("other", "see-notice", "NOTICE")
    assert (found["language"], found["size_categories"]) == (["en"], ["n<1K"])
    files = found["configs"][0]["data_files"]
    assert files == [{"split": s, "path": f"{s}.jsonl"} for s in ("train", "validation", "test")]


def test_a_set_under_one_licence_bears_its_name_on_the_hub(tmp_path: Path) -> None:
    one = built.record("medquad:1", "CC-BY-4.0")
    found = head(card.card(told(built.built(tmp_path / "work", [one], train=[built.example("label", one)]))))
    assert found["license"] == "cc-by-4.0"
    assert "license_name" not in found
    assert found["configs"][0]["data_files"] == [{"split": "train", "path": "train.jsonl"}]


def test_sources_filters_splits_and_checks_stand_with_their_numbers(tmp_path: Path) -> None:
    text = card.card(told(built.sellable(tmp_path / "work")))
    assert "| dailymed | LicenseRef-DailyMed | yes | 1 | 2 | 1 | 5 |" in part(text, "Sources and licences")
    assert "| label | 4 | 0 | 1 | 5 |" in part(text, "Families")
    assert "Of 6 examples that show sources, 0 show such that do not answer." in part(text, "Families")
    assert "| quality | 12 | 3 | 9 | not-in-span 1, too-short 2 |" in part(text, "Filters")
    assert "Answers held against their sources: held 6." in part(text, "Filters")
    assert "| train | 4 | 2 |" in part(text, "Splits")
    assert "| label | 10 | 4 | 4 | 6 |" in part(text, "Splits")
    assert "| pubmedqa | 500 | 32 | 0 | 4 |" in part(text, "Decontamination")
    assert "name 3, phone 1" in part(text, "Personal details")


def test_seeds_and_settings_say_how_to_build_it_again(tmp_path: Path) -> None:
    again = part(card.card(told(built.sellable(tmp_path / "work"))), "To build it again")
    assert "seeds (dataset 7)" in again
    assert "(files: 1, bytes: 1,234)" in again
    assert hashlib.sha256(built.MADE.config).hexdigest() in again


def test_gaps_follow_from_the_figures(tmp_path: Path) -> None:
    undated = built.example("patient", built.LEAFLET, as_of="")
    work = built.built(
        tmp_path / "work", [built.LABEL, built.LEAFLET, built.ARTICLE],
        train=[built.example("label", built.LABEL), undated],
    )  # fmt: skip
    gaps = list(card.gaps_of(told(work)))
    assert "family label: 1 examples only" in gaps
    assert "family label: none in validation and test" in gaps
    assert "source pmc: collected, and no example of it was kept" in gaps
    assert any(gap.startswith("evaluation set pubmedqa: 32 items too short") for gap in gaps)
    assert "English only" in gaps
    assert "1 examples rest on documents whose date is not known" in gaps


def test_a_set_in_two_languages_is_not_called_english_only(tmp_path: Path) -> None:
    german = built.example("patient", built.LEAFLET, language="de")
    work = built.built(
        tmp_path / "w", [built.LABEL, built.LEAFLET], train=[built.example("label", built.LABEL), german]
    )
    found = told(work)
    assert "English only" not in list(card.gaps_of(found))
    assert head(card.card(found))["language"] == ["de", "en"]


def test_a_non_commercial_set_is_stamped_above_and_in_the_head(tmp_path: Path) -> None:
    text = card.card(told(built.mixed(tmp_path / "work")))
    assert f"> **{STAMP}**" in text
    assert head(text)["license_name"] == "non-commercial"
    assert "non-commercial" in head(text)["tags"]
    assert "| interaction | 1 | 1 | 0 |" in part(text, "Ownership")


def test_without_a_report_the_card_claims_nothing(tmp_path: Path) -> None:
    text = card.card(told(built.sellable(tmp_path / "work"), report={}))
    assert "## Filters" not in text
    assert "## Splits" not in text
    assert "No evaluation set was named" in part(text, "Decontamination")
    assert "None was found and replaced." in part(text, "Personal details")


def test_words_from_outside_break_no_table_and_no_head(tmp_path: Path) -> None:
    odd = built.example("la|bel\n# <b>x", built.LABEL)
    work = built.built(tmp_path / "work", [built.LABEL], train=[odd])
    text = card.card(told(work, name="A: b\n---\n# c"))
    assert "| la\\|bel # &lt;b>x | 1 | 0 | 0 | 1 |" in text
    assert head(text)["pretty_name"] == "A: b --- # c"
    assert "\n# A: b --- # c\n" in text


def test_a_table_sets_numbers_right_and_says_yes_and_no() -> None:
    assert card.table(("a", "b", "c"), [("x", 1200, True), ("y", 0.12345, False)]) == (
        "| a | b | c |\n|---|---:|---:|\n| x | 1,200 | yes |\n| y | 0.123 | no |"
    )


def test_a_mapping_in_a_cell_is_spelt_out(tmp_path: Path) -> None:
    report = {"decontamination": {"mcq": {"items": 200, "signs": {"exact": 2, "coverage": 1}}}}
    text = card.card(told(built.sellable(tmp_path / "work"), report=report))
    assert "| mcq | 200 | coverage 1, exact 2 |" in text
