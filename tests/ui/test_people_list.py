"""The list of people at the window: each job of an admin, its refusals, and what others see of it."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from lumen_desktop.domain.accounts import Role
from lumen_desktop.ui.people import jobs
from lumen_desktop.ui.people.jobs import Duties
from lumen_desktop.ui.people.sheet import Form, Handed
from lumen_desktop.ui.widgets import Unbroken
from tests.services.people import code_of, who
from tests.ui.people_parts import WHY, Desk

Sit = Callable[..., Desk]


def chosen(desk: Desk, name: str) -> Desk:
    desk.people()
    desk.screen.everybody.choose(name)
    return desk


def begun(desk: Desk, job: QPushButton) -> Form:
    job.click()
    return desk.open(Form)


def tick(form: Form, *roles: Role) -> None:
    for role, box in form.findChildren(Duties)[0].boxes.items():
        box.setChecked(role in roles)


def handed(desk: Desk) -> str:
    sheet = desk.open(Handed)
    (shown,) = sheet.findChildren(Unbroken)
    return shown.toPlainText()


def column(desk: Desk, number: int) -> list[str]:
    rows = desk.screen.everybody.rows
    return [str(rows.data(rows.index(row, number))) for row in range(rows.rowCount())]


def test_everybody_is_listed_with_how_they_stand(sit: Sit) -> None:
    desk = chosen(sit(), "anna")
    assert column(desk, 0) == ["ada", "anna", "holder", "olga"]
    assert column(desk, 2) == ["admin", "clinician", "clinician, admin", "QA officer"]
    assert set(column(desk, 3)) == {"active"}
    assert desk.screen.everybody.count.text() == "4 people"
    assert "Anna Person (anna), active, since" in desk.screen.everybody.details.text()


def test_the_list_is_sorted_and_narrowed_and_keeps_who_was_chosen(sit: Sit) -> None:
    desk = chosen(sit(), "olga")
    everybody = desk.screen.everybody
    everybody.view.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert column(desk, 0) == ["olga", "holder", "anna", "ada"]
    everybody.choose("olga")
    everybody.filter.setText("QA active")
    assert column(desk, 0) == ["olga"]
    assert everybody.count.text() == "1 of 4 people"
    assert everybody.chosen is not None
    assert everybody.chosen.user.name == "olga"
    everybody.filter.setText("nobody at all")
    assert everybody.chosen is None
    assert not everybody.deactivate.isEnabled()


def test_a_person_is_added_and_comes_in_with_the_password_shown_once(sit: Sit) -> None:
    desk = sit()
    desk.people()
    form = begun(desk, desk.screen.everybody.add)
    tick(form, Role.OFFICER, Role.APPROVER)
    assert desk.do(form, user_name="cora", printed_name="Cora Clerk") == ""
    password, sheet = handed(desk), desk.open(Handed)
    next(it for it in sheet.findChildren(QPushButton) if it.text() == "Copy").click()
    assert QGuiApplication.clipboard().text() == password
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert sheet.isVisible()  # no slip of a key takes it away
    sheet.seen.click()
    assert desk.dialogs() == []
    assert "cora" in column(desk, 0)
    assert desk.standing("cora").user.roles == {Role.OFFICER, Role.APPROVER}
    assert column(desk, 3)[column(desk, 0).index("cora")] == "must choose a password"
    new = sit(who("cora", password))
    assert new.site.people.me().must_choose_password


@pytest.mark.parametrize(
    ("name", "printed", "roles", "code"),
    [
        ("cora", "Cora Clerk", (), "ACC-038"),
        ("ANNA", "Another Anna", (Role.CLINICIAN,), "ACC-031"),
        ("", "Cora Clerk", (Role.CLINICIAN,), "ACC-030"),
    ],
)
def test_who_cannot_be_added_is_told_and_the_form_stays(
    sit: Sit, name: str, printed: str, roles: tuple[Role, ...], code: str
) -> None:
    desk = sit()
    desk.people()
    form = begun(desk, desk.screen.everybody.add)
    tick(form, *roles)
    assert f"({code})" in desk.do(form, user_name=name, printed_name=printed)
    assert len(desk.site.people.list()) == 4
    assert form.findChildren(Duties)[0].chosen == set(roles)
    form.reject()


def test_duties_are_changed_with_a_reason(sit: Sit) -> None:
    desk = chosen(sit(), "anna")
    form = begun(desk, desk.screen.everybody.duties)
    assert form.findChildren(Duties)[0].chosen == {Role.CLINICIAN}
    tick(form, Role.APPROVER)
    assert "(AUD-010)" in desk.do(form, reason="")
    assert "(AUD-011)" in desk.do(form, reason="update")
    assert desk.do(form, reason=WHY) == ""
    assert desk.standing("anna").user.roles == {Role.APPROVER}
    assert "anna is QA approver" in desk.screen.everybody.notice.words
    (event,) = [it for it in desk.site.audit.newest(None) if it["reason"] == WHY]
    assert event["actor"] == "holder"


def test_who_leaves_is_deactivated_and_a_new_password_lets_them_back(sit: Sit) -> None:
    desk = chosen(sit(), "anna")
    everybody = desk.screen.everybody
    form = begun(desk, everybody.deactivate)
    assert "(AUD-010)" in desk.do(form)
    assert not form.act.isDefault()  # Enter in the reason ends nobody's access
    assert desk.do(form, reason="left the company in March") == ""
    assert not desk.standing("anna").user.active
    assert column(desk, 3)[1] == "deactivated"
    assert everybody.chosen is not None
    assert not everybody.deactivate.isEnabled()
    assert "already" in everybody.deactivate.toolTip()
    form = begun(desk, everybody.reset)
    assert desk.do(form, reason="came back in April") == ""
    password = handed(desk)
    desk.open(Handed).accept()
    assert desk.standing("anna").user.active
    assert sit(who("anna", password)).site.people.me().must_choose_password


def test_who_is_locked_out_is_let_try_again(sit: Sit) -> None:
    desk = chosen(sit(), "anna")
    assert not desk.screen.everybody.unlock.isEnabled()
    door_of_anna = sit(who("anna")).site.people
    for _ in range(5):
        assert code_of(lambda: door_of_anna.confirm("wrong words")) in {"KEY-001", "ACC-020"}
    desk = chosen(sit(), "anna")
    assert column(desk, 3)[1].startswith("locked until ")
    form = begun(desk, desk.screen.everybody.unlock)
    assert "(AUD-010)" in desk.do(form)
    assert desk.do(form, reason="mistyped it, said so by phone") == ""
    assert column(desk, 3)[1] == "active"
    assert desk.standing("anna").lockout.failures == 0


def test_an_identity_is_recorded(sit: Sit) -> None:
    desk = chosen(sit(), "anna")
    form = begun(desk, desk.screen.everybody.identity)
    assert "(ACC-037)" in desk.do(form, how="")
    assert desk.do(form, how="passport seen") == ""
    assert desk.standing("anna").user.identity_checked.startswith("passport seen (by holder")
    assert column(desk, 4)[1] == "checked"


def test_nobody_changes_their_own_access(sit: Sit) -> None:
    desk = chosen(sit(), "holder")
    everybody = desk.screen.everybody
    for made in (everybody.duties, everybody.identity, everybody.reset, everybody.deactivate):
        assert not made.isEnabled()
        assert "own access" in made.toolTip()
    form = jobs.deactivate(everybody, desk.site.people, desk.site.people.me())
    assert "(ACC-033)" in desk.do(form, reason=WHY)  # the service refuses it all the same
    form.reject()


def test_an_officer_reads_the_list_and_is_told_who_changes_it(sit: Sit) -> None:
    desk = chosen(sit(who("olga")), "anna")
    everybody = desk.screen.everybody
    assert not everybody.barred
    assert len(column(desk, 0)) == 4
    made = (
        everybody.add,
        everybody.duties,
        everybody.identity,
        everybody.unlock,
        everybody.reset,
        everybody.deactivate,
    )
    assert not any(it.isEnabled() for it in made)
    assert {it.toolTip() for it in made} == {"Only an admin may manage people."}


def test_what_an_officer_tries_is_refused_in_the_form(sit: Sit) -> None:
    desk = chosen(sit(who("olga")), "anna")
    everybody, people = desk.screen.everybody, desk.site.people
    anna = next(it.user for it in people.list() if it.user.name == "anna")
    form = jobs.add_person(everybody, people)
    tick(form, Role.ADMIN)
    assert "(ACC-001)" in desk.do(form, user_name="cora", printed_name="Cora Clerk")
    form.reject()
    for job in (jobs.change_duties, jobs.deactivate, jobs.unlock, jobs.reset):
        form = job(everybody, people, anna)
        assert "(ACC-001)" in desk.do(form, reason=WHY)
        form.reject()
    form = jobs.check_identity(everybody, people, anna)
    assert "(ACC-001)" in desk.do(form, how="passport seen")
    form.reject()
    assert desk.standing("anna").user.roles == {Role.CLINICIAN}


def test_a_clinician_is_told_who_may_see_the_list_and_nothing_counts_as_a_try(sit: Sit) -> None:
    desk = sit(who("anna"))
    desk.people()
    everybody = desk.screen.everybody
    assert everybody.barred
    said = everybody._stack.currentWidget()
    assert said is not None
    assert "Only a QA officer, QA approver or admin may read the list of people." in said.accessibleName()
    assert "clinician" in said.accessibleName()
    assert [it for it in desk.site.audit.newest(None) if it["act"] == "denied"] == []


def test_at_a_gmp_site_the_form_says_that_admins_are_apart(sit: Sit) -> None:
    desk = sit(who("ada"))
    desk.site.people.set_roles("holder", frozenset({Role.ADMIN}), WHY)
    desk.site.people.become_gmp("the factory opens its second line")
    desk.people()
    form = begun(desk, desk.screen.everybody.add)
    tick(form, Role.ADMIN, Role.CLINICIAN)
    assert "(ACC-032)" in desk.do(form, user_name="cora", printed_name="Cora Clerk")
    form.reject()
