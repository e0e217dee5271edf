"""At every text size words are whole, quotes are whole, and the window is no larger than a small screen."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTabBar,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from lumen_desktop import app
from lumen_desktop.domain.audit import Verdict
from lumen_desktop.services.accounts import People
from lumen_desktop.services.audit_export import Exported
from lumen_desktop.ui import theme
from lumen_desktop.ui.audit.clock import ExplainDialog
from lumen_desktop.ui.audit.screen import AuditScreen
from lumen_desktop.ui.chat import AskScreen
from lumen_desktop.ui.chat.quotes import QuoteCard
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.founding import RecoveryPage, TakeOverPage
from lumen_desktop.ui.help import HelpWindow
from lumen_desktop.ui.library.screen import LibraryScreen
from lumen_desktop.ui.main_window import MainWindow
from lumen_desktop.ui.people import jobs
from lumen_desktop.ui.people.policy import show_code
from lumen_desktop.ui.people.screen import PeopleScreen
from lumen_desktop.ui.people.sheet import hand_over_password
from lumen_desktop.ui.remembered import Remembered
from lumen_desktop.ui.screens import ENTRIES
from lumen_desktop.ui.settings.screen import SettingsScreen
from lumen_desktop.ui.shortcuts import ShortcutSheet, groups
from lumen_desktop.ui.sign_in import ChoosePasswordPage, LockedPage, SignInPage
from lumen_desktop.ui.status import OFFLINE
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.welcome import WelcomePage
from lumen_desktop.ui.widgets import CardButton, Elided, Scrolled, Unbroken, button, label, restyle, sized
from tests.rehearsal import RehearsalSite
from tests.services.conftest import RECALL_QUESTION

SIZES = (8, 18, 24, 32)  # points: the smallest and the largest that the settings take, and between
SMALL = QSize(1000, 700)
ROUNDING = 1  # pixels
NAMES = [entry.name for entry in ENTRIES]


def cut(root: QWidget) -> list[str]:
    """Widgets that are seen and do not show their whole words, and bars that would have to be scrolled sideways."""
    seen = [each for each in root.findChildren(QWidget) if each.isVisible() and each.window() is root.window()]
    return [f"{type(each).__name__} {_words(each)[:40]!r}: {why}" for each in seen if (why := _cut(each))]


def _words(widget: QWidget) -> str:
    if isinstance(widget, QComboBox):
        return widget.currentText()
    return widget.text() if isinstance(widget, QLabel | QAbstractButton) else widget.accessibleName()


def _cut(widget: QWidget) -> str:
    why = ""
    if isinstance(widget, QLabel) and widget.text():
        why = _cut_label(widget)
    elif isinstance(widget, CardButton):
        why = _short(widget, widget.body.totalHeightForWidth(widget.width()))
    elif isinstance(widget, QAbstractButton) and widget.text():
        why = _narrow(widget, widget.sizeHint().width()) or _short(widget, widget.sizeHint().height() - 2)
    elif isinstance(widget, QComboBox):
        why = _narrow(widget, widget.minimumSizeHint().width())
    elif isinstance(widget, QTabBar):
        why = "scrolls" if any(each.isVisible() for each in widget.findChildren(QToolButton)) else ""
    elif isinstance(widget, QHeaderView) and widget.orientation() is Qt.Orientation.Horizontal:
        narrow = [at for at in range(widget.count()) if 0 < widget.sectionSize(at) < widget.sectionSizeHint(at)]
        why = f"sections {narrow}" if narrow else ""
    elif isinstance(widget, Scrolled):
        why = "scrolls sideways" if widget.horizontalScrollBar().maximum() else ""
    return why


def _cut_label(shown: QLabel) -> str:
    around = shown.parentWidget()
    if around is not None and not around.rect().adjusted(-1, -1, 1, 1).contains(shown.geometry()):
        return "beyond what it lies on"
    if shown.wordWrap():
        return _narrow(shown, shown.minimumSizeHint().width()) or _short(shown, shown.heightForWidth(shown.width()))
    elided = isinstance(shown, Elided) and shown.toolTip().startswith(shown.text())
    return "" if elided else _narrow(shown, shown.sizeHint().width())


def _narrow(widget: QWidget, needed: int) -> str:
    return f"{widget.width()} of {needed} pixels wide" if widget.width() + ROUNDING < needed else ""


def _short(widget: QWidget, needed: int) -> str:
    return f"{widget.height()} of {needed} pixels high" if widget.height() + ROUNDING < needed else ""


def give_size(qapp: QApplication, points: float, *roots: QWidget) -> None:
    """As the settings do, while everything is shown."""
    theme.apply(qapp, "light", font_points=points)
    for root in roots:
        restyle(root)
    _rest(qapp)


def _rest(qapp: QApplication) -> None:
    for _ in range(6):  # one layout's change may move another one
        qapp.processEvents()


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[MainWindow]:
    made = MainWindow(Remembered(tmp_path / "window.json"))
    made.leaving.connect(made.left)
    with qtbot.waitExposed(made):
        made.show()
    made.resize(SMALL)
    yield made
    made.close()
    qtbot.waitUntil(made.isHidden, timeout=6000)
    made.deleteLater()


@pytest.fixture
def entered(window: MainWindow, rehearsed: type[RehearsalSite], site: app.Site, qtbot: QtBot) -> MainWindow:
    """A demonstration is open: it says so in more words than any other site."""
    site.place = app.SitePlace(site.place.folder, demonstration=True)
    window.enter(site)
    qtbot.waitUntil(lambda: window.status.state == "ready", timeout=20000)
    return window


def asked(window: MainWindow, qtbot: QtBot) -> AskScreen:
    """The Ask screen with an answer that quotes."""
    window.show_screen("ask")
    screen = window.stack.currentWidget()
    assert isinstance(screen, AskScreen)
    screen.ask(RECALL_QUESTION)
    qtbot.waitUntil(lambda: not screen.busy, timeout=20_000)
    assert screen.thread_view.views[-1].cards
    return screen


def filled(library: LibraryScreen, qtbot: QtBot) -> None:
    """The library's parts show what they can: a chosen document, and passages found."""
    qtbot.waitUntil(lambda: bool(library.documents._documents))
    library.documents.choose(library.documents._documents[0].id)
    library.searching.field.setText(RECALL_QUESTION)
    library.searching.search()
    qtbot.waitUntil(lambda: "found" in library.searching.said)


