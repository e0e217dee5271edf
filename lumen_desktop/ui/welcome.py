"""The first start: try the demonstration, or set up a site of one's own. It collects and passes on; `session` acts."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton

from lumen_desktop import paths
from lumen_desktop.ui.entrance import Page
from lumen_desktop.ui.founding import FoundingForm
from lumen_desktop.ui.widgets import Card, button, label


def intended_use() -> str:
    """The statement of intended use."""
    return (paths.resources() / "intended_use.txt").read_text(encoding="utf-8").replace("\n", " ").strip()


class WelcomePage(Page):
    """First start: the demonstration, or a site of one's own."""

    demonstration_wanted = Signal()

    def __init__(self, site_folder: Path, shortest_password: int) -> None:
        super().__init__()
        self.setAccessibleName("Welcome to Lumen")
        self.form = FoundingForm(shortest_password, folder=site_folder)
        self.form.hide()
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
        self.site_card = self._choice("Work with your own documents", "An encrypted site that opens for you and the "
                                      "people you add, on this computer and nowhere else.", self.own)  # fmt: skip
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

    def _unfold(self) -> None:
        self.form.show()
        self.own.hide()
        self.form.site_name.setFocus()
