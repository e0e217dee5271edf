"""The demonstration with the starter models, and with the guidance PDFs beside this checkout."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumen_desktop import app
from lumen_desktop.domain.chat import Answer
from lumen_desktop.services.chat import AnswerReady
from lumen_desktop.storage.folder import DataFolder
from tests.conftest import ROOT, SHARED, lumen_command, lumen_environment
from tests.ui.conftest import pytest_runtest_makereport

__all__ = ["pytest_runtest_makereport"]  # a failed test leaves a picture of its window

GUIDANCE = SHARED / "guidance_pdf"
BATCHES = "Which batches must an investigation extend to when a batch fails its specification?"


@pytest.fixture(scope="session")
def guided_folder(demonstration_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration with six guidance PDFs, added by one command; not to be changed."""
    if not GUIDANCE.is_dir():
        pytest.skip("the shared guidance PDFs are not beside this checkout")
    folder = tmp_path_factory.mktemp("guided") / "site"
    shutil.copytree(demonstration_folder, folder)
    added = subprocess.run(
        lumen_command("library", "add", GUIDANCE, "--collection", "Guidance", data=folder),
        env=lumen_environment(), cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    return folder


@pytest.fixture(scope="module")
def guided(guided_folder: Path) -> Iterator[app.Site]:
    """It, open with the real engines for a whole module."""
    place = app.SitePlace(DataFolder(guided_folder), demonstration=True)
    with app.opened(place, app.DEMONSTRATION, purpose="tests", writable=True) as site:
        site.warm()  # children that live for the module start before a test counts them
        site.reader._child.start()
        yield site


def asked(site: app.Site, question: str, **options: object) -> Answer:
    """The answer to one question."""
    *_, last = site.chat.ask(question, **options)  # type: ignore[arg-type]
    assert isinstance(last, AnswerReady)
    return last.answer
