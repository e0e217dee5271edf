"""The screen of controlled documents; this version says what it will hold."""

from PySide6.QtWidgets import QWidget

from lumen_desktop.ui.widgets import EmptyState, column


class DocumentsScreen(QWidget):
    """Says what is to come here."""

    def __init__(self, _site: object) -> None:
        super().__init__()
        layout = column()
        layout.addWidget(
            EmptyState(
                "file-text",
                "Controlled documents come with a later version",
                "Here you will draft GMP documents such as deviations, OOS investigations and change controls from "
                "typed fields and quoted sources, have each section adopted by a person, sign the revision "
                "electronically and print it as a sealed PDF. Nothing of that works yet, and nothing is stored here.",
            )
        )
        self.setLayout(layout)
