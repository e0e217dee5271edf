"""Signing at the keyboard: two people release a document; what is refused, and what the library shows of it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from sqlalchemy import text

from lumen_desktop import app
from lumen_desktop.domain.accounts import Role
from lumen_desktop.domain.library import ReleaseState
from lumen_desktop.domain.signing import Kind, Meaning
from lumen_desktop.services.signing import Signature, Wish
from lumen_desktop.storage import keys
from lumen_desktop.ui import guard, theme
from lumen_desktop.ui.chat.quotes import QuoteCard
from lumen_desktop.ui.library.documents_model import STATE
from lumen_desktop.ui.library.screen import LibraryScreen
from lumen_desktop.ui.people.review import ReviewPart
from lumen_desktop.ui.signing import dialog, record
from lumen_desktop.ui.signing.dialog import SignDialog
from lumen_desktop.ui.signing.facts import SignatureCard, grouped
from lumen_desktop.ui.signing.record import RecordDialog
from lumen_desktop.ui.signing.review import FindingDialog, review_access, review_trail
from tests.conftest import Clock
from tests.rehearsal import RehearsalSite
from tests.services.people import WORDS, add, ready_to_sign, signed_in, who
from tests.ui import audit_parts
from tests.ui.library_parts import WAIT_MS, citation, shown
from tests.ui.test_large_text import SIZES, SMALL, cut, give_size

OFFICER, ANNA, APPROVER, CLINICIAN = Role.OFFICER.value, "anna", Role.APPROVER.value, Role.CLINICIAN.value
DOCUMENT = 1
WHY = "a newer edition is in force"
Shown = TypeVar("Shown", bound=RecordDialog)
Opened = Callable[[str], AbstractContextManager[tuple[app.Site, QWidget]]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GMP site whose people may sign; made once."""
    folder = tmp_path_factory.mktemp("signing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_MEMORY_KIB", 64)
        patch.setattr(keys, "_PASSES", 1)
        patch.setattr(app, "Site", RehearsalSite)
        Clock().rule(patch)
        return ready_to_sign(folder, also=(ANNA,))


@pytest.fixture
def folder(made: Path, tmp_path: Path, rehearsed: type[RehearsalSite], clock: Clock) -> Path:
    return Path(shutil.copytree(made, tmp_path / "site"))


@pytest.fixture
def at(folder: Path, qtbot: QtBot) -> Opened:
    """The site open for a person, and a window to sign over."""

    @contextmanager
    def opened(name: str) -> Iterator[tuple[app.Site, QWidget]]:
        with signed_in(folder, who(name)) as site:
            window = QWidget()
            qtbot.addWidget(window)
            window.resize(SMALL)
            window.show()
            yield site, window
            window.close()

    return opened


def asked(qtbot: QtBot, site: app.Site, window: QWidget) -> SignDialog:
    """The dialog for the document's next signature, all of it shown."""
    return whole(qtbot, dialog.sign(window, site, lambda: site.releases.record(DOCUMENT), site.releases.sign))


def whole(qtbot: QtBot, opened: Shown) -> Shown:
    qtbot.waitUntil(lambda: opened.read is not None and opened.pane.shown is not None, timeout=WAIT_MS)
    return opened


def give(opened: SignDialog, meaning: Meaning, *, user: str = "", password: str = "", reason: str = "") -> None:
    """Types all that is asked for, and signs."""
    form = opened.form
    form.meanings[meaning].click()
    for part, words in ((form.reason, reason), (form.user, user), (form.password, password)):
        if words:
            assert not part.isHidden()
            part.setFocus()
            QTest.keyClicks(part, words)
    opened.sign_button.click()


def signed(qtbot: QtBot, opened: SignDialog, act: Callable[[], object]) -> Signature:
    with qtbot.waitSignal(opened.signed, timeout=WAIT_MS) as told:
        act()
    signature = told.args[0]
    assert isinstance(signature, Signature)
    return signature


def refused(qtbot: QtBot, opened: SignDialog, code: str) -> str:
    qtbot.waitUntil(lambda: f"({code})" in opened.problem.text() and not opened.working, timeout=WAIT_MS)
    assert opened.isVisible()
    assert opened.form.password.text() == ""
    return opened.problem.text()


