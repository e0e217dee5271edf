"""Colours, type and spacing of the window, from `resources/theme`; and its icons, from `resources/icons`.

A theme is data: a TOML file of colours by role, poured into one style sheet. Widgets choose their look by the
property ``role`` (`mark`), never by colours of their own; what is painted by hand asks `current`. Lengths are
designed at the default text size; those beside words grow with them (`scaled`).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from string import Template

from PySide6.QtCore import QByteArray, QDir, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QFontMetrics,
    QGuiApplication,
    QIcon,
    QPainter,
    QPalette,
    QPixmap,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QWidget

from lumen_desktop import paths

SPACE = 8  # pixels; every distance in the window is a multiple of half of it
BODY_POINTS = 10.5
_SIZES = {"small": 0.88, "body": 1.0, "quote": 1.08, "heading": 1.2, "title": 1.6}
_FONTS = ("Inter-Regular", "Inter-Italic", "Inter-SemiBold", "Inter-Bold")
_LENGTHS = {
    "tick": 16,
    "dot": 8,
    "arrow": 12,
    "drop": 26,
    "spin": 24,
    "bar": 8,
}  # pixels beside words in the style sheet
_ICON_SIZES = (16, 20, 24, 32, 48, 64, 96)


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one theme, by role, as ``#RRGGBB``."""

    name: str
    colours: Mapping[str, str]

    def colour(self, role: str) -> QColor:
        """A colour to paint with."""
        return QColor(self.colours[role])


_chosen: list[Theme] = []
_points = [BODY_POINTS]
_given: list[tuple[str, float]] = []  # the look in use; to give it again would polish every widget anew


@cache
def load(name: str) -> Theme:
    """One of the themes under `resources/theme`: light or dark."""
    with (paths.resources() / "theme" / f"{name}.toml").open("rb") as file:
        return Theme(name, tomllib.load(file))


def current() -> Theme:
    """The theme in use."""
    return _chosen[0] if _chosen else load("light")


def scaled(length_px: float) -> int:
    """A length that was designed at the default text size, as it is at the size in use; pixels."""
    return round(length_px * _points[0] / BODY_POINTS)


def icon_px(length_px: int) -> int:
    """As `scaled` for a sign beside words: beyond twice its size it tells no more, and takes the room of words."""
    return min(scaled(length_px), 2 * length_px)


def text_width(words: str, size: str = "body", *, bold: bool = False) -> int:
    """Width of words on one line, pixels, also before anything shows them.

    Args:
        words: without a line break.
        size: one of the sizes of the style sheet: small, body, quote, heading or title.
        bold: whether they stand out.
    """
    font = _font(_points[0] * _SIZES[size])
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return QFontMetrics(font).horizontalAdvance(words)


def line_height() -> int:
    """Height of one line of ordinary text, pixels."""
    return QFontMetrics(_font(_points[0])).height()


def apply(application: QApplication, choice: str, *, font_points: float = 0) -> Theme:
    """Gives the whole application its look.

    Args:
        application: the one there is.
        choice: system, light or dark.
        font_points: size of ordinary text, points; 0 takes the default.
    """
    theme = load(_named(choice))
    _chosen[:] = [theme]
    _points[:] = [points := font_points or BODY_POINTS]
    if _given == [(theme.name, points)]:
        return theme
    if not _given:
        application.setStyle("Fusion")
    _given[:] = [(theme.name, points)]
    application.setFont(_font(points))
    application.setPalette(_palette(theme))
    application.setStyleSheet(_style_sheet(theme, points))
    return theme


def _style_sheet(theme: Theme, points: float) -> str:
    sizes = {name: f"{points * factor:.1f}" for name, factor in _SIZES.items()}
    sizes |= {name: str(icon_px(length)) for name, length in _LENGTHS.items()}
    sheet = Template((paths.resources() / "theme" / "style.qss").read_text(encoding="utf-8"))
    QDir.setSearchPaths("theme", [str(paths.resources() / "theme")])
    return sheet.substitute(theme.colours, name=theme.name, **sizes)


def _named(choice: str) -> str:
    if choice in {"light", "dark"}:
        return choice
    dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
    return "dark" if dark else "light"


def _font(points: float) -> QFont:
    for name in _FONTS:
        _register(name)
    font = QFont(["Inter", "Noto Sans", "DejaVu Sans", "Arial"])
    font.setPointSizeF(points)
    return font


@cache
def _register(name: str) -> int:
    return QFontDatabase.addApplicationFont(str(paths.resources() / "fonts" / f"{name}.otf"))


def _palette(theme: Theme) -> QPalette:
    """What widgets paint that no style sheet reaches."""
    roles = {
        QPalette.ColorRole.Window: "background",
        QPalette.ColorRole.WindowText: "text",
        QPalette.ColorRole.Base: "surface",
        QPalette.ColorRole.AlternateBase: "sunken",
        QPalette.ColorRole.Text: "text",
        QPalette.ColorRole.Button: "surface",
        QPalette.ColorRole.ButtonText: "text",
        QPalette.ColorRole.Highlight: "accent",
        QPalette.ColorRole.HighlightedText: "on_accent",
        QPalette.ColorRole.Link: "link",
        QPalette.ColorRole.LinkVisited: "link",
        QPalette.ColorRole.PlaceholderText: "muted",
        QPalette.ColorRole.ToolTipBase: "text",
        QPalette.ColorRole.ToolTipText: "surface",
    }
    palette = QPalette()
    for role, colour in roles.items():
        palette.setColor(role, theme.colour(colour))
    return palette


def mark(widget: QWidget, role: str) -> None:
    """Gives a widget the look of a role of the style sheet, also after it was shown."""
    widget.setProperty("role", role)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def icon(name: str, colour: str = "text") -> QIcon:
    """An icon of `resources/icons` in a colour of the theme, sharp at every size."""
    return _icon(name, current().colours[colour])


@cache
def _icon(name: str, colour: str) -> QIcon:
    drawing = (paths.resources() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(drawing.replace("currentColor", colour).encode()))
    made = QIcon()
    for size in _ICON_SIZES:
        pixmap = QPixmap(QSize(size, size))
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter)
        painter.end()
        made.addPixmap(pixmap)
    return made
