"""A quote as a card: its number, whose words these are, the words, and where they stand; it opens its source.

Knows no service; `exchange` places it.
"""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from lumen_desktop.domain.chat import Citation
from lumen_desktop.domain.library import Kind
from lumen_desktop.services.chat import place
from lumen_desktop.ui import theme
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import column, label, picture, row

_KINDS = {Kind.SUMMARY: ("Lumen’s summary", "badge-warning"), Kind.SOURCE: ("Source", "badge-success")}
_SIGN = 16  # pixels


class QuoteCard(QPushButton):
    """One quote; a click, Enter or Space opens its source (``clicked``).

    A button and not a frame, because that is what it is to a screen reader and to the keyboard.
    """

    def __init__(self, citation: Citation, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.citation = citation
        self._body = column(margin=2 * SPACE)
        self._build()

    def _build(self) -> None:
        citation = self.citation
        kind, badge = _KINDS[citation.kind]
        theme.mark(self, "quote")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        head = row()
        number = label(f"[{citation.n}]", "badge-accent")
        document = label(citation.document, "strong")
        document.setMinimumWidth(0)
        head.addWidget(number, alignment=Qt.AlignmentFlag.AlignTop)
        head.addWidget(document, 1)
        head.addWidget(label(kind, badge), alignment=Qt.AlignmentFlag.AlignTop)
        body = self._body
        body.addLayout(head)
        body.addWidget(label(f"“{citation.quote}”", "quote"))
        foot = row()
        foot.addWidget(label(place(citation), "small"), 1)
        foot.addWidget(picture("book-open", "muted", _SIGN), alignment=Qt.AlignmentFlag.AlignBottom)
        body.addLayout(foot)
        self.setLayout(body)
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setToolTip(f"Open the source (Alt+{citation.n})")
        self.setAccessibleName(f"Quote {citation.n}, {kind}: “{citation.quote}”")
        self.setAccessibleDescription(f"{place(citation)}. Opens the source.")

    def choose(self, *, chosen: bool) -> None:
        """Marks it as the one whose source is open."""
        theme.mark(self, "quote-chosen" if chosen else "quote")

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's
        """What is on it decides, not the button's empty text."""
        return self._body.sizeHint()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's
        """As `sizeHint`."""
        return self._body.minimumSize()

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's
        """Its text wraps."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's
        """As high as its text needs."""
        return self._body.totalHeightForWidth(width)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        """Lets Enter press it as Space does."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
        else:
            super().keyPressEvent(event)
