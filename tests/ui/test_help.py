"""The manual: every link leads somewhere, every command and key it names exists, and both faces show the same text."""

import re

import pytest
import typer.main
from pytestqt.qtbot import QtBot

from lumen_desktop.cli import app as command_line
from lumen_desktop.errors import InputError
from lumen_desktop.services import manual
from lumen_desktop.ui import shortcuts
from lumen_desktop.ui.help import HelpWindow
from lumen_desktop.ui.screens import ENTRIES
from tests.conftest import Lumen

PAGES = manual.pages()
KEYS = re.compile(r"`((?:(?:Ctrl|Alt|Shift)\+)*(?:F\d+|Enter|Esc|Del|Tab|Space|(?<=\+)[^`]+))`")
OF_EVERY_WINDOW = {"Tab", "Shift+Tab", "Space", "Shift+Enter"}  # Qt's own, and what the line of Enter says


def commands() -> set[str]:
    """All commands of the terminal, with their groups."""
    found = set()
    root = typer.main.get_command(command_line)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        found |= {name, *(f"{name} {inner}" for inner in getattr(command, "commands", {}))}
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_page(page: manual.Page) -> None:
    names = {f"{page.name}.md" for page in PAGES}
    assert set(page.links) <= names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_exists(page: manual.Page) -> None:
    known = commands()
    for named in re.findall(r"`lumen ([a-z ]+)[^`]*`", page.text):
        words = named.strip()
        assert words in known or words.rsplit(" ", 1)[0] in known, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_key_is_in_the_sheet(page: manual.Page) -> None:
    known = {keys for _, group in shortcuts.groups() for keys, _ in group} | OF_EVERY_WINDOW
    assert set(KEYS.findall(page.text)) <= known


@pytest.mark.parametrize("title", ["Ask", "Everywhere"])
def test_the_keyboard_page_names_every_key_of_asking_and_of_the_window(title: str) -> None:
    (_, group) = next(group for group in shortcuts.groups() if group[0] == title)
    last = len(ENTRIES)
    each = "".join(f"`Ctrl+{number}`" for number in range(1, last + 1))
    text = manual.page("keyboard").text.replace(f"`Ctrl+1` to `Ctrl+{last}`", each)
    assert all(f"`{keys}`" in text for keys, _ in group)


def test_every_screen_has_a_page_and_every_page_a_title() -> None:
    names = {page.name for page in PAGES}
    assert {entry.page for entry in ENTRIES} <= names
    assert all(page.title and not page.title.startswith("#") for page in PAGES)
    assert {"privacy", "problems", "commands", "keyboard", "start"} <= names


def test_a_page_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InputError) as refused:
        manual.page("cooking")
    assert refused.value.code == "HLP-001"
    assert "asking" in refused.value.hint


def test_the_window_shows_each_page_and_its_links_work(qtbot: QtBot) -> None:
    window = HelpWindow()
    qtbot.addWidget(window)
    window.show()
    assert window.page == "start"
    for page in PAGES:
        window.show_page(page.name)
        assert window.page == page.name
        assert page.title in window.browser.toPlainText()
        assert "**" not in window.browser.toPlainText()
    window.show_page("start")
    window.browser.anchorClicked.emit("asking.md")
    assert window.page == "asking"
    window.show_page("no such page")
    assert window.page == "asking"


def test_search_narrows_the_contents_and_finds_words_of_the_text(qtbot: QtBot) -> None:
    window = HelpWindow()
    qtbot.addWidget(window)
    window.search.setText("argon2id password")
    assert window.contents.count() == 1
    assert window.page == "privacy"
    window.search.setText("no such words anywhere")
    assert window.contents.count() == 0
    window.search.setText("")
    assert window.contents.count() == len(PAGES)


def test_nothing_is_fetched_for_a_page(qtbot: QtBot) -> None:
    window = HelpWindow()
    qtbot.addWidget(window)
    assert window.browser.loadResource(2, "https://example.org/picture.png") is None
    assert not any("![" in page.text for page in PAGES)


def test_the_terminal_shows_the_same_text(lumen: Lumen) -> None:
    listed = lumen("help")
    assert listed.returncode == 0
    assert all(page.name in listed.stdout and page.title in listed.stdout for page in PAGES)
    shown = lumen("help", "asking")
    assert shown.stdout.strip() == manual.page("asking").plain().strip()
    assert "**" not in shown.stdout
    refused = lumen("help", "cooking")
    assert refused.returncode == 2
    assert refused.stderr.startswith("HLP-001")
