"""What a person may set; each change is checked, kept and, where it can be, used at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QSpinBox,
    QTabWidget,
    QWidget,
)

from lumen_desktop import paths, settings
from lumen_desktop.errors import LumenError
from lumen_desktop.settings import RANGES, Settings
from lumen_desktop.ui import errors, theme
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.settings.about import AboutPage
from lumen_desktop.ui.settings.self_test import SelfTestPage
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Banner, Card, Scrolled, button, column, fitted, label, restyle, sized

if TYPE_CHECKING:
    from lumen_desktop.app import Site

SHORTCUTS = (("Ctrl+Tab", "Next page of the settings"),)
_THEMES = {"system": "As the system", "light": "Light", "dark": "Dark"}
_RESTART = "Counts from the next start of Lumen."
_WIDTH, _FIELD, _NAME, _EXPLAINING = 760, 180, 150, 240  # pixels at the default text size
_AROUND = 12  # pixels above and below the words of a field
_EXPLAINED = {
    "Commentary": (
        "The model's words stand below the quotes and are marked as not verified; what no source holds is struck. "
        "The starter model writes poorly: leave it off to read quotes only."
    ),
    "Quotes": "Sentences that lead an answer.",
    "Passages": "Passages of your documents that an answer is made from.",
    "Threads": f"One fewer than the computer has keeps it usable. {_RESTART}",
    "Context window": f"How much the model reads at a time. {_RESTART}",
    "Data folder": (
        "Holds your sites: documents, conversations and the audit trail. Sites that are there already are not moved: "
        f"close Lumen, move them, then choose their new folder here. {_RESTART}"
    ),
}


class SettingsScreen(QWidget):
    """Preferences, the self-test, and what Lumen is."""

    def __init__(self, site: Site | None) -> None:
        super().__init__()
        self.preferences, self.test, self.about = Preferences(site), SelfTestPage(site), AboutPage()
        self.tabs = QTabWidget()
        for part in (self.tabs, self.tabs.tabBar()):
            part.setAccessibleName("Pages of the settings")
        for page, title in ((self.preferences, "Preferences"), (self.test, "Self-test"), (self.about, "About")):
            page.setAccessibleName(title)
            self.tabs.addTab(Scrolled(page), title)
        layout = column(margin=2 * SPACE)
        layout.addWidget(label("Settings", "title"))
        layout.addWidget(self.tabs, 1)
        self.setLayout(layout)

    @property
    def busy(self) -> bool:
        """Whether the self-test runs."""
        return self.test.busy

    def activated(self) -> None:
        """Reads the settings again: the command line may have changed them."""
        self.preferences.read()

    def stop(self) -> None:
        """Ends the self-test after the check it is at."""
        self.test.stop()


class Preferences(QWidget):
    """The form of settings."""

    def __init__(self, site: Site | None) -> None:
        super().__init__()
        self._site = site
        self._reading = False
        self.notice = Banner()
        self.folder = QLineEdit(readOnly=True)
        self.folder.setAccessibleName("Data folder")
        self.theme, self.prose = QComboBox(), QCheckBox("Let the model comment (not verified)")
        self.prose.setAccessibleName(self.prose.text())
        self.numbers = {
            "font_points": _number("Text size", " pt", special="As usual"), "threads": _number("Threads", ""),
            "context_tokens": _number("Context window", " tokens", step=512), "quotes": _number("Quotes", ""),
            "passages": _number("Passages", ""), "answer_tokens": _number("Longest commentary", " tokens", step=16),
        }  # fmt: skip
        self._build()
        self.read()

    def _build(self) -> None:
        for value, words in _THEMES.items():
            self.theme.addItem(words, value)
        self.theme.setAccessibleName("Colours")
        sized(self.theme, least=_FIELD)
        self.theme.currentIndexChanged.connect(lambda _: self._set("theme", str(self.theme.currentData())))
        self.prose.toggled.connect(lambda on: self._set("prose", "on" if on else "off"))
        for name, box in self.numbers.items():
            lowest = 0 if name == "font_points" else RANGES[name][0]
            box.setRange(lowest if name != "font_points" else RANGES[name][0] - 1, RANGES[name][-1])
            box.valueChanged.connect(self._counted(name))
        layout = column(margin=SPACE, spacing=int(1.5 * SPACE))
        layout.addWidget(self.notice)
        cards: dict[str, list[tuple[str, QWidget | Flow]]] = {
            "Look": [("Colours", self.theme), ("Text size", self.numbers["font_points"])],
            "Answers": [
                ("Commentary", self.prose),
                ("Quotes", self.numbers["quotes"]),
                ("Passages", self.numbers["passages"]),
                ("Longest commentary", self.numbers["answer_tokens"]),
            ],
            "Engine": [("Threads", self.numbers["threads"]), ("Context window", self.numbers["context_tokens"])],
            "Data": [("Data folder", self._place())],
        }
        for title, lines in cards.items():
            layout.addWidget(_card(title, lines))
        layout.addStretch(1)
        self.setLayout(layout)
        sized(self, most=_WIDTH)

    def _place(self) -> Flow:
        place = Flow()
        place.add(self.folder, grows=True, least_px=_FIELD)
        place.add(button("Change…", self._choose, tip="Choose another folder"))
        place.add(button("Usual", lambda: self._move(""), tip="Back to the usual folder"))
        return place

    def read(self) -> None:
        """Shows the settings as they are kept."""
        self._reading = True
        kept, _ = settings.load(paths.settings_file())
        self.theme.setCurrentIndex(self.theme.findData(kept.theme))
        self.prose.setChecked(kept.prose)
        for name, box in self.numbers.items():
            box.setValue(getattr(kept, name) or box.minimum())
        self.folder.setText(kept.data_folder or str(paths.user_data()))
        self._reading = False

    def _counted(self, name: str) -> Callable[[int], object]:
        box = self.numbers[name]
        return lambda value: self._set(name, "0" if name == "font_points" and value == box.minimum() else str(value))

    def _choose(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Data folder", self.folder.text())
        if chosen:
            self._move(chosen)

    def _move(self, folder: str) -> None:
        if self._set("data_folder", folder):
            self.read()
            self.notice.tell(f"Lumen looks for its sites in {self.folder.text()} from its next start.", kind="info")

    def _set(self, name: str, text: str) -> bool:
        """Checks and keeps one setting, and uses it where that is possible now."""
        if self._reading:
            return False
        try:
            kept = settings.changed(settings.load(paths.settings_file())[0], name, text)
            settings.save(paths.settings_file(), kept)
        except LumenError as error:
            errors.show(self, error)
            self.read()
            return False
        self._use(name, kept)
        return True

    def _use(self, name: str, kept: Settings) -> None:
        if self._site is not None:
            self._site.use(kept)
        application = QApplication.instance()
        if name in {"theme", "font_points"} and isinstance(application, QApplication):
            theme.apply(application, kept.theme, font_points=kept.font_points)
            restyle(self.window())


def _card(title: str, lines: list[tuple[str, QWidget | Flow]]) -> Card:
    """Some settings under a heading, each with the words that explain it."""
    made = Card()
    made.body.setSpacing(int(1.5 * SPACE))
    made.body.addWidget(label(title, "heading"))
    for name, field in lines:
        explained, whole = QWidget(), column(spacing=SPACE // 2)
        if isinstance(field, QWidget):
            whole.addWidget(field, alignment=Qt.AlignmentFlag.AlignLeft)
        else:
            whole.addLayout(field)
        if name in _EXPLAINED:
            whole.addWidget(label(_EXPLAINED[name], "small"))
        explained.setLayout(whole)
        named, line = label(name), Flow(spacing=3 * SPACE)
        named.setWordWrap(False)
        sized(named, least=_NAME)
        _level(named)
        line.add(named, top=True)
        line.add(explained, grows=True, least_px=_EXPLAINING)
        made.body.addLayout(line)
    return made


def _level(named: QWidget) -> None:
    """Makes a name as high as the field beside it."""
    fitted(named, lambda: named.setMinimumHeight(theme.line_height() + _AROUND))


def _number(name: str, unit: str, *, special: str = "", step: int = 1) -> QSpinBox:
    made = QSpinBox(suffix=unit, singleStep=step)
    made.setSpecialValueText(special)
    made.setAccessibleName(name)
    made.setKeyboardTracking(False)
    sized(made, least=_FIELD)
    made.lineEdit().setTextMargins(SPACE - 2, 0, 0, 0)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return made
