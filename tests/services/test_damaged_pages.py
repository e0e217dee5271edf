"""One flipped byte anywhere in the database is found and said; `python -m tests.bench robustness pages` flips 500."""

import shutil
from pathlib import Path

from lumen_desktop import app
from lumen_desktop.errors import StorageError
from tests.conftest import AS_HOLDER, HOLDER, Lumen
from tests.rehearsal import RehearsalSite
from tests.services.flipping import PAGE_BYTES, doctor, flip, flip_often, verify


def test_each_of_many_pages_is_found(site_folder: Path, rehearsed: type[RehearsalSite], tmp_path: Path) -> None:
    found = flip_often(site_folder, tmp_path, 40)
    assert not found.missed
    assert not found.faults
    assert found.points == 40
    assert found.found_by["doctor: names the database"] > 5


def test_nothing_is_found_where_nothing_was_flipped(site_folder: Path, rehearsed: type[RehearsalSite]) -> None:
    assert (verify(site_folder), doctor(site_folder)) == ("nothing", "nothing")


def test_the_database_names_its_damaged_pages(site_folder: Path, rehearsed: type[RehearsalSite]) -> None:
    pages = _free_of_the_trail(site_folder)
    for page in pages[:2]:
        flip(site_folder / "lumen.db", (page - 1) * PAGE_BYTES + 77)
    with app.opened(app.find_site(site_folder), HOLDER, purpose="tests", writable=False) as site:
        faults = site._database.damaged()
    assert [words for page in pages[:2] for words in faults if words.endswith(f"page {page}")] == list(faults)


def _free_of_the_trail(folder: Path) -> list[int]:
    """Pages whose damage neither opening nor the audit trail notices."""
    pages = []
    for page in range(20, 200):
        copy = Path(shutil.copytree(folder, folder.with_name("copy")))
        flip(copy / "lumen.db", (page - 1) * PAGE_BYTES + 77)
        try:
            quiet = verify(copy) == "nothing"
        except StorageError:
            quiet = False
        shutil.rmtree(copy)
        pages += [page] if quiet else []
        if len(pages) == 2:
            break
    return pages


def test_the_command_line_says_so(site_folder: Path, rehearsed: type[RehearsalSite], lumen: Lumen) -> None:
    """In a line with a code, and with the exit status of a no or a refusal."""
    (page, _) = _free_of_the_trail(site_folder)
    flip(site_folder / "lumen.db", (page - 1) * PAGE_BYTES + 77)
    env = {**AS_HOLDER, "LUMEN_CHEAP_KEYS": "1"}
    done = lumen("doctor", data=site_folder, env=env, rehearsal={"indexed": True})
    assert done.returncode == 1
    assert "BAD  database" in done.stdout
    assert "STO-010" in done.stdout
    assert "Traceback" not in done.stderr
    flip(site_folder / "lumen.db", 30)
    done = lumen("audit", "verify", data=site_folder, env=env, rehearsal={})
    assert (done.returncode, done.stderr.partition(":")[0]) == (2, "STO-010")
