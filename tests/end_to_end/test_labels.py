"""A label in its publisher's format: once it is in the library a dose is quoted from it, and from nowhere else."""

import json
import re
import shutil
from pathlib import Path

import pytest

from lumen_desktop.formats import spl
from lumen_desktop.formats.document import PublicDocument
from tests.conftest import SHARED, Lumen

pytestmark = pytest.mark.model

LABEL = SHARED / "spl_xml" / "lipitor-orig.xml"


def even(text: str) -> str:
    return " ".join(text.split())


def test_the_dose_is_quoted_from_the_label_and_other_drugs_still_abstain(
    demonstration_folder: Path, lumen: Lumen, tmp_path: Path
) -> None:
    if not LABEL.is_file():
        pytest.skip("the shared labels are not beside this checkout")
    folder = tmp_path / "site"
    shutil.copytree(demonstration_folder, folder)
    added = lumen("library", "add", LABEL, "--collection", "Labels", data=folder)
    assert added.returncode == 0, added.stderr

    with LABEL.open("rb") as stream:
        (document,) = spl.documents(stream, LABEL.name)
    assert isinstance(document, PublicDocument)
    words = even(" ".join(section.text for section in document.sections))

    answer = json.loads(lumen("ask", "What is the maximum daily dose of atorvastatin?", "--json", data=folder).stdout)
    assert answer["status"] == "grounded"
    for citation in answer["citations"]:
        assert "atorvastatin" in citation["document"]
        assert even(citation["quote"]) in words
    assert any(re.search(r"\bmg\b", citation["quote"]) for citation in answer["citations"])
    assert any("2.1" in citation["section"] or "2.2" in citation["section"] for citation in answer["citations"])

    other = json.loads(lumen("ask", "What is the maximum daily dose of metformin?", "--json", data=folder).stdout)
    assert (other["status"], other["citations"]) == ("no_evidence", [])
    assert not re.search(r"\d\s*(?:mg|g)\b", other["answer"])