def fits_small_screens(window: MainWindow) -> bool:
    least = window.minimumSizeHint()
    return window.size() == SMALL and least.width() <= SMALL.width() and least.height() <= SMALL.height()


@pytest.mark.parametrize("points", SIZES)
def test_no_screen_cuts_its_words(entered: MainWindow, qtbot: QtBot, qapp: QApplication, points: float) -> None:
    """The screens are made at the usual size; the other one comes while they are shown, as from the settings."""
    for name in NAMES:
        entered.show_screen(name)
    give_size(qapp, points, entered)
    for name in NAMES:
        entered.show_screen(name)
        _rest(qapp)
        assert cut(entered) == [], name
        assert fits_small_screens(entered), name


@pytest.mark.parametrize("points", SIZES)
def test_a_quote_is_whole_and_so_is_its_source(
    entered: MainWindow, qtbot: QtBot, qapp: QApplication, points: float
) -> None:
    screen = asked(entered, qtbot)
    give_size(qapp, points, entered)
    assert cut(entered) == []
    asked(entered, qtbot)  # one that was made at this size
    _rest(qapp)
    cards = [card for view in screen.thread_view.views for card in view.cards]
    assert len(cards) > 1
    for card in cards:
        quote = next(each for each in card.findChildren(QLabel) if card.citation.quote in each.text())
        assert card.rect().contains(QRect(quote.pos(), quote.size()))
        assert quote.height() >= quote.heightForWidth(quote.width())
    screen.thread_view.views[-1].open_quote(1)
    assert screen.source is not None
    qtbot.waitUntil(lambda: screen.source is not None and screen.source.pane.shown is not None)
    _rest(qapp)
    assert cut(entered) == []
    assert fits_small_screens(entered)


