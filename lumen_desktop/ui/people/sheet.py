"""Dialogs of this screen: a form that does one job, and a sheet that hands over what is shown once.

They know no job: whoever opens one says what it asks and what it does.
"""

from collections.abc import Callable
from typing import Any, Self

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QWidget

from lumen_desktop.errors import LumenError
from lumen_desktop.ui import errors, tasks, theme
from lumen_desktop.ui.entrance import field, named
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Banner, Scrolled, Unbroken, button, column, label, sized

_WIDTH = 560  # pixels at the default text size
_NAME, _WORD = 120, 260  # of the name of a long word, and at least of the word
_AROUND = 4 * SPACE  # pixels that the window is seen around it

Work = Callable[[], Any]


class Sheet(QDialog):
    """Words and fields above a row of buttons, as high as they need and never larger than the window."""

    def __init__(self, parent: QWidget, title: str) -> None:
        super().__init__(parent)
        self._opener = parent
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.banner = Banner()
        self.banner.setObjectName(errors.BANNER)
        self.banner.closed.connect(self.fit)
        self.body, self.foot = column(spacing=int(1.5 * SPACE)), Flow()
        self._inside = QWidget()
        self._inside.setLayout(self.body)
        self._area = Scrolled(self._inside)
        self._area.setAccessibleName(title)
        self.body.addWidget(label(title, "heading"))
        self.foot.stretch()
        layout = column(margin=2 * SPACE, spacing=2 * SPACE)
        layout.addWidget(self.banner)
        layout.addWidget(self._area, 1)
        layout.addLayout(self.foot)
        self.setLayout(layout)

    def say(self, words: str, role: str = "muted") -> None:
        """Adds some words."""
        self.body.addWidget(label(words, role))

    def fit(self) -> None:
        """Takes the room that its content needs, as far as the window goes."""
        around = self._opener.window().size()
        width = min(theme.scaled(_WIDTH), around.width() - _AROUND)
        inner, gap = width - 4 * SPACE, 2 * SPACE
        banner = self.banner.layout()
        above = banner.totalHeightForWidth(inner) + gap if banner and not self.banner.isHidden() else 0
        height = above + self.body.totalHeightForWidth(inner) + gap + self.foot.heightForWidth(inner) + 2 * gap
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # or one that is there stays:
        self.resize(width, min(height, around.height() - _AROUND))  # it takes room, and then more is needed
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Measures once all has its look."""
        super().showEvent(event)
        self.fit()
        QTimer.singleShot(0, self, self.fit)


class Form(Sheet):
    """Asks for what one job needs, does it off the interface's thread, and closes when it is done.

    A refusal stands in the form's own banner, and what was typed stays.

    Args:
        parent: the part of the screen that opens it.
        title: what the job is.
        act: the words of its button.
        danger: whether the job cannot be undone; then Enter does not do it.
    """

    def __init__(self, parent: QWidget, title: str, act: str, *, danger: bool = False) -> None:
        super().__init__(parent, title)
        self.working = False
        self._first: QWidget | None = None
        self._collect: Callable[[], Work | None] = lambda: None
        self._done: Callable[[Any], object] = lambda _: None
        self.cancel = button("Cancel", self.reject)
        self.act = button(act, self.do, role="danger" if danger else "primary")
        for made in (self.cancel, self.act):
            made.setAutoDefault(made is self.act and not danger)
            self.foot.add(made)
        self.act.setDefault(not danger)

    def ask(self, name: str, hint: str = "", *, typed: QLineEdit | None = None) -> QLineEdit:
        """Adds a field; `typed` where it is there already."""
        made = typed or field(name)
        made.setPlaceholderText(hint)
        self.add(name, made)
        return made

    def ask_reason(self) -> QLineEdit:
        """Adds the field of every change that has to say why."""
        return self.ask("Reason", "why, in a few words, for the audit trail")

    def add(self, name: str, widget: QWidget) -> None:
        """Adds a field of any kind."""
        self.body.addLayout(named(((name, widget),)))

    def does(self, collect: Callable[[], Work | None], done: Callable[[Any], object]) -> None:
        """Says what its button does.

        Args:
            collect: reads the fields and returns the work, to be called in another thread; None where it said in
                the banner what is lacking.
            done: gets what the work returned, once the form is closed.
        """
        self._collect, self._done = collect, done

    def do(self) -> None:
        """Does the job."""
        if self.working:
            return
        errors.clear(self)
        work = self._collect()
        if work is None:
            self.fit()
            return
        self._work(working=True)
        tasks.run(self, work, self._finished, self._refused).finished.connect(lambda: self._work(working=False))

    def opened(self, first: QWidget) -> Self:
        """Opens it over its window, ready to type in its first field."""
        self._first = first
        self.open()
        first.setFocus()
        return self

    def lacks(self, words: str) -> None:
        """Says what is lacking before the job can be done."""
        self.banner.tell(words, kind="danger")

    def _finished(self, result: object) -> None:
        self._work(working=False)
        self.accept()
        self._done(result)

    def _refused(self, error: LumenError) -> None:
        self._work(working=False)
        errors.show(self, error)
        self.fit()
        if self._first is not None:
            self._first.setFocus()

    def _work(self, *, working: bool) -> None:
        self.working = working
        for part in (self._inside, self.act, self.cancel):
            part.setEnabled(not working)

    def reject(self) -> None:
        """Closes without doing anything, but not while the job is being done."""
        if not self.working:
            super().reject()


class Handed(Sheet):
    """Shows what is shown once; only its button or the window's own closes it, no slip of a key."""

    def __init__(self, parent: QWidget, title: str) -> None:
        super().__init__(parent, title)
        self.seen = button("Done", self.accept, role="primary")
        self.foot.add(self.seen)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Takes no Escape."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Forgets what it showed."""
        for shown in self.findChildren(Unbroken):
            shown.clear()
        super().closeEvent(event)


class HandedPage(Handed):
    """As `Handed`, for a page that has its own heading and its own way on."""

    def __init__(self, parent: QWidget, page: Scrolled) -> None:
        super().__init__(parent, page.accessibleName())
        self._page = page
        self._area.hide()
        self.seen.hide()
        whole = self.layout()
        assert whole is not None
        whole.addWidget(page)

    def fit(self) -> None:
        """Takes the room that the page needs, as far as the window goes."""
        around = self._opener.window().size()
        width = min(theme.scaled(_WIDTH), around.width() - _AROUND)
        inside = self._page.widget()
        height = inside.heightForWidth(width - 4 * SPACE) + 6 * SPACE if inside else 0
        self.resize(width, min(height, around.height() - _AROUND))


def copyable(word: str, name: str) -> Flow:
    """One long word to read after its name, with a button that copies it."""
    shown, line = Unbroken(word, name), Flow(spacing=2 * SPACE)
    copied = button("Copy", lambda: QGuiApplication.clipboard().setText(word), icon="copy")
    copied.setAccessibleName(f"Copy: {name}")
    copied.setAutoDefault(False)
    called = label(name, "muted")
    sized(called, least=_NAME)
    line.add(called, top=True)
    line.add(shown, grows=True, least_px=_WORD)
    line.add(copied, top=True)
    return line


def hand_over_password(parent: QWidget, name: str, password: str) -> Handed:
    """Shows a first password."""
    sheet = Handed(parent, f"First password of {name}")
    sheet.say("It is shown now and never again. Tell it to nobody else; the first sign-in asks for another.")
    sheet.body.addLayout(copyable(password, "First password"))
    sheet.open()
    return sheet
