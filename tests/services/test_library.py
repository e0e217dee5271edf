"""Adding documents: whole or not at all, one sentence for each that fails, and the index level with the database."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import docx
import pytest
from sqlalchemy import text

from lumen_desktop import app
from lumen_desktop.domain.chat import Status
from lumen_desktop.domain.library import Currency, Kind
from lumen_desktop.engine.fake import Behaviour
from lumen_desktop.errors import EngineError, InputError, StorageError
from lumen_desktop.services.incoming import AddProgress
from lumen_desktop.storage.folder import DataFolder
from tests.conftest import AS_HOLDER, HOLDER, ROOT, SHARED, Clock, added, fill, lumen_command, lumen_environment
from tests.rehearsal import RehearsalSite
from tests.services.conftest import RECALL_QUESTION, Open, ask

PDF = SHARED / "guidance_pdf" / "annex11_01-2011_en_0.pdf"


def written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def word_file(path: Path, *paragraphs: str) -> Path:
    document = docx.Document()
    document.add_heading("Change control", 1)
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    document.save(str(path))
    return path


def counts(site: app.Site) -> dict[str, int]:
    tables = ("source_document", "document_file", "document_page", "passage", "passage_vector", "passage_text")
    with site.library._database.reading() as session:
        return {table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables}


def whole(site: app.Site) -> bool:
    """Whether every document has its file, pages, passages, vectors and text index, and no part is without one."""
    checks = """
        SELECT (SELECT count(*) FROM source_document) = (SELECT count(*) FROM document_file)
           AND NOT EXISTS (SELECT 1 FROM source_document d WHERE d.pages <>
                           (SELECT count(*) FROM document_page p WHERE p.document_id = d.id))
           AND NOT EXISTS (SELECT 1 FROM source_document d WHERE NOT EXISTS
                           (SELECT 1 FROM passage p WHERE p.document_id = d.id))
           AND NOT EXISTS (SELECT 1 FROM passage p LEFT JOIN passage_vector v ON v.passage_id = p.id
                           WHERE v.vector IS NULL)
           AND (SELECT count(*) FROM passage) = (SELECT count(*) FROM passage_vector)
           AND (SELECT count(*) FROM passage) = (SELECT count(*) FROM passage_text_docsize)"""
    with site.library._database.reading() as session:
        return bool(session.execute(text(checks)).scalar_one()) and site.audit.verify().first_bad is None


# --- kinds of files ---


def test_text_markdown_and_word_are_added_and_found(site: app.Site, tmp_path: Path) -> None:
    files = [
        written(tmp_path / "a.txt", "The autoclave is requalified every year by the responsible engineer.\n"),
        written(
            tmp_path / "b.md", "# Pest control\n\n## Traps\n\nTraps are inspected every month by the contractor.\n"
        ),
        word_file(tmp_path / "c.docx", "A change of the stopper supplier is assessed before it is made."),
    ]
    report = added(site.library, *files)
    assert (report.added, report.unchanged, report.failed, report.stopped) == (3, 0, [], False)
    assert report.passages == 3
    for words, section in (
        ("autoclave requalified", ""),
        ("traps inspected", "Traps"),
        ("stopper supplier", "Change control"),
    ):
        hits, _ = site.library.search(words, collection="Documents", most=1)
        assert hits[0].passage.section.endswith(section)
        assert words.split()[0] in hits[0].passage.text.lower()
    assert whole(site)


@pytest.mark.skipif(not PDF.is_file(), reason="the shared guidance PDFs are not beside this checkout")
def test_a_pdf_is_added_with_its_pages(site: app.Site) -> None:
    progress = [event for event in site.library.add([PDF], collection="Guidance") if isinstance(event, AddProgress)]
    assert progress[0].stage == "reading"
    assert progress[-1].stage == "stored"
    pages = [(event.done, event.total) for event in progress if event.stage == "reading"]
    assert pages == [(0, 0), *((number, 5) for number in range(1, 6))]
    embedding = [event for event in progress if event.stage == "embedding"]
    assert [event.done for event in embedding] == list(range(1, embedding[0].total + 1))
    hits, found = site.library.search("printouts of electronically stored data", collection="Guidance", most=3)
    assert found.documents == 1
    assert any(hit.passage.page_of(0) == 4 for hit in hits)


def test_names_and_titles_deceive_in_no_list_and_the_name_itself_is_kept(site: app.Site, tmp_path: Path) -> None:
    file = written(tmp_path / "dose\u202efdp.txt", "The autoclave is requalified every year.\n")
    titled = written(
        tmp_path / "b.md", "---\ntitle: Recall\u2067s \u001b[2Jof l\u200dots\n---\n\nTraps are inspected.\n"
    )
    assert added(site.library, file, titled).added == 2
    listed = {document.name: document.title for document in site.library.documents()}
    assert (listed["dosefdp.txt"], listed["b.md"]) == ("dosefdp", "Recalls [2Jof lots")
    hits, _ = site.library.search("autoclave requalified", collection="Documents", most=1)
    assert hits[0].passage.document == hits[0].passage.header == "dosefdp"
    assert site.sources.open(hits[0].passage.id).name == "dosefdp.txt"
    with site.library._database.reading() as session:
        assert (
            session.execute(text("SELECT name FROM source_document WHERE title = 'dosefdp'")).scalar_one() == file.name
        )
    report = added(site.library, tmp_path / "gone\u202e\n.pdf")
    assert report.failed[0].message == f"There is no file {tmp_path / 'gone .pdf'}."


def test_adding_again_changes_nothing(site: app.Site, tmp_path: Path) -> None:
    file = written(tmp_path / "a.txt", "The autoclave is requalified every year.\n")
    added(site.library, file)
    before = counts(site)
    renamed = shutil.copy(file, tmp_path / "the same under another name.txt")
    report = added(site.library, file, Path(renamed), file)
    assert (report.added, report.unchanged, report.passages) == (0, 3, 0)
    assert counts(site) == before
    assert added(site.library, file, collection="Elsewhere").added == 1


def test_a_changed_file_is_another_document(site: app.Site, tmp_path: Path) -> None:
    file = written(tmp_path / "a.txt", "The first edition of it.\n")
    added(site.library, file)
    written(file, "The second edition of it.\n")
    assert added(site.library, file).added == 1
    assert [d.name for d in site.library.documents() if d.name == "a.txt"] == ["a.txt", "a.txt"]


def test_what_a_document_says_of_itself_is_kept(site: app.Site, tmp_path: Path) -> None:
    head = (
        "---\nsubject: SOP-7\nedition: 3\ncurrency: {}\ndrug: Novabluvir\n---\n# Sampling\n\nSamples are taken twice.\n"
    )
    written(tmp_path / "old.md", head.format("superseded"))
    written(tmp_path / "odd.md", head.format("whatever") + "More.")
    added(site.library, tmp_path / "old.md", tmp_path / "odd.md", collection="Own")
    by_name = {document.name: document for document in site.library.documents()}
    assert by_name["old.md"].currency is Currency.SUPERSEDED
    assert by_name["odd.md"].currency is Currency.IN_FORCE
    assert (by_name["old.md"].edition, by_name["old.md"].kind, by_name["old.md"].title) == (
        "3",
        Kind.SOURCE,
        "Sampling",
    )
    hits, _ = site.library.search("samples", collection="Own", most=2)
    assert any(hit.passage.attribution.endswith("[superseded]") for hit in hits)
    with site.library._database.reading() as session:
        names = session.execute(text("SELECT drug_names FROM source_document WHERE name = 'old.md'")).scalar_one()
    assert json.loads(names) == ["novabluvir"]


def test_an_imported_file_is_a_source_whatever_it_claims(site: app.Site, tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.md", "---\nkind: summary\nsubject: 21 CFR 211\n---\n# A\n\nWords of a stranger here.\n"
    )
    added(site.library, file)
    assert [d.kind for d in site.library.documents() if d.name == "a.md"] == [Kind.SOURCE]


def test_a_folder_is_added_with_its_readable_files(site: app.Site, tmp_path: Path) -> None:
    folder = tmp_path / "SOPs"
    written(folder / "b" / "two.md", "# Two\n\nThe second procedure of the site.\n")
    written(folder / "one.TXT", "The first procedure of the site.\n")
    written(folder / "picture.png", b"\x89PNG")
    (folder / "folder.txt").mkdir()
    report = added(site.library, folder, collection="SOPs")
    assert (report.added, report.failed) == (2, [])
    assert sorted(d.name for d in site.library.documents() if d.collection == "SOPs") == ["one.TXT", "two.md"]
    (tmp_path / "empty").mkdir()
    (failure,) = added(site.library, tmp_path / "empty").failed
    assert failure.code == "LIB-025"


def test_progress_tells_the_share_of_all_bytes(site: app.Site, tmp_path: Path) -> None:
    files = [
        written(tmp_path / "a.txt", "The autoclave is requalified every year.\n" * 30),
        written(tmp_path / "b.txt", ""),
        written(tmp_path / "c.txt", "Traps are inspected every month.\n" * 90),
    ]
    events = [e for e in site.library.add(files, collection="Own") if isinstance(e, AddProgress)]
    shares = [e.share for e in events if e.stage != "indexing"]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] == pytest.approx(1.0)
    (failed,) = [e for e in events if e.stage == "failed"]
    assert failed.failure
    assert (failed.file, failed.failure.code) == (2, "LIB-029")


def test_collections_are_listed_with_what_they_hold(site: app.Site) -> None:
    assert [(c.name, c.documents) for c in site.library.collections()] == [("Documents", 2), ("Rules", 1)]
    for document in site.library.documents():
        site.library.remove(document.id)
    assert [(c.name, c.documents, c.passages) for c in site.library.collections()] == [
        ("Documents", 0, 0),
        ("Rules", 0, 0),
    ]


def test_lists_need_no_model(site_folder: Path, cheap_keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise EngineError("There is no model.", code="BLD-001", hint="Run the set-up.")

    monkeypatch.setattr(app, "installed", missing)
    place = app.SitePlace(DataFolder(site_folder), demonstration=False)
    with app.opened(place, HOLDER, purpose="tests", writable=True) as site:
        documents = site.library.documents()
        assert len(documents) == 3
        assert site.library.passage(1).document
        site.library.stop()
        with pytest.raises(EngineError):
            site.library.search("recall", collection=None, most=1)


# --- bad files ---

BAD: list[tuple[str, bytes | None, str]] = [
    ("missing.pdf", None, "LIB-026"),
    ("empty.txt", b"", "LIB-029"),
    ("blank.txt", b" \n\t\n", "LIB-001"),
    ("unseen.txt", "\u200b\n".encode(), "LIB-005"),
    ("latin.txt", "Prüfung der Ware".encode("latin-1"), "LIB-004"),
    ("program.pdf", b"\x7fELF\x02\x01\x01", "LIB-003"),
    ("page.md", b"<!doctype html><p>text</p>", "LIB-003"),
    ("archive.docx", b"PK\x03\x04 and nothing more", "LIB-003"),
    ("broken.pdf", b"%PDF-1.7\n1 0 obj\n<<", "LIB-008"),
    ("broken.docx", b"PK\x03\x04 word/document.xml", "LIB-013"),
]


def test_each_bad_file_is_one_sentence_and_the_others_are_added(site: app.Site, tmp_path: Path) -> None:
    files = [tmp_path / name if content is None else written(tmp_path / name, content) for name, content, _ in BAD]
    good = written(tmp_path / "zz good.txt", "This one is a document like any other.\n")
    before = counts(site)
    report = added(site.library, *files, good)
    assert [(failure.path.name, failure.code) for failure in report.failed] == [(name, code) for name, _, code in BAD]
    assert all(failure.message.endswith(".") and failure.hint.endswith(".") for failure in report.failed)
    assert report.added == 1
    assert counts(site)["source_document"] == before["source_document"] + 1
    assert whole(site)


def test_what_is_no_file_is_refused(site: app.Site, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    names = [tmp_path / "pipe.txt", Path("/dev/zero"), tmp_path / "loop.txt", tmp_path / ("x" * 300), Path("a\0b.txt")]
    report = added(site.library, *names)
    assert [f.code for f in report.failed] == ["LIB-027", "LIB-027", "LIB-028", "LIB-028", "LIB-028"]


def test_a_file_that_is_too_large_is_refused_unread(site: app.Site, tmp_path: Path) -> None:
    large = tmp_path / "large.txt"
    large.touch()
    os.truncate(large, 201 * 1024 * 1024)
    assert [failure.code for failure in added(site.library, large).failed] == ["LIB-030"]


def test_a_name_that_is_no_text_is_kept_as_far_as_it_goes(site: app.Site, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    written(tmp_path / name, "The canteen opens at noon on working days.\n")
    assert added(site.library, tmp_path / name).failed == []
    assert "caf?.txt" in {document.name for document in site.library.documents()}


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_a_collection_needs_a_name(site: app.Site, name: str) -> None:
    with pytest.raises(InputError) as caught:
        added(site.library, Path("a.txt"), collection=name)
    assert caught.value.code == "LIB-023"


def test_a_collection_keeps_its_embedding_model(site: app.Site) -> None:
    site.library._embedder = lambda: (site.embedder, "f" * 64)
    with pytest.raises(InputError) as caught:
        added(site.library, Path("a.txt"), collection="Documents")
    assert caught.value.code == "LIB-021"


# --- interrupted ---


def test_a_document_removed_while_others_are_added_is_counted_and_not_found(site: app.Site, tmp_path: Path) -> None:
    """Both change the collection's vectors; a search must see either change."""
    file = written(tmp_path / "a.txt", "The sterile filter is tested after every use of it.\n")
    gone = next(d for d in site.library.documents() if d.name == "cleaning.txt")
    assert site.library.search("swab sample", collection="Documents", most=1)[0][0].passage.document_id == gone.id
    for event in site.library.add([file], collection="Documents"):
        if isinstance(event, AddProgress) and event.stage == "reading":
            site.library.remove(gone.id)
    hits, _ = site.library.search("swab sample", collection="Documents", most=9)
    assert {hit.passage.document for hit in hits} >= {"a"}
    assert gone.id not in {hit.passage.document_id for hit in hits}
    assert whole(site)