@pytest.mark.parametrize("points", SIZES)
def test_each_part_of_the_library_and_of_the_settings_is_whole(
    entered: MainWindow, qtbot: QtBot, qapp: QApplication, points: float
) -> None:
    entered.show_screen("library")
    library = entered.stack.currentWidget()
    assert isinstance(library, LibraryScreen)
    filled(library, qtbot)
    entered.show_screen("settings")
    settings = entered.stack.currentWidget()
    assert isinstance(settings, SettingsScreen)
    give_size(qapp, points, entered)
    for name, tabs in (("library", library._tabs), ("settings", settings.tabs)):
        entered.show_screen(name)
        for number in range(tabs.count()):
            tabs.setCurrentIndex(number)
            _rest(qapp)
            assert cut(entered) == [], tabs.tabText(number)


@pytest.mark.parametrize("points", SIZES)
def test_the_trail_is_whole_with_all_that_it_can_say(
    entered: MainWindow, site: app.Site, qtbot: QtBot, qapp: QApplication, points: float
) -> None:
    entered.show_screen("audit")
    screen = entered.stack.currentWidget()
    assert isinstance(screen, AuditScreen)
    qtbot.waitUntil(lambda: "event" in screen.events.said.text() and not screen.events.reading, timeout=20_000)
    screen.events.bar.more.setChecked(True)
    screen.events.bar.more.clicked.emit()
    give_size(qapp, points, entered)
    screen.events.bar.since.setText("yesterday")
    screen.events.bar.read()
    screen.written.tell(Exported("csv", 7, "0123456789abcdef" * 4), Path("a folder") / "trail.csv")
    screen._tell(Verdict(7, 4, "Its content was changed after it was written.", b"", good_until=2), None)
    screen.clock.tell("The computer's clock was set back.", kind="warning", action="Explain…")
    _rest(qapp)
    assert cut(entered) == []
    assert fits_small_screens(entered)
    assert screen.events.table.horizontalScrollBar().maximum() == 0
    screen.show_event(3)
    qtbot.waitUntil(lambda: "SHA-256" in screen.pane.text.toPlainText())
    _rest(qapp)
    assert cut(entered) == []
    assert screen.pane.text.horizontalScrollBar().maximum() == 0
    dialog = ExplainDialog(screen, "The computer's clock was set back.")
    dialog.show()
    _rest(qapp)
    assert cut(dialog) == []
    dialog.reject()


@pytest.mark.parametrize("points", SIZES)
def test_each_page_and_each_form_of_people_is_whole(
    entered: MainWindow, qtbot: QtBot, qapp: QApplication, points: float
) -> None:
    entered.show_screen("people")
    people = entered.stack.currentWidget()
    assert isinstance(people, PeopleScreen)
    give_size(qapp, points, entered)
    for number in range(people.tabs.count()):
        people.tabs.setCurrentIndex(number)
        qtbot.waitUntil(lambda: not any(each.reading for each in people.parts))
        _rest(qapp)
        assert cut(entered) == [], people.tabs.tabText(number)
        assert fits_small_screens(entered), people.tabs.tabText(number)
    account, policy = people.account, people.policy
    for begin in (
        account.change_password, account.accept_accountability, account.begin_second_factor, account.end_second_factor,
        policy.change_limits, policy.become_gmp, policy.make_code, policy.make_key,
        lambda: jobs.add_person(people.everybody, entered_people(entered)),
        lambda: hand_over_password(people.everybody, "cora", "abcd-efgh-jkmn-pqrs-tuvw"),
        lambda: show_code(policy, "ABCD-" * 7 + "ABCD", "St Luke's Pharmacy"),
    ):  # fmt: skip
        form = begin()
        _rest(qapp)
        form.banner.tell("A refusal that says in some words why not. And what to do about it. (ACC-000)", kind="danger")
        form.fit()
        _rest(qapp)
        assert cut(form) == [], form.windowTitle()
        assert form.width() <= SMALL.width(), form.windowTitle()
        assert form.height() <= SMALL.height(), form.windowTitle()
        form.done(0)


def entered_people(window: MainWindow) -> People:
    assert window._site is not None
    return window._site.people


