"""Looking at the pages of a document: turning, zooming, and the quote lit where it stands.

A page is drawn at the pixels at which it is seen; until it has come, the one before is shown scaled. What has no
page images shows its text instead. `source` and `extracted` are made of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QIntValidator, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QScrollArea, QStackedWidget, QWidget

from lumen_desktop.domain.quotes import ENOUGH
from lumen_desktop.errors import LumenError
from lumen_desktop.ui import errors, widgets
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.library.keys import shortcut
from lumen_desktop.ui.library.loader import Fetched, PageLoader, Pages, Wanted
from lumen_desktop.ui.library.marked_text import MarkedText
from lumen_desktop.ui.library.picture import PagePicture
from lumen_desktop.ui.theme import SPACE

ZOOMS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0)  # of the width that fits
_FIT = ZOOMS.index(1.0)
_FIELD = 48  # pixels at the default text size, for a page number
_MOST_WIDTH_PX = 5000
_RESIZE_PAUSE_MS = 120
_OPENING_AFTER_MS = 150  # a page that comes sooner needs no words
_GONE = frozenset({"LIB-045", "LIB-046", "LIB-047"})  # no page at all; other refusals leave the text

SHORTCUTS = (
    ("Ctrl++", "Larger page"),
    ("Ctrl+-", "Smaller page"),
    ("Ctrl+0", "Page as wide as the panel"),
    ("Ctrl+PgDown", "Next page"),
    ("Ctrl+PgUp", "Previous page"),
)


@dataclass(frozen=True, slots=True)
class Opened:
    """What the pane looks at: a document, and the quote in it, if one is looked for.

    Attributes:
        document_id: the document; `title` its title; `pages` how many.
        drawable: whether its pages have images.
        paged: whether page numbers mean something to a reader of the file.
        passage_id: the passage whose quote is marked; None marks nothing.
        quote: its words; empty marks the whole passage.
    """

    document_id: int
    title: str
    pages: int
    drawable: bool
    paged: bool = True
    passage_id: int | None = None
    quote: str = ""


class PagePane(QWidget):
    """One page at a time, as an image or as text.

    Args:
        pages: where they come from, asked for when first needed.
    """

    seen = Signal(object)  # the PageView that is shown now

    def __init__(self, pages: Callable[[], Pages]) -> None:
        super().__init__()
        self._opened: Opened | None = None
        self._number = 1
        self._zoom = _FIT
        self._shown: Fetched | None = None
        self._refused = ""
        self._loader = PageLoader(self, pages)
        self._loader.arrived.connect(self._arrived)
        self._loader.refused.connect(self._failed)
        self._resized = QTimer(self, singleShot=True, interval=_RESIZE_PAUSE_MS)
        self._resized.timeout.connect(self._ask)
        self._waiting = QTimer(self, singleShot=True, interval=_OPENING_AFTER_MS)
        self._waiting.timeout.connect(lambda: self._say("Opening…"))
        self._build()
        self._furnish()

    def _build(self) -> None:
        self._previous = widgets.icon_button("chevron-left", "Previous page", lambda: self.turn(-1))
        self._next = widgets.icon_button("chevron-right", "Next page", lambda: self.turn(1))
        self._field = QLineEdit()
        self._field.setAccessibleName("Page number")
        self._field.setAlignment(Qt.AlignmentFlag.AlignCenter)
        widgets.sized(self._field, width=_FIELD)
        self._field.editingFinished.connect(self._go_to_field)
        self._of = widgets.label("", "muted")
        self._of.setWordWrap(False)
        self._as_text = widgets.icon_button("file-text", "Show the page as text", self._ask)
        self._as_text.setCheckable(True)
        self._smaller = widgets.icon_button("zoom-out", "Smaller", lambda: self.zoom(-1))
        self._fit = widgets.icon_button("maximize", "As wide as the panel", self.fit_width)
        self._larger = widgets.icon_button("zoom-in", "Larger", lambda: self.zoom(1))
        bar = Flow(spacing=SPACE // 2)
        for part in (self._previous, self._field, self._of, self._next):
            bar.add(part)
        bar.stretch()
        for part in (self._as_text, self._smaller, self._fit, self._larger):
            bar.add(part)
        self._bar = QWidget()
        self._bar.setLayout(bar)
        self._note = widgets.label("", "warning", selectable=True)
        self._note.setObjectName("page-note")
        self._said = widgets.label("", "muted", selectable=True)
        self._said.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._said.setMargin(3 * SPACE)
        self._picture = PagePicture()
        self._paper = _paper(self._picture)
        self._text = MarkedText("Text of the page")
        self._stack = QStackedWidget()
        for page in (self._said, self._paper, self._text):
            self._stack.addWidget(page)
        layout = widgets.column()
        layout.addWidget(self._bar)
        layout.addWidget(self._note)
        layout.addWidget(self._stack, 1)
        self.setLayout(layout)
        self.clear()

    def _furnish(self) -> None:
        for keys, act, button in (
            ("Ctrl+-", lambda: self.zoom(-1), self._smaller),
            ("Ctrl+0", self.fit_width, self._fit),
            ("Ctrl++", lambda: self.zoom(1), self._larger),
            ("Ctrl+=", lambda: self.zoom(1), None),  # the same key without Shift
            ("Ctrl+PgUp", lambda: self.turn(-1), self._previous),
            ("Ctrl+PgDown", lambda: self.turn(1), self._next),
        ):
            shortcut(self, keys, act, button)

    @property
    def number(self) -> int:
        """The page that was asked for last."""
        return self._number

    @property
    def picture(self) -> PagePicture:
        """The page as it is painted."""
        return self._picture

    @property
    def text(self) -> MarkedText:
        """The page's text as it is shown where no image is."""
        return self._text

    @property
    def note(self) -> str:
        """The line above the page; empty where there is nothing to say."""
        return self._note.text()

    @property
    def said(self) -> str:
        """The sentence in place of a page; empty while a page is shown."""
        return self._said.text() if self._stack.currentWidget() is self._said else ""

    @property
    def shown(self) -> Fetched | None:
        """What is on the screen."""
        return self._shown

    def open(self, opened: Opened, number: int) -> None:
        """Looks at a page of a document, from 1."""
        self._opened, self._shown = opened, None
        self._field.setValidator(QIntValidator(1, max(1, opened.pages), self._field))
        self._bar.setVisible(opened.paged or opened.drawable or opened.pages > 1)
        self._of.setText(f"of {opened.pages}" if opened.paged else "")
        for part in (self._previous, self._field, self._of, self._next):
            part.setVisible(opened.paged or opened.pages > 1)
        for button in (self._as_text, self._smaller, self._fit, self._larger):
            button.setVisible(opened.drawable)
        self.go(number)

    def go(self, number: int) -> None:
        """Turns to a page, from 1; one that is not there is the nearest that is."""
        if self._opened is None:
            return
        self._number = min(max(1, number), self._opened.pages)
        self._refused = ""
        self._field.setText(str(self._number))
        self._allow()
        self._ask()

    def _go_to_field(self) -> None:
        if self._field.text() != str(self._number):
            self.go(int(self._field.text()))

    def turn(self, by: int) -> None:
        """Turns pages onward or back."""
        self.go(self._number + by)

    def zoom(self, steps: int) -> None:
        """Makes the page larger or smaller by steps of `ZOOMS`."""
        self._scale_to(min(max(0, self._zoom + steps), len(ZOOMS) - 1))

    def fit_width(self) -> None:
        """Makes the page as wide as the pane."""
        self._scale_to(_FIT)

    def clear(self, words: str = "") -> None:
        """Shows no page; a sentence instead, where there is one."""
        self._opened = self._shown = None
        self._loader.forget()
        self._waiting.stop()
        self._note.setText("")
        self._note.hide()
        self._bar.hide()
        self._allow()
        self._say(words)

    def opening(self) -> None:
        """A document is about to come."""
        self._opened = None
        self._loader.forget()
        self._allow()
        self._waiting.start()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Scales at once and asks for a sharp page when the size has settled."""
        super().resizeEvent(event)
        self._picture.set_width(self._width())
        if self._opened is not None and self._opened.drawable:
            self._resized.start()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Asks for what could not be measured while it was hidden."""
        super().showEvent(event)
        if self._opened is not None:
            self._resized.start()

    def _scale_to(self, zoom: int) -> None:
        if self._opened is None or not self._opened.drawable:
            return
        bar = self._paper.verticalScrollBar()
        share = (bar.value() + bar.pageStep() / 2) / max(1, self._picture.height())
        self._zoom = zoom
        self._picture.set_width(self._width())
        self._paper.updateGeometry()
        QTimer.singleShot(0, bar, lambda: bar.setValue(round(share * self._picture.height() - bar.pageStep() / 2)))
        self._allow()
        self._ask()

    def _allow(self) -> None:
        """Lets buttons be pressed that would do something."""
        pages = self._opened.pages if self._opened else 0
        self._previous.setEnabled(self._number > 1 and pages > 0)
        self._next.setEnabled(self._number < pages)
        for part in (self._field, self._as_text, self._fit):
            part.setEnabled(pages > 0)
        self._smaller.setEnabled(pages > 0 and self._zoom > 0)
        self._larger.setEnabled(pages > 0 and self._zoom < len(ZOOMS) - 1)

    def _width(self) -> int:
        """Width of the page in the window's pixels."""
        edges = self._paper.verticalScrollBar().sizeHint().width() + 2 * SPACE
        fitting = self._stack.width() - edges  # the paper itself has no size while its text is shown
        most = int(_MOST_WIDTH_PX / self.devicePixelRatioF())
        return min(max(100, round(fitting * ZOOMS[self._zoom])), most)

    def _wanted(self) -> Wanted | None:
        if self._opened is None:
            return None
        drawn = self._opened.drawable and not self._as_text.isChecked() and not self._refused
        width_px = round(self._width() * self.devicePixelRatioF()) if drawn else None
        return Wanted(self._opened.document_id, self._number, width_px, self._opened.passage_id, self._opened.quote)

    def _ask(self) -> None:
        wanted = self._wanted()
        if wanted is None or (self._shown is not None and self._shown.wanted == wanted):
            return
        if self._shown is None or self._shown.wanted.number != wanted.number:
            self._waiting.start()
        self._loader.want(wanted)

    def _arrived(self, fetched: Fetched) -> None:
        assert self._opened is not None
        before, self._shown = self._shown, fetched
        self._waiting.stop()
        view = fetched.view
        self._tell(fetched)
        if fetched.image.isNull():
            self._text.show_text(
                view.text or "No text was found on this page.", view.quote_spans if self._marks else ()
            )
            self._stack.setCurrentWidget(self._text)
        else:
            self._picture.show_page(fetched.image, view.boxes)
            self._picture.set_width(self._width())
            self._stack.setCurrentWidget(self._paper)
            if before is None or before.image.isNull() or before.wanted.number != fetched.wanted.number:
                QTimer.singleShot(0, self._picture, self._to_quote)
        where = f"Page {view.number} of {view.pages}" if self._opened.paged else "Text"
        self._picture.setAccessibleName(f"{where}: {self._opened.title}")
        self._paper.setAccessibleName(f"{where}: {self._opened.title}")
        self._paper.setAccessibleDescription(" … ".join(view.text[start:end] for start, end in view.quote_spans))
        self.seen.emit(view)

    @property
    def _marks(self) -> bool:
        return self._opened is not None and self._opened.passage_id is not None

    def _tell(self, fetched: Fetched) -> None:
        """Says what a reader must know of the page that is shown."""
        view, words = fetched.view, self._refused
        if not words and self._marks and view.located < ENOUGH:
            words = (
                "The place of the quote on this page image is not known, so nothing is marked; its text shows it."
                if view.quote_spans and not fetched.image.isNull()
                else "Less than half of this quote could be found in the document, so nothing is marked."
            )
        self._note.setText(words)
        self._note.setVisible(bool(words))

    def _failed(self, _wanted: Wanted, error: LumenError) -> None:
        self._waiting.stop()
        if error.code in _GONE or self._refused:
            self.clear(f"{error.message} {error.hint}")
            return
        self._refused = errors.sentence(error)  # its text is shown instead
        self._ask()

    def _say(self, words: str) -> None:
        self._said.setText(words)
        self._stack.setCurrentWidget(self._said)

    def _to_quote(self) -> None:
        """Scrolls so that the quote is in the upper part of the view; to the top of the page where there is none."""
        boxes = self._picture.boxes()
        across, down = self._paper.horizontalScrollBar(), self._paper.verticalScrollBar()
        if not boxes:
            down.setValue(0)
            return
        top = self._picture.y() + boxes[0].top() + down.value()
        down.setValue(round(top - self._paper.viewport().height() / 4))
        across.setValue(round(boxes[0].center().x() - self._paper.viewport().width() / 2))


def _paper(picture: PagePicture) -> QScrollArea:
    """What the page lies in."""
    paper = QScrollArea()
    paper.setProperty("role", "page")
    paper.setFrameShape(QFrame.Shape.NoFrame)
    paper.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
    paper.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # or fitting would swing to and fro
    paper.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    paper.setWidget(picture)
    paper.setMinimumSize(QSize(200, 200))
    return paper
