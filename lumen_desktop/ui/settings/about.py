"""What Lumen is: version, intended use, licences, and the notices of what it is made from."""

from PySide6.QtWidgets import QComboBox, QPlainTextEdit, QWidget

from lumen_desktop import __version__, paths
from lumen_desktop.errors import EngineError
from lumen_desktop.services import builds
from lumen_desktop.services.notices import notices
from lumen_desktop.ui import theme
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.welcome import intended_use
from lumen_desktop.ui.widgets import column, fitted, label, picture, row

_LINES = 8  # of a notice that are seen at least
_SHORTEST = 12  # letters of a title that are seen at least


class AboutPage(QWidget):
    """Reads nothing but files that ship along."""

    def __init__(self) -> None:
        super().__init__()
        self.notices = notices()
        self.choice, self.text = QComboBox(), QPlainTextEdit(readOnly=True)
        self.choice.setAccessibleName("Licence or notice to show")
        self.text.setAccessibleName("Text of the licence or notice")
        self.text.setTabChangesFocus(True)
        for notice in self.notices:
            self.choice.addItem(notice.title)
        self.choice.currentIndexChanged.connect(self._show)
        fitted(self.text, lambda: self.text.setMinimumHeight(_LINES * theme.line_height()))
        self._build()
        self._show(0)

    def _build(self) -> None:
        head = row(spacing=2 * SPACE)
        words = column(spacing=2)
        words.addWidget(label("Lumen Desktop", "heading"))
        words.addWidget(
            label(f"Version {__version__} · Apache License 2.0 · {_build_words()}", "muted", selectable=True)
        )
        head.addWidget(picture("lumen", "accent", 48))
        head.addLayout(words, 1)
        layout = column(margin=SPACE, spacing=int(1.5 * SPACE))
        layout.addLayout(head)
        layout.addWidget(label(intended_use(), selectable=True))
        layout.addWidget(label("Licences and notices", "strong"))
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.choice.setMinimumContentsLength(_SHORTEST)
        chosen = row()
        chosen.addWidget(self.choice)
        chosen.addStretch(1)
        layout.addLayout(chosen)
        layout.addWidget(self.text, 1)
        self.setLayout(layout)

    def _show(self, position: int) -> None:
        if 0 <= position < len(self.notices):
            self.text.setPlainText(self.notices[position].text())


def _build_words() -> str:
    """The builds installed, by name and the beginning of their digests."""
    try:
        return "models " + ", ".join(f"{build.id} ({build.sha256[:8]})" for build in builds.listed(paths.models()))
    except EngineError:
        return "no models installed"
