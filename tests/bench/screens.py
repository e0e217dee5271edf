"""The pictures of the README: the real window over a real demonstration, each screen as a person meets it.

Needs the starter models; the lit page needs the guidance PDFs beside the checkout. Pictures are reduced to 256 colours,
which keeps each below 150 kB. Run: ``python -m tests.bench screens [--size 1280x800] [--theme light] [--out FOLDER]``.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

from lumen_desktop import paths
from lumen_desktop.errors import StorageError
from lumen_desktop.services.founding import DEMONSTRATION_PASSWORD
from lumen_desktop.ui import application, errors
from lumen_desktop.ui.application import Shell
from lumen_desktop.ui.chat.screen import AskScreen
from lumen_desktop.ui.help import HelpWindow
from lumen_desktop.ui.library.screen import LibraryScreen
from lumen_desktop.ui.people.screen import PeopleScreen
from lumen_desktop.ui.sign_in import SignInPage
from lumen_desktop.ui.welcome import WelcomePage

LARGEST_BYTES = 150_000
GUIDANCE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "guidance_pdf"
BATCHES = "Which batches must an investigation extend to when a batch fails its specification?"
AUDIT_TRAILS = "What should be considered about audit trails in a risk assessment under Annex 11?"
UNKNOWN = "What is the recommended dose of warfarin?"
_WAIT_S = 180.0


class Photographer:
    """Drives the window and keeps what it shows."""

    def __init__(self, folder: Path, out: Path, size: tuple[int, int]) -> None:
        self._program = application.make()
        self._out, self._size = out, size
        self.folder = folder
        self.shell = Shell(self._program, folder)
        self.shell.window.resize(*size)
        self.shell.begin()

    def until(self, reached: Callable[[], object]) -> None:
        """Lets the window work until something is so."""
        deadline = time.monotonic() + _WAIT_S
        while not reached():
            if time.monotonic() > deadline:
                raise TimeoutError("the window did not get there")
            self._program.processEvents()
            time.sleep(0.005)

    def rest(self, seconds: float = 0.5) -> None:
        """Lets the window come to rest."""
        until = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > until)

    def take(self, name: str, of: QWidget | None = None) -> None:
        """Keeps a picture of the window, or of another one."""
        self.rest()
        if self.shell.crashes.count:
            raise RuntimeError("something went wrong in the window; its trace stands above")
        picture = (of or self.shell.window).grab().toImage()
        path = self._out / f"{name}.png"
        reduced(picture).save(str(path), quality=0)
        size = path.stat().st_size
        sys.stdout.write(f"{path.name:24} {picture.width()}x{picture.height()} {size / 1000:.0f} kB\n")
        if size > LARGEST_BYTES and self._size <= (1280, 800):
            raise StorageError(f"{path.name} is too large.", code="BEN-001", hint="Show less on it.")

    def screen(self, name: str) -> QWidget:
        """Goes to a screen."""
        self.shell.window.show_screen(name)
        self.rest(0.1)
        shown = self.shell.window.stack.currentWidget()
        assert shown is not None
        return shown


def reduced(picture: QImage) -> QImage:
    """The same picture in the 256 colours that it shows most."""
    exact = picture.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(exact.constBits(), dtype=np.uint32)
    colours, counts = np.unique(pixels, return_counts=True)
    table = [int(colour) for colour in colours[np.argsort(counts)[::-1][:256]]]
    return exact.convertToFormat(QImage.Format.Format_Indexed8, table, Qt.ImageConversionFlag.ThresholdDither)


def first_start(camera: Photographer) -> None:
    """The first start, and the way into the demonstration."""
    window = camera.shell.window
    camera.until(lambda: isinstance(window.stack.currentWidget(), WelcomePage))
    welcome = window.stack.currentWidget()
    assert isinstance(welcome, WelcomePage)
    camera.take("first-start")
    welcome.own.click()
    camera.take("first-start-site")
    welcome.try_it.click()
    camera.until(lambda: window.status.state == "ready")
    camera.until(lambda: not camera.shell.session.adding_library)


def asking(camera: Photographer) -> None:
    """Asking: empty, quotes, a lit page, nothing found."""
    screen = camera.screen("ask")
    assert isinstance(screen, AskScreen)
    camera.take("ask-empty")
    ask(camera, screen, BATCHES)
    camera.take("answer")
    if GUIDANCE.is_dir():
        screen.begin()
        ask(camera, screen, AUDIT_TRAILS)
        view = screen.thread_view.views[-1]
        view.open_quote(1)
        camera.rest(4)
        camera.take("lit-page")
    screen.begin()
    ask(camera, screen, UNKNOWN)
    camera.take("not-in-your-library")


def ask(camera: Photographer, screen: AskScreen, question: str) -> None:
    """One question, to its end."""
    screen.composer.write(question)
    camera.rest(0.1)
    screen.ask(question)
    camera.until(lambda: not screen.busy)


def adding(camera: Photographer, bad: Path) -> None:
    """Adding files, one of which cannot be read; the library with them."""
    screen = camera.screen("library")
    assert isinstance(screen, LibraryScreen)
    files = [bad, *sorted(GUIDANCE.glob("annex11*.pdf")), *sorted(GUIDANCE.glob("Part-11*.pdf"))]
    screen.add([*files, *sorted(GUIDANCE.glob("Q9*.pdf"))])
    camera.until(lambda: "Q9" in " ".join(screen.adding.progress.words))
    camera.rest(2.0)
    camera.take("adding-files")
    screen.stop()
    camera.until(lambda: not screen.busy)
    camera.take("added-with-a-problem")
    screen._tabs.setCurrentIndex(0)
    camera.take("library")


def others(camera: Photographer) -> None:
    """The remaining screens, help, and a refusal."""
    for name in ("documents", "models", "audit", "settings"):
        camera.screen(name)
        camera.take(name)
    refusal = StorageError(
        "The disk that holds the site is full; nothing of this step was stored.", code="STO-003",
        hint="Free some space and try again; everything stored before is unharmed.",
    )  # fmt: skip
    errors.show(camera.screen("ask"), refusal)
    camera.take("error")
    camera.shell.window.banner.close_message()
    camera.shell.window._help()
    (manual,) = camera.shell.window.findChildren(HelpWindow)
    camera.take("help", manual)
    manual.close()


def people(camera: Photographer) -> None:
    """Everybody at the site, as its admin sees them."""
    window = camera.shell.window
    window.sign_out()
    camera.until(lambda: isinstance(window.stack.currentWidget(), SignInPage))
    page = window.stack.currentWidget()
    assert isinstance(page, SignInPage)
    page.given.emit("admin", DEMONSTRATION_PASSWORD, "")
    camera.until(lambda: window.status.state == "ready" and camera.shell.session.site is not None)
    screen = camera.screen("people")
    assert isinstance(screen, PeopleScreen)
    screen.tabs.setCurrentWidget(screen.everybody)
    camera.until(screen.everybody.rows.rowCount)
    screen.everybody.choose("officer")
    window.banner.close_message()
    camera.take("people")


def main(argv: list[str]) -> int:
    """Takes all pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench screens", description=__doc__)
    parser.add_argument("--size", default="1280x800", help="of the window, pixels")
    parser.add_argument("--theme", choices=["light", "dark"], default="light")
    parser.add_argument("--out", type=Path, default=paths.resources() / "screenshots")
    options = parser.parse_args(argv)
    width, height = map(int, options.size.split("x"))
    options.out.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp())
    os.environ["LUMEN_SETTINGS"] = str(place / "settings.json")
    (place / "settings.json").write_text(f'{{"theme": "{options.theme}"}}', encoding="utf-8")
    (place / "scanned-page.pdf").write_bytes(b"%PDF-1.7\nnothing that can be read")
    try:
        camera = Photographer(place / "demonstration", options.out, (width, height))
        first_start(camera)
        if GUIDANCE.is_dir():
            adding(camera, place / "scanned-page.pdf")
        asking(camera)
        others(camera)
        people(camera)
        camera.shell.window.close()
        camera.until(camera.shell.window.isHidden)
        camera.shell.end()
    finally:
        shutil.rmtree(place, ignore_errors=True)
    program = QApplication.instance()
    if program is not None:
        program.processEvents()
    return 0
