"""`lumen library …`: add, list, search, show, page, remove, reindex, evaluate."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lumen_desktop.app import DEMONSTRATION_NOTICE
from tests.cli.conftest import Here, Result, document, refusal
from tests.conftest import AS_HOLDER, PASSWORD, ROOT, lumen_command, lumen_environment
from tests.retrieval import documents

Own = Callable[..., Result]


def test_adding_reports_what_became_of_each_file(own: Own, tmp_path: Path) -> None:
    good, empty = tmp_path / "good.txt", tmp_path / "empty.txt"
    good.write_text("The stopper line is cleaned after every shift.\n", encoding="utf-8")
    empty.touch()
    missing = tmp_path / os.fsdecode(b"caf\xe9.txt")
    result = own("library", "add", good, empty, missing, "--collection", "Line", "--json", apart=True)
    report = document(result, status=2)
    assert {key: report[key] for key in ("added", "unchanged", "passages")} == {
        "added": 1,
        "unchanged": 0,
        "passages": 1,
    }
    assert [(failure["path"], failure["code"]) for failure in report["failed"]] == [
        (str(empty), "LIB-029"), (str(missing), "LIB-026"),
    ]  # fmt: skip
    assert all(failure["message"].endswith(".") for failure in report["failed"])
    lines = result.stderr.splitlines()
    assert lines[0] == "1/3 good.txt stored"
    assert [line.split(":")[0] for line in lines[1:]] == ["LIB-029", "LIB-026"]
    again = own("library", "add", good, "--collection", "Line")
    assert again.returncode == 0
    assert again.stdout == "Added 0, unchanged 1, failed 0; 0 new passages in “Line”.\n"


STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def test_no_document_or_name_steers_the_terminal(own: Own, tmp_path: Path) -> None:
    """Escapes, one-byte controls and turns of direction in names, titles, texts and collections."""
    named = tmp_path / "dose\u202efdp\x1b[31m[bold].txt"
    named.write_text("The zorbel is cleaned\u202e after\u061c every shift.\n", encoding="utf-8")
    result = own("library", "add", named, tmp_path / "gone\x1b[2J\u202e.pdf", "--collection", "Line\x1b[5m\u2066")
    assert "dosefdp [31m[bold].txt stored" in result.stderr
    assert "LIB-026" in result.stderr
    said = [result.stdout, result.stderr]
    for command in (["list"], ["search", "zorbel cleaned"], ["list", "--json"], ["search", "zorbel", "--json"]):
        found = own("library", *command)
        assert found.returncode == 0
        assert "dosefdp [31m[bold]" in found.stdout
        said += [found.stdout, found.stderr]
    assert [words for words in said if STEERING.search(words)] == []
    (collection,) = {d["collection"] for d in document(own("library", "list", "--json")) if "Line" in d["collection"]}
    assert collection == "Line\x1b[5m\u2066", "a name in JSON is exact, so that it can be given back"


def test_documents_are_listed(own: Own, here: Here, demo: Path) -> None:
    listed = document(own("library", "list", "--json", apart=True))
    assert [(d["collection"], d["title"], d["kind"]) for d in listed] == [
        ("Documents", "Zelboramax (zelboraxib) tablets, prescribing information", "source"),
        ("Documents", "cleaning", "source"),
        ("Rules", "Recalls of drug products", "summary"),
    ]
    shown = own("library", "list").stdout
    assert shown.index("\nDocuments\n") < shown.index("cleaning  (source, 1 passages)") < shown.index("\nRules\n")
    result = here("library", "list", "--json", data=demo)
    assert result.stderr == DEMONSTRATION_NOTICE + "\n"
    starter = document(result)
    assert len(starter) >= 40
    assert {d["kind"] for d in starter} == {"summary"}
    assert any(d["currency"] == "draft" for d in starter)
    assert "[draft]" in here("library", "list", data=demo).stdout


def test_passages_are_found_and_shown(own: Own) -> None:
    hits = document(own("library", "search", "storage of zelboraxib tablets", "-k", "2", "--json", apart=True))
    assert len(hits) == 2
    promised = {"passage_id", "document", "page", "section", "text", "score"}
    assert all(promised <= hit.keys() for hit in hits)
    assert hits[0]["section"].endswith("Storage")
    assert hits[0]["score"] >= hits[1]["score"]
    (only,) = document(own("library", "search", "tablets", "-k", "9", "--collection", "Rules", "--json"))[:1]
    assert only["document"] == "Recalls of drug products"
    text = own("library", "search", "storage").stdout
    assert "passages of 3 documents searched in" in text
    shown = own("library", "show", hits[0]["passage_id"])
    assert shown.returncode == 0
    assert "2 °C to 8 °C" in shown.stdout


def test_a_page_is_written_as_an_image_with_the_boxes_of_a_quote(own: Own, tmp_path: Path) -> None:
    file, image = tmp_path / "pump.pdf", tmp_path / "page.png"
    words = ["The pump of the filling line is inspected twice in each year."]
    file.write_bytes(documents.pdf([documents.paragraph(words, top=600)]))
    assert own("library", "add", file, "--collection", "Line").returncode == 0
    number = next(d["id"] for d in document(own("library", "list", "--json")) if d["name"] == "pump.pdf")
    arguments = ("library", "page", number, 1, "--out", image, "--width", 300)
    drawn = document(own(*arguments, "--quote", "is inspected twice", "--json"))
    assert (drawn["file"], drawn["width_px"], len(drawn["boxes"]), drawn["located"]) == (str(image), 300, 1, 1.0)
    assert image.read_bytes().startswith(b"\x89PNG")
    assert refusal(own(*arguments)) == "LIB-049"
    image.unlink()
    assert own(*arguments, "--quote", "is inspected").stdout == (
        f"Page 1 of 1 is in {image}. 100% of the quote was found, in 1 line.\n"
    )
    for asked, code in (((number, 2), "LIB-046"), ((999, 1), "LIB-045"), ((1, 1), "LIB-048")):
        assert refusal(own("library", "page", *asked, "--out", tmp_path / "none.png")) == code
    assert not (tmp_path / "none.png").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["search", " "], "LIB-022"),
        (["search", "x", "--collection", "None"], "LIB-020"),
        (["search", "x", "-k", "0"], "CLI-001"),
        (["show", "999"], "LIB-031"),
        (["remove", "999"], "LIB-024"),
        (["add", "a.txt", "--collection", ""], "LIB-023"),
        (["add"], "CLI-001"),
        (["evaluate", "--corpus", "a", "--queries", "b", "--qrels", "c"], "EVL-001"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_refused(here: Here, site_folder: Path, arguments: list[str], code: str) -> None:
    assert refusal(here("library", *arguments, data=site_folder, password=PASSWORD)) == code


def test_a_document_is_removed_and_the_index_made_anew(own: Own) -> None:
    (number,) = [d["id"] for d in document(own("library", "list", "--json")) if d["title"] == "cleaning"]
    assert own("library", "remove", number).stdout == "Removed.\n"
    result = own("library", "reindex", engines={"indexed": True})
    assert result.returncode == 0
    assert result.stdout == "The vector index is level with the database.\n"
    assert len(document(own("library", "list", "--json"))) == 2


def test_retrieval_is_measured(own: Own, tmp_path: Path) -> None:
    corpus = [
        {"_id": "a", "title": "Apples", "text": "Apples grow on trees."},
        {"_id": "b", "title": "", "text": "Tanks."},
    ]
    (tmp_path / "c").write_text("\n".join(map(json.dumps, corpus)), encoding="utf-8")
    (tmp_path / "q").write_text('{"_id": "1", "text": "where do apples grow"}', encoding="utf-8")
    (tmp_path / "r").write_text("query-id\tcorpus-id\tscore\n1\ta\t1\n", encoding="utf-8")
    files = ["--corpus", tmp_path / "c", "--queries", tmp_path / "q", "--qrels", tmp_path / "r"]
    figures = document(own("library", "evaluate", *files, "--json", apart=True))
    assert {key: figures[key] for key in ("ndcg@10", "recall@5", "mrr@10", "queries")} == {
        "ndcg@10": 1.0, "recall@5": 1.0, "mrr@10": 1.0, "queries": 1,
    }  # fmt: skip
    assert set(figures["latency_ms"]) == {"p50", "p95"}
    assert "ndcg@10      1.0" in own("library", "evaluate", *files).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_ctrl_c_keeps_what_was_added(site_folder: Path, tmp_path: Path) -> None:
    sections = "".join(f"## Part {n}\n\n{f'Words of part {n} stand here. ' * 30}\n\n" for n in range(60))
    for number in range(40):
        (tmp_path / f"{number:02}.md").write_text(f"# Number {number}\n\n{sections}", encoding="utf-8")
    process = subprocess.Popen(
        lumen_command("library", "add", *sorted(tmp_path.glob("*.md")), "--json", data=site_folder, rehearsal=True),
        env=lumen_environment({"LUMEN_CHEAP_KEYS": "1", **AS_HOLDER}, {}),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr
    assert process.stderr.readline() == "1/40 00.md stored\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.endswith("Stopped. What was added stays; the same command adds the rest.\n")
    assert 1 <= json.loads(out)["added"] < 40
    assert json.loads(out)["failed"] == []