def by_service(folder: Path, name: str, meaning: Meaning, reason: str = "") -> None:
    with signed_in(folder, who(name)) as site:
        now = site.releases.record(DOCUMENT)
        site.releases.sign(now, Wish(meaning, now.sha256, name, WORDS[name], reason))


def test_two_others_release_a_document_from_the_library(folder: Path, qtbot: QtBot) -> None:
    release(folder, qtbot, ANNA, Meaning.REVIEWED, told="Reviewed by Anna Person on ")
    release(folder, qtbot, APPROVER, Meaning.APPROVED, told="Released by Anna Person and Qa_Approver Person on ")


def release(folder: Path, qtbot: QtBot, name: str, meaning: Meaning, *, told: str) -> None:
    """One of the two signatures, and what the library says then."""
    with signed_in(folder, who(name)) as site:
        library = shown(qtbot, site)
        documents, releasing = library.documents, library.documents.releasing
        documents.choose(DOCUMENT)
        qtbot.waitUntil(releasing.release.isEnabled, timeout=WAIT_MS)
        assert not releasing.withdraw.isEnabled()
        releasing.release.click()
        opened = whole(qtbot, library.findChildren(SignDialog)[0])
        assert opened.facts.digest.text() == grouped(site.releases.record(DOCUMENT).sha256)
        assert not opened.form.user.text()
        assert not opened.form.password.text()
        given = signed(qtbot, opened, lambda: give(opened, meaning, user=name, password=WORDS[name]))
        assert given.statement.meaning is meaning
        qtbot.waitUntil(lambda: told in documents._details.text(), timeout=WAIT_MS)
        state = ReleaseState.IN_USE if meaning is Meaning.APPROVED else ReleaseState.AWAITING
        assert site.releases.state(DOCUMENT) is state
        qtbot.waitUntil(lambda: _state(library) == state.words, timeout=WAIT_MS)
        qtbot.waitUntil(lambda: releasing.withdraw.isEnabled() is (state is ReleaseState.IN_USE), timeout=WAIT_MS)
        assert not site.signing.needs_user
        library.close()


def _state(library: LibraryScreen) -> str:
    return str(library.documents.model.place_of(DOCUMENT).data(STATE))


def test_later_signatures_ask_for_the_password_only(at: Opened, qtbot: QtBot) -> None:
    with at(ANNA) as (site, window):
        opened = asked(qtbot, site, window)
        signed(qtbot, opened, lambda: give(opened, Meaning.REVIEWED, user=ANNA, password=WORDS[ANNA]))
        later = whole(qtbot, dialog.sign(window, site, lambda: site.releases.record(2), site.releases.sign))
        later.form.meanings[Meaning.REJECTED].click()
        assert later.form.user.isHidden()
        assert not later.form.reason.isHidden()
        given = signed(qtbot, later, lambda: give(later, Meaning.REJECTED, password=WORDS[ANNA], reason=WHY))
        assert given.statement.reason == WHY


def test_three_wrong_passwords_close_the_dialog_and_lock(at: Opened, qtbot: QtBot) -> None:
    with at(ANNA) as (site, window):
        opened = asked(qtbot, site, window)
        for _ in range(2):
            give(opened, Meaning.REVIEWED, user="" if opened.form.user.text() else ANNA, password="not it")
            refused(qtbot, opened, "KEY-001")
            assert opened.form.user.text() == ANNA, "what was typed stays, but for the password"
        opened.form.password.setText("not it")
        closed = qtbot.waitSignal(opened.rejected, timeout=WAIT_MS)
        with closed:
            QTest.keyClick(opened.form.password, Qt.Key.Key_Return)
        assert site.person.over() == "attempts"
        assert "nothing was signed" in guard._WHY[site.person.over()]


def test_another_persons_user_name_is_refused(at: Opened, qtbot: QtBot) -> None:
    with at(ANNA) as (site, window):
        opened = asked(qtbot, site, window)
        give(opened, Meaning.REVIEWED, user=APPROVER, password=WORDS[ANNA])
        assert "another person's user name" in refused(qtbot, opened, "SIG-006")
        assert site.signing.on(site.releases.record(DOCUMENT)) == []
        opened.reject()