def test_an_embedder_that_crashes_costs_no_half_document(
    site: app.Site, rehearsed: type[RehearsalSite], tmp_path: Path
) -> None:
    rehearsed.embedding_behaviour = Behaviour(crash_after=0, when="poison")
    before = counts(site)
    file = written(
        tmp_path / "a.md", "# A\n\n## One\n\n" + "Fine words stand here. " * 20 + "\n\n## Two\n\npoison " * 20
    )
    with pytest.raises(EngineError):
        added(site.library, file)
    assert counts(site) == before
    assert whole(site)
    assert added(site.library, written(tmp_path / "b.txt", "A document like any other.\n")).added == 1


@pytest.fixture
def site_on_small_disk(
    small_disk: Path, stocked_folder: Path, rehearsed: type[RehearsalSite], monkeypatch: pytest.MonkeyPatch
) -> Iterator[app.Site]:
    monkeypatch.setattr("lumen_desktop.storage.folder.SMALLEST_FREE_BYTES", 0)
    shutil.copytree(stocked_folder, small_disk / "site")
    place = app.SitePlace(DataFolder(small_disk / "site"), demonstration=False)
    with app.opened(place, HOLDER, purpose="tests", writable=True) as site:
        yield site


def test_a_full_disk_adds_nothing_half(
    site_on_small_disk: app.Site, small_disk: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    site = site_on_small_disk
    sections = "".join(f"## Part {n}\n\n{f'Words of part {n} stand here. ' * 40}\n\n" for n in range(60))
    file = written(tmp_path / "large.md", f"# Large\n\n{sections}")
    before = counts(site)
    filler = fill(small_disk, leave_bytes=120_000)
    with pytest.raises(StorageError) as caught:
        added(site.library, file)
    assert caught.value.code == "STO-003"
    assert counts(site) == before
    with pytest.raises(StorageError):
        for _ in range(40):
            ask(site, RECALL_QUESTION)
    assert site.library.search("recall", collection=None, most=1)[0]
    filler.unlink()
    assert added(site.library, file).added == 1
    assert ask(site, RECALL_QUESTION)[1].status is Status.GROUNDED
    assert whole(site)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("pause_s", [0.0, 0.15, 0.4])
def test_a_kill_leaves_each_document_whole_or_absent(
    site_folder: Path, tmp_path: Path, pause_s: float, open_again: Open
) -> None:
    sections = "".join(f"## Part {n}\n\n{f'Words of part {n} stand here. ' * 30}\n\n" for n in range(8))
    for number in range(8):
        written(tmp_path / "d" / f"{number}.md", f"# Number {number}\n\n{sections}")
    process = subprocess.Popen(
        lumen_command("library", "add", tmp_path / "d", "--collection", "Killed", data=site_folder, rehearsal=True),
        env=lumen_environment({**AS_HOLDER, "LUMEN_CHEAP_KEYS": "1"}, {"indexed": True}),
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr
    for line in process.stderr:
        if "stored" in line:
            break
    time.sleep(pause_s)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with open_again() as site:
        assert whole(site)
        done = sum(document.collection == "Killed" for document in site.library.documents())
        assert done >= 1
        report = added(site.library, tmp_path / "d", collection="Killed")
        assert (report.added, report.unchanged) == (8 - done, done)


# --- afterwards ---


def test_the_site_keeps_its_own_copy(site: app.Site, tmp_path: Path) -> None:
    file = written(tmp_path / "a.txt", "The sterile filter is tested after every use of it.\n")
    added(site.library, file)
    file.unlink()
    _, answer = ask(site, "When is the sterile filter tested?")
    assert answer.status is Status.GROUNDED
    with site.library._database.reading() as session:
        contents = session.execute(text("SELECT content FROM document_file")).scalars().all()
    assert b"The sterile filter is tested after every use of it.\n" in contents


def test_a_removed_document_is_not_found_and_its_quotes_stay(site: app.Site) -> None:
    _, answer = ask(site, RECALL_QUESTION)
    (document,) = [d for d in site.library.documents() if d.collection == "Rules"]
    site.library.remove(document.id)
    assert document not in site.library.documents()
    assert ask(site, RECALL_QUESTION)[1].status is Status.NO_EVIDENCE
    assert site.chat.record(answer.record_id) == answer
    assert whole(site)
    with pytest.raises(InputError) as caught:
        site.library.remove(document.id)
    assert caught.value.code == "LIB-024"
    with pytest.raises(InputError) as caught:
        site.library.passage(answer.citations[0].passage_id)
    assert caught.value.code == "LIB-031"


def test_a_search_for_nothing_is_refused(site: app.Site) -> None:
    with pytest.raises(InputError) as caught:
        site.library.search("  ", collection=None, most=3)
    assert caught.value.code == "LIB-022"
    hits, _ = site.library.search("recall " * 2000, collection=None, most=3)
    assert hits


# --- the index ---


@pytest.fixture
def indexed(site_folder: Path, rehearsed: type[RehearsalSite], clock: Clock) -> Iterator[app.Site]:
    """A site with the real index, waited for."""
    rehearsed.indexed = True
    with ExitStack() as stack:
        place = app.SitePlace(DataFolder(site_folder), demonstration=False)
        site = stack.enter_context(app.opened(place, HOLDER, purpose="tests", writable=True))
        list(site.library.reindex())
        yield site


def test_the_index_follows_every_change(indexed: app.Site, tmp_path: Path) -> None:
    assert indexed.searcher.index_agrees()
    question = "recall depth"
    by_index, found = indexed.library.search(question, collection=None, most=4)
    assert found.vector_leg == "index"
    added(indexed.library, written(tmp_path / "a.txt", "A new text about the recall of a lot.\n"))
    assert indexed.searcher.index_agrees()
    assert indexed.library.search(question, collection="Documents", most=9)[1].vector_leg == "index"
    new = next(d for d in indexed.library.documents() if d.name == "a.txt")
    indexed.library.remove(new.id)
    assert indexed.searcher.index_agrees()
    again, found = indexed.library.search(question, collection=None, most=4)
    assert found.vector_leg == "index"
    assert [(h.passage.id, round(h.score, 4)) for h in again] == [(h.passage.id, round(h.score, 4)) for h in by_index]
    assert {finding.check: finding.good for finding in indexed.doctor.examine()}["vector index"]


def test_an_index_that_dies_or_is_damaged_is_made_anew_and_search_goes_on(indexed: app.Site, tmp_path: Path) -> None:
    question = "recall depth"
    expected = [hit.passage.id for hit in indexed.library.search(question, collection=None, most=4)[0]]
    assert indexed.index
    assert indexed.index.pid
    os.kill(indexed.index.pid, signal.SIGKILL)
    assert [h.passage.id for h in indexed.library.search(question, collection=None, most=4)[0]] == expected
    indexed.index.discard()
    for file in (file for file in indexed.place.folder.index.rglob("*") if file.is_file()):
        file.write_bytes(b"damaged")
    assert added(indexed.library, written(tmp_path / "a.txt", "A text about something else.\n")).added == 1
    assert [h.passage.id for h in indexed.library.search(question, collection="Rules", most=4)[0]]
    list(indexed.library.reindex())
    assert indexed.searcher.index_agrees()


def test_no_word_of_a_document_is_in_the_index(indexed: app.Site) -> None:
    files = [file for file in indexed.place.folder.index.rglob("*") if file.is_file()]
    assert files
    for file in files:
        content = file.read_bytes().lower()
        assert not any(word in content for word in (b"zelborax", b"consignee", b"recall"))