@pytest.mark.parametrize("points", SIZES)
def test_what_stands_before_a_site_is_whole(
    window: MainWindow, qtbot: QtBot, qapp: QApplication, tmp_path: Path, points: float
) -> None:
    welcome = WelcomePage(tmp_path / "Lumen", 12)
    locked, code = LockedPage("pharmacist", "You locked it."), RecoveryPage("ABCD-" * 7 + "ABCD", "St Luke's Pharmacy")
    others = ((page, None) for page in (SignInPage(), ChoosePasswordPage(15), TakeOverPage(15), code, locked))
    for page, act in ((window._before, None), (welcome, None), (welcome, welcome._unfold), *others):
        window.before(page)
        give_size(qapp, points, window)
        if act is not None:
            act()
            _rest(qapp)
        assert cut(window) == [], page.accessibleName()


@pytest.mark.parametrize("points", SIZES)
def test_the_manual_and_the_sheet_of_keys_are_whole(
    window: MainWindow, qtbot: QtBot, qapp: QApplication, points: float
) -> None:
    give_size(qapp, points, window)
    manual = HelpWindow()
    sheet = ShortcutSheet(window, groups())
    qtbot.addWidget(manual)
    qtbot.addWidget(sheet)
    for shown in (manual, sheet):
        shown.show()
        _rest(qapp)
        assert cut(shown) == []
        assert shown.width() <= SMALL.width()
    assert manual.browser.width() > theme.scaled(200)


def test_narrow_windows_fold_the_navigation_and_keep_its_names(entered: MainWindow, qapp: QApplication) -> None:
    navigation = entered.navigation
    assert not navigation.folded
    give_size(qapp, 32, entered)
    assert navigation.folded
    buttons = navigation.findChildren(QAbstractButton)
    assert [made.accessibleName() for made in buttons[: len(ENTRIES)]] == [entry.title for entry in ENTRIES]
    assert all(made.toolTip() for made in buttons)
    assert navigation.badge.accessibleName() == "DEMONSTRATION"
    assert entered.status.site_label.text() == "DEMONSTRATION"
    give_size(qapp, theme.BODY_POINTS, entered)
    assert not navigation.folded
    assert navigation.badge.text() == "DEMONSTRATION"


def test_folded_conversations_are_reached_by_button_and_key(
    entered: MainWindow, qtbot: QtBot, qapp: QApplication
) -> None:
    screen = asked(entered, qtbot)
    assert screen.conversations.isVisible()
    give_size(qapp, 32, entered)
    assert not screen.conversations.isVisible()
    screen._search()
    assert screen.conversations.isVisible()
    assert not screen.composer.isVisible()
    screen.begin()
    screen.conversations.new.emit()
    assert screen.composer.isVisible()
    assert not screen.conversations.isVisible()
    give_size(qapp, theme.BODY_POINTS, entered)
    assert screen.conversations.isVisible()


def test_a_source_that_stands_alone_gives_the_text_back(entered: MainWindow, qtbot: QtBot, qapp: QApplication) -> None:
    screen = asked(entered, qtbot)
    give_size(qapp, 32, entered)
    screen.thread_view.views[-1].open_quote(1)
    assert screen.source is not None
    assert screen.source.isVisible()
    assert not screen.composer.isVisible()
    screen.source.close_source()
    assert screen.composer.isVisible()


def test_a_collections_name_is_whole_beside_a_source(entered: MainWindow, qtbot: QtBot, qapp: QApplication) -> None:
    entered.resize(1280, 800)
    screen = asked(entered, qtbot)
    screen.thread_view.views[-1].open_quote(1)
    _rest(qapp)
    assert screen.source is not None
    assert screen.source.isVisible()
    assert screen.composer.isVisible()
    collections = screen.composer.collections
    assert collections.width() >= collections.sizeHint().width()


def test_the_line_at_the_foot_keeps_what_matters(entered: MainWindow, qapp: QApplication) -> None:
    status = entered.status
    entered.resize(1280, 800)
    _rest(qapp)
    assert status.offline.text() == OFFLINE
    status.build.setText("a-model-build")
    give_size(qapp, 32, entered)
    entered.resize(SMALL)
    _rest(qapp)
    assert status.offline.text() == "Offline"
    assert status.offline.accessibleName() == status.offline.toolTip() == OFFLINE
    assert not status.build.isVisible()
    assert status.engine.isVisible()