@pytest.mark.parametrize(
    ("name", "said"), [(OFFICER, "made or brought themselves"), (CLINICIAN, "duties at this site do not include")]
)
def test_who_may_not_sign_is_told_before_they_type(at: Opened, qtbot: QtBot, name: str, said: str) -> None:
    with at(name) as (site, window):
        opened = asked(qtbot, site, window)
        assert any(said in label.text() for label in opened.form.findChildren(QLabel) if label.isVisible())
        assert not opened.form.meanings[Meaning.REVIEWED].isEnabled()
        assert opened.form.password.isHidden()
        assert not opened.sign_button.isEnabled()
        opened.reject()


def test_content_that_changed_meanwhile_is_refused_and_shown_anew(at: Opened, qtbot: QtBot) -> None:
    with at(ANNA) as (site, window):
        opened = asked(qtbot, site, window)
        assert opened.read is not None
        before = opened.read.record.sha256
        with site._database._writing() as session:
            session.execute(text("update source_document set edition = 'another' where id = :id"), {"id": DOCUMENT})
        give(opened, Meaning.REVIEWED, user=ANNA, password=WORDS[ANNA])
        refused(qtbot, opened, "SIG-002")
        qtbot.waitUntil(lambda: opened.read is not None and opened.read.record.sha256 != before, timeout=WAIT_MS)
        assert opened.form.meaning is Meaning.REVIEWED
        assert "SIG-002" in opened.problem.text()
        assert signed(qtbot, opened, lambda: give(opened, Meaning.REVIEWED, password=WORDS[ANNA]))


def test_a_rejection_needs_a_reason_that_says_something(at: Opened, qtbot: QtBot) -> None:
    with at(ANNA) as (site, window):
        opened = asked(qtbot, site, window)
        give(opened, Meaning.REJECTED, user=ANNA, password=WORDS[ANNA])
        assert not opened.working
        assert not opened.sign_button.isEnabled()
        assert opened.sign_button.text() == "Sign the rejection"
        opened.form.reason.setFocus()
        QTest.keyClicks(opened.form.reason, "changed")
        QTest.keyClick(opened.form.reason, Qt.Key.Key_Return)
        assert not opened.working, "Enter in the reason signs nothing"
        opened.sign_button.click()
        refused(qtbot, opened, "AUD-011")
        assert opened.form.reason.toPlainText() == "changed"
        opened.form.reason.setPlainText("")
        given = signed(qtbot, opened, lambda: give(opened, Meaning.REJECTED, password=WORDS[ANNA], reason=WHY))
        assert given.statement.reason == WHY
        assert site.releases.state(DOCUMENT) is ReleaseState.REJECTED


def test_accountability_is_accepted_before_the_first_signature(at: Opened, folder: Path, qtbot: QtBot) -> None:
    add(folder, "bert", frozenset({Role.OFFICER}))
    with at("bert") as (site, window):
        opened = asked(qtbot, site, window)
        assert opened.unidentified.isVisible()
        assert opened.form.isHidden()
        opened.accountability.accept_button.click()
        qtbot.waitUntil(opened.accountability.isHidden, timeout=WAIT_MS)
        assert site.people.me().accountable_utc is not None
        assert opened.form.isHidden(), "nobody has identified them"
        opened.reject()
    with signed_in(folder) as site:
        site.people.check_identity("bert", "badge seen")
    with at("bert") as (site, window):
        opened = asked(qtbot, site, window)
        assert signed(qtbot, opened, lambda: give(opened, Meaning.REVIEWED, user="bert", password=WORDS["bert"]))


def test_escape_signs_nothing_and_no_button_is_pressed_by_enter(at: Opened, qtbot: QtBot) -> None:
    with at(ANNA) as (site, window):
        opened = asked(qtbot, site, window)
        assert not any(made.isDefault() or made.autoDefault() for made in opened.findChildren(QPushButton))
        opened.form.meanings[Meaning.REVIEWED].click()
        QTest.keyClick(opened.form.user, Qt.Key.Key_Return)
        assert QApplication.focusWidget() is opened.form.password
        with qtbot.waitSignal(opened.rejected, timeout=WAIT_MS):
            QTest.keyClick(opened, Qt.Key.Key_Escape)
        assert site.signing.on(site.releases.record(DOCUMENT)) == []


def test_a_signature_under_way_is_not_cancelled(at: Opened, qtbot: QtBot) -> None:
    """It would be there all the same."""
    with at(ANNA) as (site, window):
        opened = asked(qtbot, site, window)

        def act() -> None:
            give(opened, Meaning.REVIEWED, user=ANNA, password=WORDS[ANNA])
            assert opened.working
            assert opened.sign_button.text() == "Signing…"
            QTest.keyClick(opened, Qt.Key.Key_Escape)
            opened.close()
            assert opened.isVisible()

        assert signed(qtbot, opened, act)


