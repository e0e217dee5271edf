"""Files in public formats in the library: taken apart, each document by itself, again without doubling."""

import json
from pathlib import Path

import pytest

from lumen_desktop import app
from tests.conftest import SHARED, added
from tests.services.test_library import whole, written

LABELS = SHARED / "openfda" / "drug-label-sample.json"
ZIP = SHARED / "dailymed_zip" / "label.zip"


def results(*names: str) -> str:
    return json.dumps({
        "meta": {"disclaimer": "Do not rely on it.", "results": {"skip": 0, "limit": len(names), "total": len(names)}},
        "results": [
            {
                "set_id": f"{name}-set", "id": f"{name}-id", "version": "2", "effective_time": "20240501",
                "dosage_and_administration": [f"2 DOSAGE AND ADMINISTRATION Take {n} mg of {name} once daily."],
                "openfda": {"brand_name": [name.title()], "generic_name": [name], "substance_name": [name.upper()]},
            }
            if name
            else {"openfda": {}}
            for n, name in enumerate(names, start=5)
        ],
    })  # fmt: skip


def test_each_label_of_a_file_becomes_a_document(site: app.Site, tmp_path: Path) -> None:
    file = written(tmp_path / "labels.json", results("zelboraxine", "quintomab"))
    report = added(site.library, file, collection="Labels")
    assert (report.added, report.failed) == (2, [])
    second, first = sorted((d for d in site.library.documents() if d.collection == "Labels"), key=lambda d: d.name)
    assert (first.name, second.name) == ("labels.json › zelboraxine-set", "labels.json › quintomab-set")
    assert first.title == "Zelboraxine: prescribing information"
    assert first.edition == "version 2, 2024-05-01"
    assert whole(site)
    again = added(site.library, file, collection="Labels")
    assert (again.added, again.unchanged) == (0, 2)


def test_a_record_that_cannot_be_used_costs_itself_only(site: app.Site, tmp_path: Path) -> None:
    file = written(tmp_path / "labels.json", results("zelboraxine", "", "quintomab"))
    report = added(site.library, file, collection="Labels")
    assert report.added == 2
    (failure,) = report.failed
    assert failure.code == "LIB-018"
    assert failure.path.name.startswith("labels.json › ")


def test_a_file_cut_off_keeps_the_documents_before_the_cut(site: app.Site, tmp_path: Path) -> None:
    text = results("zelboraxine", "quintomab")
    file = written(tmp_path / "labels.json", text[: text.index("quintomab-set") + 40])
    report = added(site.library, file, collection="Labels")
    assert report.added == 1
    (failure,) = report.failed
    assert (failure.path.name, failure.code) == ("labels.json", "FMT-002")
    assert whole(site)


@pytest.mark.skipif(not LABELS.is_file(), reason="the shared labels are not beside this checkout")
def test_real_files_of_openfda_and_dailymed_are_added(site: app.Site) -> None:
    report = added(site.library, LABELS, ZIP, collection="Labels")
    assert (report.added, report.failed) == (6, [])
    titles = [d.title for d in site.library.documents() if d.collection == "Labels"]
    assert all(title.endswith(": prescribing information") for title in titles)
    assert whole(site)
