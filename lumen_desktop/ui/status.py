"""The line at the foot of the window: which site, which build, what the engine does, and that nothing leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QProgressBar, QSizePolicy, QStatusBar, QWidget

from lumen_desktop import paths
from lumen_desktop.services import builds
from lumen_desktop.ui import errors, tasks, theme
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Elided, fitted, label, row

if TYPE_CHECKING:
    from lumen_desktop.app import Site
    from lumen_desktop.errors import LumenError

OFFLINE = "Offline: nothing leaves this computer"
_LONGEST_NAME = 40  # characters of a site's name; its tip has all
_OFFLINE_SHORT = "Offline"
_STATES = {
    "none": ("Engine not loaded", "badge"),
    "loading": ("Engine loading…", "badge"),
    "ready": ("Engine ready", "badge-success"),
    "writing": ("Engine writing…", "badge-accent"),
    "safe": ("Safe mode", "badge-warning"),
}
_SAFE = "A model failed three times within five minutes. The self-test under Settings says which part fails."
_BAR_WIDTH = 140


class Status(QStatusBar):
    """Badges at the foot of the window; their words say everything, colour only repeats it.

    Where there is no room for all, the long form of "offline" goes first, then the build's name, then ends of words.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setSizeGripEnabled(False)
        self.setContentsMargins(SPACE, 0, SPACE, 0)
        self.setAccessibleName("Status")
        self.state = ""
        self._site: Site | None = None
        self.site_label, self.build, self.engine = Elided("badge"), label("", "badge"), label("", "badge")
        self.site_label.setText("No site")
        self.offline = label(OFFLINE, "badge")
        self._work, self._bar = Elided("small"), QProgressBar(textVisible=False)
        self._line = QWidget()
        self._build()
        fitted(self, self.fit)

    def _build(self) -> None:
        self._bar.setFixedWidth(_BAR_WIDTH)
        for part, name in (
            (self.site_label, "Site"), (self.build, "Model build"), (self.engine, "Engine"), (self.offline, "Network"),
            (self._work, "Work under way"),
        ):  # fmt: skip
            part.setAccessibleDescription(name)
        self.offline.setAccessibleName(OFFLINE)
        self.offline.setToolTip(OFFLINE)
        layout = row()
        for shown in (self.site_label, self.build, self.engine):
            layout.addWidget(shown)
        layout.addStretch(1)
        layout.addWidget(self._work)
        layout.addWidget(self._bar)
        layout.addWidget(self.offline)
        self._line.setLayout(layout)
        self._line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.addWidget(self._line, 1)
        self.progress("", 0, 0)
        self.show_state("none")

    def fit(self) -> None:
        """Shows as much as there is room for."""
        room = self.width() - 4 * SPACE
        self.offline.setText(OFFLINE)
        self.build.setVisible(bool(self.build.text()))
        if self._needed() > room:
            self.offline.setText(_OFFLINE_SHORT)
        if self._needed() > room:
            self.build.hide()

    def _needed(self) -> int:
        parts = (self.site_label, self.build, self.engine, self._work, self._bar, self.offline)
        shown = [part for part in parts if not part.isHidden()]
        return sum(part.sizeHint().width() for part in shown) + SPACE * len(shown)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """As `fit`."""
        super().resizeEvent(event)
        self.fit()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """As `fit`, now that the look is settled."""
        super().showEvent(event)
        self.fit()

    def show_state(self, state: str, why: str = "") -> None:
        """Says what the engine does: none, loading, ready, writing or safe."""
        if state == self.state and not why:
            return
        why = why or (_SAFE if state == "safe" else "")
        self.state = state
        words, role = _STATES[state]
        _say(self.engine, words, role)
        self.engine.setToolTip(why or words)
        self.fit()

    def show_site(self, site: Site) -> None:
        """Names the open site and starts what its questions will need."""
        self._site = site
        name, folder = site.people.policy().site, site.place.folder.path
        demonstration = site.place.demonstration
        short = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
        _say(self.site_label, "DEMONSTRATION" if demonstration else f"Site: {short}",
             "badge-warning" if demonstration else "badge")  # fmt: skip
        self.site_label.setToolTip(f"{name}, in {folder}")
        self.show_state("loading")
        tasks.run(self, lambda: _warmed(site), self._warm, self._cold)

    def progress(self, words: str, done: int, total: int) -> None:
        """Shows work in the background; empty words take it away."""
        self._work.setText(words)
        self._work.setVisible(bool(words))
        self._bar.setVisible(bool(words))
        self._bar.setRange(0, total)
        self._bar.setValue(done)
        self._bar.setAccessibleName(words or "No work under way")
        self.fit()

    def _warm(self, found: tuple[str, str]) -> None:
        build, all_builds = found
        self.build.setText(build)
        self.build.setToolTip(all_builds)
        self.build.setAccessibleName(f"Model build {build}")
        self.show_state("ready")

    def _cold(self, error: LumenError) -> None:
        errors.show(self, error)
        self.show_state("none", f"{error.message} {error.hint} ({error.code})")


def _say(badge: QLabel, words: str, role: str) -> None:
    badge.setText(words)
    badge.setAccessibleName(words)
    theme.mark(badge, role)


def _warmed(site: Site) -> tuple[str, str]:
    """Starts the children that a question needs and waits for the model; returns the build that writes, and all."""
    site.warm()
    site.embedder.describe()
    found = builds.listed(paths.models())
    return found[0].id, "\n".join(f"{build.id}: sha256 {build.sha256}" for build in found)
