"""The access review and the policy at the window: who sees them, who changes what, codes and keys."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QLabel, QSpinBox

from lumen_desktop.domain.accounts import Profile, Role
from lumen_desktop.storage.keys import RECOVERY, KeyFile
from lumen_desktop.ui.founding import RecoveryPage
from lumen_desktop.ui.people.rotation import RotationForm
from lumen_desktop.ui.people.sheet import Form, HandedPage
from tests.services.people import code_of, who
from tests.ui.people_parts import WHY, Desk

Sit = Callable[..., Desk]
GONE = "an admin left the company"


def policy(desk: Desk) -> Desk:
    desk.go(desk.screen.policy)
    return desk


def review(desk: Desk) -> Desk:
    desk.go(desk.screen.review)
    return desk


# --- the access review ---


def test_a_review_shows_people_and_refused_sign_ins_the_latest_first(sit: Sit) -> None:
    people = sit(who("anna")).site.people
    for _ in range(2):
        assert code_of(lambda: people.confirm("wrong words")) == "KEY-001"
    sit(who("anna"))  # signing in tells the trail of them
    part = review(sit(who("olga"))).screen.review
    assert not part.barred
    assert part.people.rowCount() == 4
    assert part.title.text().startswith("Access at St Luke's Pharmacy (clinical), 2026-11-22 09:30:00 UTC")
    assert part.title.text().endswith("for Olga Person")
    row = [str(part.refused.data(part.refused.index(0, number))) for number in range(4)]
    assert row == ["2026-11-22 09:30:00 UTC", "anna", "wrong password", "KEY-001"]
    assert part.refused_title.text() == "2 sign-ins were refused in the last 90 days"


def test_where_none_was_refused_no_empty_list_is_shown(sit: Sit) -> None:
    part = review(sit()).screen.review
    assert part.refused_title.text() == "No sign-in was refused in the last 90 days"
    assert not part.refused_view.isVisible()


def test_a_clinician_sees_no_review(sit: Sit) -> None:
    desk = review(sit(who("anna")))
    assert desk.screen.review.barred
    assert desk.screen.review.people.rowCount() == 0


# --- the policy ---


def test_everybody_reads_the_policy_and_an_admin_changes_it(sit: Sit) -> None:
    part = policy(sit(who("anna"))).screen.policy
    assert part.site.values["Name"].text() == "St Luke's Pharmacy"
    assert part.limits.values["Locks after"].text() == "10 minutes without use"
    assert part.limits.values["Lasts at most"].text().startswith("12 hours")
    assert {made.toolTip() for made in (part.gmp, part.change)} == {"Only an admin may change the site's policy."}
    assert {made.toolTip() for made in (part.code, part.rotate)} == {"Only an admin may rotate the key."}
    assert not any(made.isEnabled() for made in (part.gmp, part.change, part.code, part.rotate))


def test_what_a_clinician_tries_is_refused_in_the_form(sit: Sit) -> None:
    desk = policy(sit(who("anna")))
    part = desk.screen.policy
    for form, typed in (
        (part.change_limits(), {"reason": WHY}),
        (part.become_gmp(), {"reason": WHY, "site's_name": "St Luke's Pharmacy"}),
        (part.make_code(), {}),
        (part.make_key(), {"reason": GONE}),
    ):
        assert "(ACC-001)" in desk.do(form, **typed)
        form.reject()
    assert desk.site.people.policy().profile is Profile.CLINICAL


def test_limits_are_changed_within_what_is_sound_and_with_a_reason(sit: Sit) -> None:
    desk = policy(sit())
    desk.screen.policy.change.click()
    form = desk.open(Form)
    idle, longest = form.findChildren(QSpinBox)
    idle.setValue(60)
    longest.setValue(8)
    assert idle.value() == 15
    assert "(AUD-010)" in desk.do(form, reason="")
    assert idle.value() == 15  # what was chosen stays
    assert desk.do(form, reason=WHY) == ""
    limits = desk.site.people.policy().limits
    assert (limits.idle_s, limits.longest_s) == (900, 8 * 3600)
    assert desk.screen.policy.limits.values["Locks after"].text() == "15 minutes without use"


def test_a_site_becomes_gmp_once_its_name_is_typed_and_duties_are_apart(sit: Sit) -> None:
    desk = policy(sit(who("ada")))
    part, name = desk.screen.policy, "site's_name"
    part.gmp.click()
    form = desk.open(Form)
    assert not form.act.isDefault()
    assert "not the site's name" in desk.do(form, reason=WHY, **{name: "St Peter's"})
    assert "(ACC-032)" in desk.do(form, reason=WHY, **{name: "St Luke's Pharmacy"})
    desk.site.people.set_roles("holder", frozenset({Role.ADMIN}), WHY)
    assert "(AUD-010)" in desk.do(form, reason="", **{name: "St Luke's Pharmacy"})
    assert desk.do(form, reason=WHY, **{name: "St Luke's Pharmacy"}) == ""
    assert desk.site.people.policy().profile is Profile.GMP
    assert part.site.values["Profile"].text().startswith("GMP")
    assert not part.gmp.isVisible()
    assert review(desk).screen.review.barred  # an admin of a GMP site reviews no access


def test_a_new_recovery_code_is_shown_once_and_makes_the_old_one_void(
    sit: Sit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk = policy(sit())
    desk.screen.policy.code.click()
    assert desk.do(desk.open(Form)) == ""
    sheet = desk.open(HandedPage)
    (page,) = sheet.findChildren(RecoveryPage)
    code = page.code.toPlainText()
    assert KeyFile.read(desk.site.place.folder.key_file).open(RECOVERY, code).key == desk.site._database.key
    assert not page.go_on.isEnabled()
    saved = str(tmp_path / "code.pdf")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (saved, ""))
    page._save()
    assert Path(saved).read_bytes().startswith(b"%PDF")
    assert any("print it, then delete it" in it.text() for it in page.findChildren(QLabel))
    page.kept.click()
    page.go_on.click()
    assert desk.dialogs() == []
    assert "void" in desk.screen.policy.notice.words


def test_a_new_key_is_made_beside_the_window_and_everybody_comes_in_as_before(sit: Sit) -> None:
    desk = policy(sit())
    old, path = desk.site._database.key, desk.site._database.path
    desk.screen.policy.rotate.click()
    form = desk.open(RotationForm)
    assert "(AUD-010)" in desk.do(form, reason="")
    seen: list[int] = []
    form.bar.valueChanged.connect(seen.append)
    assert desk.do(form, reason=GONE) == ""
    assert seen[-1] == 100
    assert desk.site._database.key != old
    assert not path.exists()
    assert "new key" in desk.screen.policy.notice.words
    assert not desk.screen.policy.busy
    assert desk.site.audit.verify().first_bad is None
    assert sit(who("anna")).site.people.me().name == "anna"


def test_a_key_that_is_being_made_can_be_given_up(sit: Sit) -> None:
    desk = policy(sit())
    old, part = desk.site._database.key, desk.screen.policy
    form = part.make_key()
    form.reason.setText(GONE)
    form.act.click()
    assert form.working
    assert part.busy
    assert form.cancel.text() == "Stop"
    form.cancel.click()
    desk.qtbot.waitUntil(lambda: not form.working)
    assert form.far.text() == "Stopped: the old key goes on."
    assert form.reason.text() == GONE
    assert desk.site._database.key == old
    assert len(list(desk.site.place.folder.path.glob("*.db"))) == 1
    assert desk.do(form, reason=GONE) == ""  # and made after all
    assert desk.site._database.key != old


def test_leaving_gives_up_a_key_that_is_being_made(sit: Sit) -> None:
    desk = policy(sit())
    old = desk.site._database.key
    form = desk.screen.policy.make_key()
    form.reason.setText(GONE)
    form.act.click()
    desk.leave()
    assert desk.site._database.key == old


def test_the_idle_lock_goes_on_while_a_new_key_is_made(sit: Sit) -> None:
    """Whether the signed-in period is over is asked each second on the window's own thread: it must not wait."""
    desk = sit()
    with desk.site._database.alone():
        assert desk.site.person.over() == ""
        desk.site.person.lock()
        assert desk.site.person.over() == "locked"
