"""What stands in the window before a site is open: a page in its middle, and the fields that such pages ask for.

Pages collect what a person says and pass it on by signals; `session` acts on it.
"""

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QProgressBar, QVBoxLayout, QWidget

from lumen_desktop.errors import LumenError
from lumen_desktop.ui import errors
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Scrolled, announce, button, centred, column, label, picture, sized

_WIDTH, _NAME, _FIELD = 620, 120, 180  # pixels at the default text size
_LOGO = 56


class Page(Scrolled):
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


class OpeningPage(Page):
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


class RefusedPage(Page):
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


def field(name: str, words: str = "") -> QLineEdit:
    """A field that says its name to a screen reader."""
    made = QLineEdit(words)
    made.setAccessibleName(name)
    return made


def secret(name: str) -> QLineEdit:
    """A field for a password."""
    made = field(name)
    made.setEchoMode(QLineEdit.EchoMode.Password)
    return made


def named(fields: Iterable[tuple[str, QWidget]]) -> QVBoxLayout:
    """Fields below each other, each after its name, or below it where the window is narrow."""
    lines = column()
    for name, widget in fields:
        words, line = label(name), Flow(spacing=2 * SPACE)
        words.setWordWrap(False)
        sized(words, least=_NAME)
        line.add(words)
        line.add(widget, grows=True, least_px=_FIELD)
        lines.addLayout(line)
    return lines


class Problem(QLabel):
    """Why what was typed is not taken; not there while nothing is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "danger")
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.hide()

    def tell(self, words: str, of: QWidget) -> None:
        """Shows a problem, and lets a screen reader say it of a field."""
        self.setText(words)
        self.setVisible(bool(words))
        of.setAccessibleDescription(words)
        if words:
            announce(self, words)

    def tell_refusal(self, error: LumenError | None, of: QWidget) -> None:
        """As `tell`, for a refusal or none."""
        self.tell(f"{error.message} {error.hint}" if error else "", of)