def test_a_signature_that_does_not_hold_says_so_and_nothing_more_is_signed(
    at: Opened, folder: Path, qtbot: QtBot
) -> None:
    by_service(folder, ANNA, Meaning.REVIEWED)
    with at(APPROVER) as (site, window):
        with site._database._writing() as session:
            session.execute(text("update source_document set edition = 'another' where id = :id"), {"id": DOCUMENT})
        opened = asked(qtbot, site, window)
        (card,) = opened.facts.findChildren(SignatureCard)
        assert "Does not hold: The record was changed" in card.accessibleName()
        assert opened.status.text() == "Signatures do not hold"
        assert opened.nothing.isVisible()
        assert not opened.sign_button.isEnabled()
        opened.reject()


def test_a_record_is_shown_and_saved(
    at: Opened, folder: Path, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_service(folder, ANNA, Meaning.REVIEWED)
    chosen = [tmp_path / "record.pdf"]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(chosen[0]), ""))
    with at(CLINICIAN) as (site, window):
        opened = whole(qtbot, record.show(window, site, lambda: site.releases.record(DOCUMENT)))
        assert "Anna Person (anna)" in opened.facts.findChildren(SignatureCard)[0].accessibleName()
        assert opened.pane.shown is not None
        assert "Recalls of drug products" in opened.pane.shown.view.text
        opened.save_button.click()
        qtbot.waitUntil(lambda: opened.problem.text().startswith("Saved as"), timeout=WAIT_MS)
        assert chosen[0].read_bytes().startswith(b"%PDF")
        assert [event["act"] for event in site.audit.newest(1)] == ["printed"]
        chosen[0] = tmp_path / "record"  # becomes record.pdf, and nobody asked about that one
        opened.save_button.click()
        qtbot.waitUntil(lambda: "AUD-014" in opened.problem.text(), timeout=WAIT_MS)
        opened.reject()


def test_a_record_that_cannot_be_read_says_why(at: Opened, qtbot: QtBot) -> None:
    with at(ANNA) as (site, window):
        opened = dialog.sign(window, site, lambda: site.releases.record(99), site.releases.sign)
        qtbot.waitUntil(lambda: "SIG-007" in opened.pane.said, timeout=WAIT_MS)
        assert not opened.sign_button.isEnabled()
        opened.reject()


def test_the_library_tells_who_may_sign_and_filters_by_state(folder: Path, qtbot: QtBot, qapp: QApplication) -> None:
    by_service(folder, ANNA, Meaning.REJECTED, WHY)
    with signed_in(folder, who(CLINICIAN)) as site:
        library = shown(qtbot, site)
        releasing = library.documents.releasing
        library.documents._filter.setText("rejected")
        assert library.documents.model.shown == 1
        library.documents._filter.clear()
        for document, tip in ((DOCUMENT, "It was rejected"), (2, "QA officer or QA approver reviews")):
            library.documents.choose(document)
            assert tip in releasing.release.toolTip()
            assert not releasing.release.isEnabled()
            assert releasing.record.isEnabled()
        library.documents.choose(DOCUMENT)
        qtbot.waitUntil(lambda: f": {WHY}" in library.documents._details.text(), timeout=WAIT_MS)
        library.resize(SMALL)
        give_size(qapp, 32, library)
        assert cut(library) == []
        passage = site.sources.passages_on(2, 1)[0]
        card = QuoteCard(citation(1, passage, passage.text))
        qtbot.addWidget(card)
        assert "not released" in [each.text() for each in card.findChildren(QLabel)]


def test_where_nothing_is_released_there_are_no_such_buttons(qtbot: QtBot, site: app.Site) -> None:
    library = shown(qtbot, site)
    library.documents.choose(DOCUMENT)
    assert not any(made.isVisible() for made in library.documents.releasing.buttons)


