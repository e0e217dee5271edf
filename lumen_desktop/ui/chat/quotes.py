"""A quote as a card: its number, whose words these are, the words, and where they stand; it opens its source.

Knows no service; `exchange` places it.
"""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from lumen_desktop.domain.chat import Citation
from lumen_desktop.domain.library import Kind, ReleaseState
from lumen_desktop.services.chat import place
from lumen_desktop.ui import theme
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.widgets import CardButton, label, picture, row

_KINDS = {Kind.SUMMARY: ("Lumen’s summary", "badge-warning"), Kind.SOURCE: ("Source", "badge-success")}
_SIGN = 16  # pixels
_TITLE = 120  # pixels that a title needs beside its badge


class QuoteCard(CardButton):
    """One quote; a click, Enter or Space opens its source (``clicked``)."""

    def __init__(self, citation: Citation, parent: QWidget | None = None) -> None:
        super().__init__("quote", parent)
        self.citation = citation
        self._build()

    def _build(self) -> None:
        citation = self.citation
        kind, badge = _KINDS[citation.kind]
        head = Flow()
        head.add(label(f"[{citation.n}]", "badge-accent"), top=True)
        head.add(label(citation.document, "strong"), grows=True, least_px=_TITLE)
        head.add(label(kind, badge), top=True)
        if unreleased(citation):
            head.add(label(ReleaseState.AWAITING.words, "badge-warning"), top=True)
        self.body.addLayout(head)
        self.body.addWidget(label(f"“{citation.quote}”", "quote"))
        foot = row()
        foot.addWidget(label(place(citation), "small"), 1)
        foot.addWidget(picture("book-open", "muted", _SIGN), alignment=Qt.AlignmentFlag.AlignBottom)
        self.body.addLayout(foot)
        self.setToolTip(f"Open the source (Alt+{citation.n})")
        self.setAccessibleName(f"Quote {citation.n}, {kind}: “{citation.quote}”")
        self.setAccessibleDescription(f"{place(citation)}. Opens the source.")

    def choose(self, *, chosen: bool) -> None:
        """Marks it as the one whose source is open."""
        theme.mark(self, "quote-chosen" if chosen else "quote")


def unreleased(citation: Citation) -> bool:
    """Whether the document was not released when it was quoted; what a citation says of it is kept as it was then."""
    return citation.attribution.endswith(f"[{ReleaseState.AWAITING.words}]")