def test_lengths_grow_with_the_text_and_are_as_designed_at_the_default(qapp: QApplication, qtbot: QtBot) -> None:
    assert theme.scaled(100) == 100
    named = label("Passages")
    qtbot.addWidget(named)
    sized(named, width=100)
    give_size(qapp, 21)
    assert theme.scaled(100) == named.width() == 200
    assert theme.icon_px(18) == 36
    give_size(qapp, 32)
    assert theme.icon_px(18) == 36


def test_words_without_room_end_in_an_ellipsis_and_are_whole_in_the_tip(qtbot: QtBot) -> None:
    shown = Elided("badge")
    qtbot.addWidget(shown)
    shown.setText("Site: a folder with a rather long name")
    shown.setToolTip("/somewhere")
    shown.show()
    shown.resize(100, 30)
    assert QLabel.text(shown).endswith("…")
    assert shown.text() in shown.toolTip()
    shown.resize(shown.sizeHint())
    assert QLabel.text(shown) == shown.text()
    assert shown.toolTip() == "/somewhere"


@pytest.mark.parametrize("width", [120, 200, 400, 1200])
def test_a_digest_goes_on_in_a_next_line(qtbot: QtBot, width: int) -> None:
    shown = Unbroken("0123456789abcdef" * 4, "SHA-256")
    qtbot.addWidget(shown)
    shown.resize(width, shown.heightForWidth(width))
    shown.show()
    assert shown.verticalScrollBar().maximum() == 0
    assert shown.toPlainText() == "0123456789abcdef" * 4


def flowing(qtbot: QtBot, width: int, fill: Callable[[Flow], None], *, centred: bool = False) -> tuple[QWidget, Flow]:
    whole, flow = QWidget(), Flow(centred=centred)
    fill(flow)
    whole.setLayout(flow)
    qtbot.addWidget(whole)
    whole.resize(width, flow.heightForWidth(width))
    whole.show()
    return whole, flow


def test_a_flow_fills_a_line_and_goes_on_in_the_next(qtbot: QtBot) -> None:
    field, one, two = QLineEdit(), button("One of them", lambda: None), button("Another", lambda: None)

    def fill(flow: Flow) -> None:
        flow.add(field, grows=True, least_px=200)
        flow.stretch()
        flow.add(one)
        flow.add(two)

    wide, flow = flowing(qtbot, 800, fill)
    assert field.y() == pytest.approx(one.y(), abs=4)
    assert two.geometry().right() == wide.width() - 1
    wide.resize(210, flow.heightForWidth(210))
    QApplication.processEvents()
    assert field.width() == 210
    assert one.y() > field.y()
    assert two.geometry().right() == 209  # pushed to the right in the next line, too
    assert flow.minimumSize().width() <= 210


def test_a_flow_can_stand_in_the_middle_and_leaves_out_what_is_hidden(qtbot: QtBot) -> None:
    one, hidden = button("One", lambda: None), button("Hidden", lambda: None)
    hidden.hide()

    def fill(flow: Flow) -> None:
        flow.add(hidden)
        flow.add(one)

    _, flow = flowing(qtbot, 500, fill, centred=True)
    assert one.geometry().center().x() == pytest.approx(250, abs=2)
    assert flow.count() == 2
    assert flow.itemAt(2) is None
    taken = flow.takeAt(0)
    assert taken is not None
    assert taken.widget() is hidden
    assert flow.sizeHint().height() < one.sizeHint().height() + SPACE


def test_quote_cards_are_buttons(entered: MainWindow, qtbot: QtBot) -> None:
    """What has words of its own layout is still a button to a screen reader."""
    screen = asked(entered, qtbot)
    assert all(isinstance(card, QuoteCard | CardButton) for card in screen.thread_view.views[-1].cards)
    assert all(card.accessibleName() for card in screen.thread_view.views[-1].cards)