@pytest.mark.parametrize("points", SIZES)
def test_nothing_in_the_dialog_is_cut_at_any_text_size(
    at: Opened, folder: Path, qtbot: QtBot, qapp: QApplication, points: float
) -> None:
    by_service(folder, ANNA, Meaning.REVIEWED)
    give_size(qapp, points)
    try:
        with at(APPROVER) as (site, window):
            opened = asked(qtbot, site, window)
            assert opened.width() <= SMALL.width()
            assert opened.height() <= SMALL.height()
            for _ in range(2):
                give_size(qapp, points, opened)
                assert cut(opened) == []
                if opened.switch.isVisible():
                    opened.switch.click()
                opened.form.meanings[Meaning.REJECTED].click()
            assert all(made.accessibleName() for made in opened.findChildren(QPushButton) if made.isVisible())
            opened.reject()
    finally:
        theme.apply(qapp, "light")


@pytest.mark.parametrize(("begin", "kind"), [(review_trail, Kind.AUDIT_REVIEW), (review_access, Kind.ACCESS_REVIEW)])
def test_a_review_asks_what_was_found_and_is_signed_by_the_same_dialog(
    at: Opened, qtbot: QtBot, qapp: QApplication, begin: Callable[..., FindingDialog], kind: Kind
) -> None:
    with at(ANNA) as (site, window):
        done: list[Signature] = []
        finding = begin(window, site, done=done.append)
        assert not finding.go_on.isEnabled()
        QTest.keyClicks(finding.finding, "nothing unexpected")
        give_size(qapp, 32, finding)
        assert cut(finding) == []
        give_size(qapp, theme.BODY_POINTS, finding)
        finding.go_on.click()
        opened = whole(qtbot, window.findChildren(SignDialog)[0])
        assert opened.form.meaning is Meaning.REVIEWED, "the only meaning there is"
        give(opened, Meaning.REVIEWED, user=ANNA, password=WORDS[ANNA])
        qtbot.waitUntil(lambda: bool(done), timeout=WAIT_MS)
        assert done[0].statement.record == f"{kind} 1"
        assert site.reviews.record(kind, 1).content["finding"] == "nothing unexpected"


def test_reviewed_events_are_marked_on_the_audit_screen(folder: Path, qtbot: QtBot) -> None:
    with signed_in(folder, who(ANNA)) as site:
        screen = audit_parts.shown(site, qtbot)
        screen.review_button.click()
        window = screen.window()
        (finding,) = window.findChildren(FindingDialog)
        QTest.keyClicks(finding.finding, "nothing unexpected")
        finding.go_on.click()
        opened = whole(qtbot, window.findChildren(SignDialog)[0])
        signed(qtbot, opened, lambda: give(opened, Meaning.REVIEWED, user=ANNA, password=WORDS[ANNA]))
        qtbot.waitUntil(lambda: any(line.reviewed for line in screen.events.model.lines), timeout=WAIT_MS)
        model = screen.events.model
        own = {line.cells[2] for line in model.lines if not line.reviewed}
        assert own == {ANNA}, "one's own are left to another"
        row = next(row for row, line in enumerate(model.lines) if line.reviewed)
        assert model.index(row, 0).data() == f"✓ {model.lines[row].cells[0]}"
        assert "Reviewed by anna on " in model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole)


def test_who_may_not_review_the_trail_is_told_who_may(folder: Path, qtbot: QtBot) -> None:
    with signed_in(folder, who(CLINICIAN)) as site:
        screen = audit_parts.shown(site, qtbot)
        assert not screen.review_button.isEnabled()
        assert "may review the trail" in screen.review_button.toolTip()


def test_an_access_review_is_signed_from_the_screen_of_people(folder: Path, qtbot: QtBot, qapp: QApplication) -> None:
    with signed_in(folder, who(ANNA)) as site:
        part = ReviewPart(site)
        qtbot.addWidget(part)
        part.resize(SMALL)
        part.show()
        part.activated()
        qtbot.waitUntil(lambda: not part.reading, timeout=WAIT_MS)
        part.sign_button.click()
        (finding,) = part.findChildren(FindingDialog)
        QTest.keyClicks(finding.finding, "all duties are needed")
        finding.go_on.click()
        opened = whole(qtbot, part.findChildren(SignDialog)[0])
        signed(qtbot, opened, lambda: give(opened, Meaning.REVIEWED, user=ANNA, password=WORDS[ANNA]))
        assert "access review 1" in part.notice.words
        assert site.reviews.record(Kind.ACCESS_REVIEW, 1).content["finding"] == "all duties are needed"
        for points in SIZES:
            give_size(qapp, points, part)
            assert cut(part) == []
