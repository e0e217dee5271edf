"""How a site begins in the window: its name, its first person, and the recovery code that is shown once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QPageSize, QPainter
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QWidget

from lumen_desktop.domain.accounts import Profile
from lumen_desktop.errors import LumenError
from lumen_desktop.ui.entrance import Page, Problem, field, named, secret
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.widgets import Unbroken, button, column, label, row

if TYPE_CHECKING:
    from PySide6.QtPrintSupport import QPrinter

    from lumen_desktop.services.founding import Founding

_LEFT = Qt.AlignmentFlag.AlignLeft
_FIELD = 180  # pixels at the default text size
_PROFILES = (
    (Profile.CLINICAL, "Clinical"),
    (Profile.GMP, "GMP"),
)


_PROFILE_RULE = (
    "Clinical: you are admin and clinician at once. GMP: duties are kept apart, and you, the admin, add the others but "
    "work with no records yourself. A clinical site can become a GMP site later, never back."
)


class FoundingForm(QWidget):
    """Asks for what a site begins with.

    Args:
        shortest: characters of the shortest password that is taken.
        folder: where the site would be made; None where it exists.
        choose_profile: whether a GMP site may be made; one taken over stays one person's at first.
    """

    made = Signal(object, object)  # Path | None, Founding

    def __init__(self, shortest: int, *, folder: Path | None, choose_profile: bool = True) -> None:
        super().__init__()
        self._shortest = shortest
        self.folder = field("Folder of the site", str(folder)) if folder else None
        self.site_name = field("Name of the site")
        self.site_name.setPlaceholderText("as it stands on documents, such as St Luke's Pharmacy")
        self.user, self.printed_name = field("User name"), field("Your name")
        self.user.setPlaceholderText("what you sign in with, such as hholder")
        self.printed_name.setPlaceholderText("as under a signature, such as Hilda Holder")
        self.password, self.repeated = secret("Password"), secret("Password once more")
        self.profile = QComboBox()
        self.profile.setAccessibleName("Profile")
        for profile, words in _PROFILES:
            self.profile.addItem(words, profile)
        self.problem = Problem()
        self._build(choose_profile=choose_profile)

    def _build(self, *, choose_profile: bool) -> None:
        fields: list[tuple[str, QWidget]] = [("Folder", self._place())] if self.folder else []
        fields += [("Site", self.site_name)]
        fields += [("Profile", self.profile)] if choose_profile else []
        fields += [("User name", self.user), ("Your name", self.printed_name)]
        fields += [("Password", self.password), ("Once more", self.repeated)]
        inside = column()
        inside.addLayout(named(fields))
        if choose_profile:
            inside.addWidget(label(_PROFILE_RULE, "small"))
        rule = f"Password: at least {self._shortest} characters; a sentence that you remember is easiest, spaces count."
        inside.addWidget(label(rule, "small"))
        inside.addWidget(self.problem)
        self.make = button("Make the site", self._make, role="primary")
        inside.addWidget(self.make, alignment=_LEFT)
        self.repeated.returnPressed.connect(self._make)
        self.setLayout(inside)

    def _place(self) -> QWidget:
        assert self.folder is not None
        place, where = Flow(), QWidget()
        place.add(self.folder, grows=True, least_px=_FIELD)
        place.add(button("Choose…", self._choose))
        where.setLayout(place)
        return where

    def _choose(self) -> None:
        assert self.folder is not None
        chosen = QFileDialog.getExistingDirectory(self, "Folder of the site", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def _make(self) -> None:
        problem = self._lacking()
        self.problem.tell(problem, self)
        if problem:
            return
        from lumen_desktop.services.founding import Founding, first_admin  # noqa: PLC0415 - loaded by now

        profile = Profile(self.profile.currentData())
        person = first_admin(self.user.text().strip(), self.printed_name.text().strip(), profile)
        begun = Founding(self.site_name.text().strip(), profile, [person], self.password.text())
        self.password.clear()
        self.repeated.clear()
        self.made.emit(Path(self.folder.text().strip()) if self.folder else None, begun)

    def _lacking(self) -> str:
        asked = [self.site_name, self.user, self.printed_name, *([self.folder] if self.folder else [])]
        empty = [it.accessibleName().lower() for it in asked if not it.text().strip()]
        if empty:
            return f"Fill in: {', '.join(empty)}."
        if len(self.password.text()) < self._shortest:
            return f"The password is too short: at least {self._shortest} characters are needed."
        if self.password.text() != self.repeated.text():
            return "The two passwords differ. Type them again."
        return ""


class TakeOverPage(Page):
    """A site that one passphrase opened so far: asks for it once more, and who signs in from now on."""

    given = Signal(str, object)  # passphrase, Founding

    def __init__(self, shortest: int) -> None:
        super().__init__()
        self.setAccessibleName("From a passphrase to people")
        self.passphrase = secret("Passphrase")
        self.form = FoundingForm(shortest, folder=None, choose_profile=False)
        self.form.make.setText("Go on")
        self.form.made.connect(self._give)
        self.body.addStretch(1)
        self.body.addWidget(self.logo())
        self.body.addWidget(label("Your site gets people", "title"))
        self.body.addWidget(label(
            "So far one passphrase opened it. From now on each person signs in with a name and password of their own, "
            "and the audit trail says who did what. Give the passphrase for the last time.", "muted"))  # fmt: skip
        self.body.addLayout(named((("Passphrase", self.passphrase),)))
        self.body.addWidget(self.form)
        self.body.addStretch(2)

    def ask(self, refused: LumenError | None) -> None:
        """Asks, and says why the last answer was not taken."""
        self.form.problem.tell_refusal(refused, self.passphrase)
        self.passphrase.setFocus()

    def _give(self, _folder: Path | None, begun: Founding) -> None:
        passphrase = self.passphrase.text()
        self.passphrase.clear()
        self.given.emit(passphrase, begun)


class RecoveryPage(Page):
    """Shows the recovery code once; goes on when the person says that they have it."""

    seen = Signal()

    def __init__(self, code: str, site: str) -> None:
        super().__init__()
        self.setAccessibleName("Recovery code")
        self._code, self._site = code, site
        self.code = Unbroken(code, "Recovery code")
        self.kept = QCheckBox("I have printed it or written it down")
        self.go_on = button("Go on", self.seen.emit, role="primary")
        self.go_on.setEnabled(False)
        self.kept.toggled.connect(self.go_on.setEnabled)
        self.problem = Problem()
        self.body.addStretch(2)
        self.body.addWidget(label("Your recovery code", "title"))
        self.body.addWidget(label(
            "It opens the site when every password is forgotten. It is shown now and never again, and Lumen keeps no "
            "copy: print it or write it down, and lock it away.", "muted"))  # fmt: skip
        self.body.addWidget(self.code)
        acts = row()
        acts.addWidget(button("Print…", self._print))
        acts.addWidget(button("Save as PDF…", self._save))
        acts.addStretch(1)
        self.body.addLayout(acts)
        self.body.addWidget(self.problem)
        self.body.addWidget(self.kept)
        self.body.addWidget(self.go_on, alignment=_LEFT)
        self.body.addStretch(3)

    def _print(self) -> None:
        from PySide6.QtPrintSupport import QPrintDialog, QPrinter  # noqa: PLC0415 - most runs never need it

        printer = QPrinter()
        if QPrintDialog(printer, self).exec():
            draw(printer, self._site, self._code)
            self.problem.tell("Sent to the printer. Lock the sheet away.", self)

    def _save(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the recovery code", "recovery-code.pdf", "PDF (*.pdf)")
        if path:
            from PySide6.QtPrintSupport import QPrinter  # noqa: PLC0415 - as above

            printer = QPrinter()
            printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
            printer.setOutputFileName(path)
            draw(printer, self._site, self._code)
            self.problem.tell("Whoever has this file opens the site: print it, then delete it.", self)


def draw(printer: QPrinter, site: str, code: str) -> None:
    """One sheet to lock away."""
    printer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    painter = QPainter(printer)
    line = printer.logicalDpiY() / 3
    for size, height, words in (
        (20, 1, "Lumen recovery code"), (11, 2.5, site), (15, 4.5, code),
        (11, 6.5, "Opens the site when every password is forgotten. Keep it locked away."),
    ):  # fmt: skip
        painter.setFont(QFont("Inter", size))
        painter.drawText(0, int(height * line), words)
    painter.end()
