"""What the computer's clock did and nobody explained: a banner, and the dialog that takes the reason."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QWidget

from lumen_desktop.domain.reasons import LONGEST
from lumen_desktop.errors import LumenError
from lumen_desktop.ui import errors, theme
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import column, label

_WIDTH = 480  # pixels at the default text size


class ExplainDialog(QDialog):
    """Asks why the clock was set or jumped; stays open until the reason is taken."""

    given = Signal(str)

    def __init__(self, parent: QWidget, trouble: str) -> None:
        super().__init__(parent)
        self.setWindowTitle("Explain the clock")
        self.setModal(True)
        self.reason = QPlainTextEdit()
        self.reason.setPlaceholderText("For example: the battery of the clock was replaced and the time set by radio")
        self.reason.setAccessibleName("Why the clock was set or jumped")
        self.reason.setTabChangesFocus(True)
        self.problem = label("", "danger")
        self.problem.hide()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        for made in self.buttons.buttons():
            made.setAccessibleName(made.text())
        self.buttons.accepted.connect(self._give)
        self.buttons.rejected.connect(self.reject)
        layout = column(margin=2 * SPACE)
        for part in (label(trouble), label(f"Why? It stays in the trail; {LONGEST} characters at most.", "muted")):
            layout.addWidget(part)
        layout.addWidget(self.reason, 1)
        layout.addWidget(self.problem)
        layout.addWidget(self.buttons)
        self.setLayout(layout)
        room = parent.window().width()
        self.resize(min(theme.scaled(_WIDTH), room), self.sizeHint().height())

    def refuse(self, error: LumenError) -> None:
        """Says why the reason was not taken."""
        self.buttons.setEnabled(True)
        self.problem.setText(errors.sentence(error))
        self.problem.show()
        self.reason.setFocus()

    def _give(self) -> None:
        self.buttons.setEnabled(False)
        self.given.emit(self.reason.toPlainText())
