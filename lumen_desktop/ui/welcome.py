"""What stands in the window before a site is open: first start, opening, passphrase, and what kept it closed.

They collect what a person says and pass it on by signals; `session` acts on it.
"""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from lumen_desktop import paths
from lumen_desktop.errors import LumenError
from lumen_desktop.ui import errors
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Card, Scrolled, button, centred, column, label, picture, sized

_WIDTH, _NAME, _FIELD = 620, 90, 180  # pixels at the default text size
_LOGO = 56


def intended_use() -> str:
    """The statement of intended use."""
    return (paths.resources() / "intended_use.txt").read_text(encoding="utf-8").replace("\n", " ").strip()


class _Page(Scrolled):
    """A narrow column in the middle of the window."""

    def __init__(self) -> None:
        super().__init__()
        inside, outside, middle = QWidget(), QWidget(), column(margin=3 * SPACE)
        self.body: QVBoxLayout = column(spacing=int(1.5 * SPACE))
        inside.setLayout(self.body)
        middle.addLayout(centred(inside, most=_WIDTH))
        outside.setLayout(middle)
        self.setWidget(outside)

    def logo(self) -> QLabel:
        """The program's sign."""
        return picture("lumen", "accent", _LOGO)


class OpeningPage(_Page):
    """A quiet sign that the library is being opened."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Opening your library")
        bar = QProgressBar(maximum=0, textVisible=False)
        bar.setFixedWidth(220)
        bar.setAccessibleName("Opening your library")
        self.body.addStretch(2)
        words = label("Opening your library…", "muted")
        words.setWordWrap(False)
        for part in (self.logo(), words, bar):
            self.body.addWidget(part, alignment=Qt.AlignmentFlag.AlignHCenter)
        self.body.addStretch(3)


class RefusedPage(_Page):
    """Why the site could not be opened, and a way to try again."""

    again = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._words = label(selectable=True)
        self._retry = button("Try again", self.again.emit, role="primary", icon="refresh-cw")
        self.body.addStretch(2)
        self.body.addWidget(label("The site could not be opened", "title"))
        self.body.addWidget(self._words)
        self.body.addWidget(self._retry, alignment=Qt.AlignmentFlag.AlignLeft)
        self.body.addStretch(3)

    def tell(self, error: LumenError) -> None:
        """Shows a refusal."""
        self._words.setText(errors.sentence(error))
        self.setAccessibleName(errors.sentence(error))
        self._retry.setFocus()


def _secret(name: str) -> QLineEdit:
    made = QLineEdit(echoMode=QLineEdit.EchoMode.Password)
    made.setAccessibleName(name)
    return made


class UnlockPage(_Page):
    """Asks for the passphrase of an own site."""

    given = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Passphrase")
        self.passphrase = _secret("Passphrase")
        self.passphrase.returnPressed.connect(self._give)
        self.problem = label("", "danger")
        self.body.addStretch(2)
        self.body.addWidget(self.logo())
        self.body.addWidget(label("Open your site", "title"))
        self.body.addWidget(label("Everything in it is encrypted; your passphrase opens it.", "muted"))
        self.body.addWidget(self.passphrase)
        self.body.addWidget(self.problem)
        self.body.addWidget(button("Open", self._give, role="primary"), alignment=Qt.AlignmentFlag.AlignLeft)
        self.body.addStretch(3)

    def ask(self, refused: LumenError | None) -> None:
        """Asks, and says why the last one was not taken."""
        self.problem.setText(f"{refused.message} {refused.hint}" if refused else "")
        self.problem.setVisible(refused is not None)
        self.passphrase.setAccessibleDescription(self.problem.text())
        self.passphrase.clear()
        self.passphrase.setFocus()

    def _give(self) -> None:
        if self.passphrase.text():
            given = self.passphrase.text()
            self.passphrase.clear()
            self.given.emit(given)


class WelcomePage(_Page):
    """First start: the demonstration, or a site of one's own."""

    demonstration_wanted = Signal()
    site_wanted = Signal(str, str)  # folder, passphrase

    def __init__(self, site_folder: Path, shortest_passphrase: int) -> None:
        super().__init__()
        self.setAccessibleName("Welcome to Lumen")
        self._shortest = shortest_passphrase
        self.folder = QLineEdit(str(site_folder))
        self.folder.setAccessibleName("Folder of the site")
        self.passphrase, self.repeated = _secret("Passphrase"), _secret("Passphrase once more")
        self.problem = label("", "danger")
        self.problem.hide()
        self._build()

    def _build(self) -> None:
        self.try_it = button("Try the demonstration", self.demonstration_wanted.emit, role="primary", icon="play")
        self.try_it.setDefault(True)
        self.own = button("Set up a site…", self._unfold, icon="folder-plus")
        self.body.addStretch(1)
        self.body.addWidget(self.logo())
        self.body.addWidget(label("Welcome to Lumen", "title"))
        self.body.addWidget(
            label("Ask your own library; read the sentences that answer, word for word, with their place.", "muted")
        )
        self.body.addWidget(self._choice("Look around first", "A library of GMP summaries is ready to ask in half "
                                         "a minute. Nothing to fill in; not for real work.", self.try_it))  # fmt: skip
        self.site_card = self._choice("Work with your own documents", "An encrypted site that only your passphrase "
                                      "opens, on this computer and nowhere else.", self.own)  # fmt: skip
        self.form = self._form()
        self.form.hide()
        self.site_card.body.addWidget(self.form)
        self.body.addWidget(self.site_card)
        self.body.addWidget(label(intended_use(), "small"))
        self.body.addStretch(2)

    def _choice(self, title: str, text: str, choose: QPushButton) -> Card:
        made = Card()
        made.body.addWidget(label(title, "heading"))
        made.body.addWidget(label(text, "muted"))
        made.body.addWidget(choose, alignment=Qt.AlignmentFlag.AlignLeft)
        return made

    def _form(self) -> QWidget:
        place = Flow()
        place.add(self.folder, grows=True, least_px=_FIELD)
        place.add(button("Choose…", self._choose))
        where = QWidget()
        where.setLayout(place)
        made, inside = QWidget(), column()
        for name, field in (("Folder", where), ("Passphrase", self.passphrase), ("Once more", self.repeated)):
            named, line = label(name), Flow(spacing=2 * SPACE)
            named.setWordWrap(False)
            sized(named, least=_NAME)
            line.add(named)
            line.add(field, grows=True, least_px=_FIELD)
            inside.addLayout(line)
        rule = f"At least {self._shortest} characters; a sentence that you remember is easiest, spaces count. "
        inside.addWidget(label(rule + "Without the passphrase nobody can read the site: not you, not we.", "small"))
        inside.addWidget(self.problem)
        self.make = button("Make the site", self._make, role="primary")
        inside.addWidget(self.make, alignment=Qt.AlignmentFlag.AlignLeft)
        self.repeated.returnPressed.connect(self._make)
        made.setLayout(inside)
        return made

    def _unfold(self) -> None:
        self.form.show()
        self.own.hide()
        self.passphrase.setFocus()

    def _choose(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder of the site", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def _make(self) -> None:
        problem = self._lacking()
        self.tell(problem)
        if not problem:
            secret = self.passphrase.text()
            self.passphrase.clear()
            self.repeated.clear()
            self.site_wanted.emit(self.folder.text().strip(), secret)

    def _lacking(self) -> str:
        if not self.folder.text().strip():
            return "Choose a folder."
        if len(self.passphrase.text()) < self._shortest:
            return f"The passphrase is too short: at least {self._shortest} characters are needed."
        if self.passphrase.text() != self.repeated.text():
            return "The two passphrases differ. Type them again."
        return ""

    def tell(self, problem: str) -> None:
        """Shows why a site was not made."""
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.form.setAccessibleDescription(problem)
