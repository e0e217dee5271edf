"""The screen of model builds: which are installed, what they may do, and whether their files are the right ones."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QWidget

from lumen_desktop import paths
from lumen_desktop.domain.builds import ModelBuild
from lumen_desktop.errors import EngineError, LumenError
from lumen_desktop.services import builds
from lumen_desktop.ui import errors, tasks, theme
from lumen_desktop.ui.formatting import number, size
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Card, EmptyState, button, column, label, row

SHORTCUTS = (("Ctrl+Shift+D", "Check the files of the models"),)
_ROLES = {"chat": "Writes commentary", "embedding": "Finds passages"}
_NAME_WIDTH = 150
_IMPORT = "Importing a model build of your own, with its seal and qualification, comes with a later version."


class ModelsScreen(QWidget):
    """One card for each installed build."""

    def __init__(self, _site: object) -> None:
        super().__init__()
        self._working = False
        self.cards: dict[str, _BuildCard] = {}
        layout = column(margin=2 * SPACE, spacing=int(1.5 * SPACE))
        try:
            found = builds.listed(paths.models())
        except EngineError as error:
            layout.addWidget(EmptyState("cpu", "No models are installed", errors.sentence(error)))
            self.setLayout(layout)
            return
        self.check_button = button(
            "Check files", self.check, icon="shield-check", tip="Compare each file with its digest",
            shortcut="Ctrl+Shift+D",
        )  # fmt: skip
        head = row()
        head.addWidget(label("Models", "title"), 1)
        head.addWidget(self.check_button)
        layout.addLayout(head)
        layout.addWidget(label(_IMPORT, "muted"))
        for build in found:
            self.cards[build.role] = _BuildCard(build)
            layout.addWidget(self.cards[build.role])
        layout.addStretch(1)
        self.setLayout(layout)

    @property
    def busy(self) -> bool:
        """Checking changes nothing and is never waited for."""
        return False

    def activated(self) -> None:
        """Nothing changes while the program runs."""

    def stop(self) -> None:
        """Nothing to stop."""

    def check(self) -> None:
        """Compares each file with the digest taken when it was installed."""
        self.check_button.setEnabled(False)
        prompts = paths.resources() / "prompts"
        task = tasks.stream(self, lambda: (_checked(paths.models(), prompts, role) for role in self.cards), self._tell)
        task.finished.connect(lambda: self.check_button.setEnabled(True))

    def _tell(self, verdict: tuple[str, LumenError | None]) -> None:
        role, problem = verdict
        self.cards[role].tell(problem)


def _checked(models: Path, prompts: Path, role: str) -> tuple[str, LumenError | None]:
    try:
        builds.installed(models, prompts, role)
    except EngineError as error:
        return role, error
    return role, None


class _BuildCard(Card):
    """What is known of one build."""

    def __init__(self, build: ModelBuild) -> None:
        super().__init__()
        self.state = label("not checked since the start", "badge")
        head = row()
        title = label(build.id, "heading", selectable=True)
        title.setWordWrap(False)
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self.state)
        self.body.addLayout(head)
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setHorizontalSpacing(3 * SPACE)
        allowed = "yes, its qualification allows it" if build.prose else "no, unless you switch it on (not verified)"
        facts = [
            ("Work", _ROLES.get(build.role, build.role)),
            ("SHA-256", build.sha256),
            ("Size", f"{size(build.size_bytes)}"),
            ("Context", f"{number(build.context_tokens)} tokens"),
            ("Licence", build.licence),
        ]
        if build.role == "chat":
            facts.append(("Prose below quotes", allowed))
        for name, value in facts:
            named = label(name, "muted")
            named.setMinimumWidth(_NAME_WIDTH)
            form.addRow(named, label(value, selectable=True))
        self.body.addLayout(form)
        self.setAccessibleName(f"Model build {build.id}")

    def tell(self, problem: LumenError | None) -> None:
        """Shows what the check of its file found."""
        self.state.setText("file is the one installed" if problem is None else errors.sentence(problem))
        theme.mark(self.state, "badge-success" if problem is None else "badge-warning")
        self.state.setWordWrap(problem is not None)
