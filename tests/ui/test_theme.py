"""Both themes can be read by everyone, and the style sheet names only what they hold."""

import re
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from lumen_desktop import paths
from lumen_desktop.ui import theme

THEMES = ("light", "dark")
TEXT, SHAPE = 4.5, 3.0  # WCAG 2.2, success criteria 1.4.3 and 1.4.11, level AA
SURFACES = ("background", "surface", "sunken")
PAIRS = [
    *(("text", ground, TEXT) for ground in (*SURFACES, "accent_soft", "danger_soft", "warning_soft", "success_soft")),
    *(("muted", ground, TEXT) for ground in SURFACES),
    *((role, ground, TEXT) for role in ("danger", "warning", "success") for ground in (f"{role}_soft", "surface")),
    *(("on_accent", ground, TEXT) for ground in ("accent", "accent_hover")),
    *(("accent", ground, TEXT) for ground in ("accent_soft", "surface")),
    *(("link", ground, TEXT) for ground in ("surface", "background")),
    *((role, ground, SHAPE) for role in ("control", "focus") for ground in ("background", "surface")),
    ("surface", "text", TEXT),  # tool tips
]


def luminance(colour: str) -> float:
    """Relative luminance of ``#RRGGBB``. Source: WCAG 2.2, definition of relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21. Source: WCAG 2.2, definition of contrast ratio."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def sheet() -> str:
    return (paths.resources() / "theme" / "style.qss").read_text(encoding="utf-8")


def test_contrast_is_computed_as_the_guidelines_say() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize(("front", "ground", "least"), PAIRS, ids=str)
def test_what_is_to_be_read_or_seen_stands_out(name: str, front: str, ground: str, least: float) -> None:
    colours = theme.load(name).colours
    assert contrast(colours[front], colours[ground]) >= least


def test_both_themes_name_the_same_roles_as_six_digits() -> None:
    light, dark = (theme.load(name).colours for name in THEMES)
    assert light.keys() == dark.keys()
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for palette in (light, dark) for colour in palette.values())


def test_the_style_sheet_uses_only_known_names_and_no_colour_of_its_own() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", sheet()))
    assert used <= theme.load("light").colours.keys() | theme._SIZES.keys() | theme._LENGTHS.keys() | {"name"}
    assert not re.search(r"#[0-9A-Fa-f]{3,8}\b|rgba?\(", sheet())


@pytest.mark.parametrize("name", THEMES)
def test_every_picture_of_the_style_sheet_is_there(name: str) -> None:
    pictures = re.findall(r"url\(theme:([^)]+)\)", sheet().replace("${name}", name))
    assert pictures
    assert all((paths.resources() / "theme" / picture).is_file() for picture in pictures)


@pytest.mark.parametrize("name", THEMES)
def test_a_theme_reaches_the_whole_application(qapp: QApplication, name: str) -> None:
    chosen = theme.apply(qapp, name, font_points=13)
    assert theme.current() is chosen
    assert qapp.palette().window().color().name().upper() == chosen.colours["background"]
    assert qapp.font().pointSizeF() == 13
    assert "font-size: 13.0pt" in qapp.styleSheet()


def test_every_icon_can_be_coloured_by_the_theme(qapp: QApplication) -> None:
    for path in sorted(Path(paths.resources() / "icons").glob("*.svg")):
        assert "currentColor" in path.read_text(encoding="utf-8"), path.name
        drawn = theme.icon(path.stem, "danger").pixmap(48, 48).toImage()
        seen = {
            drawn.pixelColor(x, y).name() for x in range(48) for y in range(48) if drawn.pixelColor(x, y).alpha() > 250
        }
        assert theme.current().colours["danger"].lower() in seen, path.name
