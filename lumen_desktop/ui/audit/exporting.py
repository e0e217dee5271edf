"""Handing the chosen events on as a file: asking where to, and saying what was written with its digest."""

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QFrame, QWidget

from lumen_desktop.services.audit_export import FORMATS, Exported
from lumen_desktop.ui.formatting import counted
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Unbroken, announce, column, icon_button, label, picture, row

_KINDS = {
    "CSV, for a spreadsheet (*.csv)": "csv",
    "JSON, for others to check (*.json)": "json",
    "PDF, to read and to print (*.pdf)": "pdf",
}


class Target:
    """A file to write, as a person chose it.

    Attributes:
        path: where.
        kind: a key of the service's formats.
        replace: whether the dialog asked whether a file that is there may go.
    """

    def __init__(self, named: str, kind: str) -> None:
        chosen = Path(named)
        suffix = chosen.suffix.lstrip(".").lower()
        self.kind = suffix if suffix in FORMATS else _KINDS.get(kind, "csv")
        self.path = chosen if suffix in FORMATS else chosen.with_name(f"{chosen.name}.{self.kind}")
        self.replace = self.path == chosen  # another name is one that the dialog did not ask about


def ask_target(parent: QWidget, folder: str) -> Target | None:
    """Lets a person name the file; None where they think better of it."""
    start = str(Path(folder) / "audit-trail.csv") if folder else "audit-trail.csv"
    named, kind = QFileDialog.getSaveFileName(parent, "Export the audit trail", start, ";;".join(_KINDS))
    return Target(named, kind) if named else None


class Written(QFrame):
    """What the last export wrote; its digest can be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "banner-success")
        self.words = label("", selectable=True)
        self.digest = Unbroken("", "SHA-256 of the exported file")
        told = column(spacing=SPACE // 2)
        told.addWidget(self.words)
        told.addWidget(label("SHA-256 of the file:", "small"))
        told.addWidget(self.digest)
        layout = row(margin=SPACE)
        layout.addWidget(picture("circle-check", "success", 18))
        layout.addLayout(told, 1)
        layout.addWidget(icon_button("x", "Close this message", self.hide))
        self.setLayout(layout)
        self.hide()

    def tell(self, done: Exported, path: Path) -> None:
        """Says what was written."""
        self.words.setText(f"{counted(done.events, 'event')} written to {path}. The export is an event itself.")
        self.words.setAccessibleName(self.words.text())
        self.digest.setPlainText(done.sha256)
        self.digest.updateGeometry()
        self.show()
        announce(self, self.words.text())
