"""The screen of model builds: which are installed, what they may do, and whether their files are the right ones."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget

from lumen_desktop import paths
from lumen_desktop.domain.builds import ModelBuild
from lumen_desktop.errors import EngineError, LumenError
from lumen_desktop.services import builds
from lumen_desktop.ui import errors, tasks, theme
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.formatting import number, size
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Card, EmptyState, Scrolled, Unbroken, button, column, label, sized

SHORTCUTS = (("Ctrl+Shift+D", "Check the files of the models"),)
_ROLES = {"chat": "Writes commentary", "embedding": "Finds passages"}
_NAME, _VALUE = 150, 220  # pixels at the default text size: of a fact's name, and at least of what stands beside it
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
        head = Flow()
        head.add(label("Models", "title"), grows=True)
        head.add(self.check_button)
        layout.addLayout(head)
        layout.addWidget(label(_IMPORT, "muted"))
        for build in found:
            self.cards[build.role] = _BuildCard(build)
            layout.addWidget(self.cards[build.role])
        layout.addStretch(1)
        inside, whole = QWidget(), column()
        inside.setAccessibleName("Models")
        inside.setLayout(layout)
        whole.addWidget(Scrolled(inside))
        self.setLayout(whole)

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
        head = Flow()
        head.add(label(build.id, "heading", selectable=True), grows=True, least_px=_VALUE)
        head.add(self.state)
        self.body.addLayout(head)
        allowed = "yes, its qualification allows it" if build.prose else "no, unless you switch it on (not verified)"
        facts: list[tuple[str, QWidget]] = [
            ("Work", label(_ROLES.get(build.role, build.role))),
            ("SHA-256", Unbroken(build.sha256, f"SHA-256 of {build.id}")),
            ("Size", label(size(build.size_bytes), selectable=True)),
            ("Context", label(f"{number(build.context_tokens)} tokens", selectable=True)),
            ("Licence", label(build.licence, selectable=True)),
        ]
        if build.role == "chat":
            facts.append(("Prose below quotes", label(allowed)))
        for name, value in facts:
            named, line = label(name, "muted"), Flow(spacing=2 * SPACE)
            sized(named, width=_NAME)
            line.add(named, top=True)
            line.add(value, grows=True, least_px=_VALUE)
            self.body.addLayout(line)
        self.setAccessibleName(f"Model build {build.id}")

    def tell(self, problem: LumenError | None) -> None:
        """Shows what the check of its file found."""
        self.state.setText("file is the one installed" if problem is None else errors.sentence(problem))
        theme.mark(self.state, "badge-success" if problem is None else "badge-warning")
        self.state.setWordWrap(problem is not None)
