"""One's own account at the window: what it says, a password, what a signature means, one-time codes."""

from collections.abc import Callable

import pyotp
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from lumen_desktop.services.accounts import accountability_statement
from lumen_desktop.ui.people.sheet import Form
from lumen_desktop.ui.widgets import Unbroken
from tests.conftest import PASSWORD, Clock
from tests.services.people import WORDS, code_of, who
from tests.ui.people_parts import Desk

Sit = Callable[..., Desk]
FRESH = "another sentence that nobody knows"


def secret_of(form: Form) -> str:
    return next(it.toPlainText() for it in form.findChildren(Unbroken) if it.accessibleName() == "Secret")


def test_it_says_who_one_is(sit: Sit) -> None:
    card = sit().screen.account
    assert card.person.values["Printed name"].text() == "Hilda Holder"
    assert card.person.values["User name"].text() == "holder"
    assert card.person.values["Duties"].text() == "clinician, admin"
    assert "not checked" in card.signing.values["Identity"].text()
    assert "not accepted" in card.signing.values["Accountability"].text()
    assert "not asked for" in card.factor.values["One-time code"].text()


def test_a_password_is_changed(sit: Sit) -> None:
    desk = sit()
    form = desk.screen.account.change_password()
    assert desk.do(form, old_password=PASSWORD, new_password=FRESH, new_password_once_more=FRESH) == ""
    assert "is changed" in desk.screen.account.notice.words
    desk.site.people.confirm(FRESH)
    assert code_of(lambda: desk.site.people.confirm(PASSWORD)) == "KEY-001"


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        (PASSWORD, FRESH, FRESH + "s", "differ"),
        ("not the old one", FRESH, FRESH, "(KEY-001)"),
        (PASSWORD, "too short", "too short", "(ACC-010)"),
        (PASSWORD, PASSWORD, PASSWORD, "(ACC-036)"),
    ],
)
def test_a_password_that_is_not_taken_is_told_and_can_be_mended(
    sit: Sit, old: str, new: str, again: str, said: str
) -> None:
    desk = sit()
    form = desk.screen.account.change_password()
    assert said in desk.do(form, old_password=old, new_password=new, new_password_once_more=again)
    assert desk.do(form, old_password=PASSWORD, new_password=FRESH, new_password_once_more=FRESH) == ""


def test_what_a_signature_means_is_read_before_it_is_accepted(sit: Sit) -> None:
    desk = sit()
    account = desk.screen.account
    account.accept.click()
    form = desk.open(Form)
    shown = [it.text() for it in form.findChildren(QLabel)]
    assert all(line in shown for line in accountability_statement().splitlines())
    QTest.keyClick(form, Qt.Key.Key_Return)
    assert desk.site.people.me().accountable_utc is None  # Enter alone accepts nothing
    form = desk.screen.account.accept_accountability()
    assert desk.do(form) == ""
    assert desk.site.people.me().accountable_utc is not None
    assert account.signing.values["Accountability"].text().startswith("accepted ")
    assert not account.accept.isVisible()


def test_one_time_codes_begin_with_a_right_one_and_end_with_the_password(sit: Sit, clock: Clock) -> None:
    desk = sit(who("anna"))
    account = desk.screen.account
    account.turn_on.click()
    form = desk.open(Form)
    address = next(it.toPlainText() for it in form.findChildren(Unbroken) if it.accessibleName() == "Address")
    assert address.startswith("otpauth://totp/")
    secret = secret_of(form)
    assert "(ACC-022)" in desk.do(form, code="000000" if pyotp.TOTP(secret).at(clock()) != "000000" else "111111")
    assert not desk.site.people.me().second_factor
    assert desk.do(form, code=pyotp.TOTP(secret).at(clock())) == ""
    assert desk.site.people.me().second_factor
    assert account.turn_off.isVisible()
    assert not account.turn_on.isVisible()
    account.turn_off.click()
    form = desk.open(Form)
    assert "(KEY-001)" in desk.do(form, password="somebody else's")
    assert desk.do(form, password=WORDS["anna"]) == ""
    assert not desk.site.people.me().second_factor


def test_the_secret_can_be_copied(sit: Sit) -> None:
    form = sit().screen.account.begin_second_factor()
    copy = next(it for it in form.findChildren(QPushButton) if it.accessibleName() == "Copy: Secret")
    copy.click()
    assert QGuiApplication.clipboard().text() == secret_of(form)
    form.reject()
