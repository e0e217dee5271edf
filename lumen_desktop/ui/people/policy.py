"""What holds for everybody at the site, and its keys; an admin changes it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSpinBox

from lumen_desktop.domain.accounts import Profile, SessionLimits
from lumen_desktop.domain.permissions import Act
from lumen_desktop.ui.formatting import counted
from lumen_desktop.ui.founding import RecoveryPage
from lumen_desktop.ui.people.part import Facts, Part, Viewer
from lumen_desktop.ui.people.rotation import RotationForm
from lumen_desktop.ui.people.sheet import Form, Handed, HandedPage
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import button, sized

if TYPE_CHECKING:
    from lumen_desktop.app import Site

_MINUTE_S, _HOUR_S = 60, 3600
_IDLE_MINUTES, _LONGEST_HOURS = (5, 15), (1, 24)
_FIELD = 180  # pixels at the default text size
_APART = "A GMP site keeps its admins apart from its other duties, and never becomes a clinical site again."
_CLINICAL = "clinical: one person may be admin and clinician"
_GMP = "GMP: an admin has no other duty; there is no way back"
_KEYS = (
    "A new recovery code makes the one before void. A new database key encrypts the whole site anew, for instance "
    "after an admin left: the old key opens nothing any more, all passwords stay."
)


class PolicyPart(Part):
    """Cards of facts about the site, each with what an admin can do about them."""

    def __init__(self, site: Site) -> None:
        super().__init__(site, "Policy")
        self.site = Facts("Site", ("Name", "Profile"))
        self.limits = Facts("Signed-in periods", ("Locks after", "Lasts at most"))
        self.keys = Facts("Keys", (), _KEYS)
        self.gmp = button("Make this a GMP site…", self.become_gmp, role="danger")
        self.change = button("Change…", self.change_limits)
        self.code = button("New recovery code…", self.make_code)
        self.rotate = button("New database key…", self.make_key)
        self.site.acts.add(self.gmp)
        self.limits.acts.add(self.change)
        self.keys.acts.add(self.code)
        self.keys.acts.add(self.rotate)
        for card in (self.site, self.limits, self.keys):
            self.body.addWidget(card)
        self.body.addStretch(1)

    def show_found(self, viewer: Viewer, found: object) -> None:  # noqa: ARG002 - the viewer is all it shows
        """Shows what holds."""
        policy = viewer.policy
        gmp = policy.profile is Profile.GMP
        idle = counted(policy.limits.idle_s // _MINUTE_S, "minute")
        longest = counted(policy.limits.longest_s // _HOUR_S, "hour")
        self.site.tell({"Name": policy.site, "Profile": _GMP if gmp else _CLINICAL})
        self.limits.tell(
            {"Locks after": f"{idle} without use", "Lasts at most": f"{longest}, then everybody signs in anew"}
        )
        self.gmp.setVisible(not gmp)
        for made, act in (
            (self.gmp, Act.CHANGE_POLICY),
            (self.change, Act.CHANGE_POLICY),
            (self.code, Act.ROTATE_KEY),
            (self.rotate, Act.ROTATE_KEY),
        ):
            viewer.let(made, act)

    def stop(self) -> None:
        """Gives up a new key that is being made; nothing is changed then."""
        for form in self.findChildren(RotationForm):
            form.stop()

    def change_limits(self) -> Form:
        """Asks for other limits of a signed-in period."""
        assert self.viewer is not None
        now = self.viewer.policy.limits
        form = Form(self, "Signed-in periods", "Change")
        idle = _number("Locks after", " min", _IDLE_MINUTES, now.idle_s // _MINUTE_S)
        longest = _number("Lasts at most", " h", _LONGEST_HOURS, now.longest_s // _HOUR_S)
        form.say("How long Lumen waits without a key or click before it locks, and when everybody signs in anew.")
        form.add("Locks after", idle)
        form.add("Lasts at most", longest)
        reason = form.ask_reason()

        def collect() -> partial[None]:
            limits = SessionLimits(idle.value() * _MINUTE_S, longest.value() * _HOUR_S)
            return partial(self._site.people.set_limits, limits, reason.text())

        form.does(collect, lambda _: self.told("Changed; it holds from now on."))
        return form.opened(idle)

    def become_gmp(self) -> Form:
        """Asks whether this shall be a GMP site for ever."""
        assert self.viewer is not None
        name = self.viewer.policy.site
        form = Form(self, "Make this a GMP site", "Make this a GMP site", danger=True)
        form.say(_APART, "warning")
        form.say("Nobody may have the duty admin and another one then: change such duties first.")
        reason = form.ask_reason()
        form.say(f'Type the site\'s name, "{name}", to go on.')
        typed = form.ask("Site's name")

        def collect() -> partial[None] | None:
            if typed.text().strip() != name:
                form.lacks(f'That is not the site\'s name. Type "{name}".')
                return None
            return partial(self._site.people.become_gmp, reason.text())

        form.does(collect, lambda _: self.told("This is a GMP site from now on."))
        return form.opened(reason)

    def make_code(self) -> Form:
        """Asks whether a new recovery code shall be made, and shows it once."""
        form = Form(self, "New recovery code", "Make a new code", danger=True)
        form.say(
            "The code before opens nothing any more: throw its sheet away. The new one is shown once, so have a "
            "printer or a pen ready, and lock it away."
        )
        form.does(lambda: self._site.people.new_recovery_code, self._show_code)
        return form.opened(form.cancel)

    def make_key(self) -> RotationForm:
        """Asks why, and encrypts the site anew."""
        form = RotationForm(self, self._site)
        form.does_then(
            lambda: self.told(
                "The site has a new key. Copies made before, such as backups, still open with the old one."
            )
        )
        return form.opened(form.reason)

    def _show_code(self, code: str) -> None:
        self.told("There is a new recovery code; the one before is void.")
        if self.isVisible() and self.viewer is not None:  # not over a window that was locked meanwhile
            show_code(self, code, self.viewer.policy.site)


def show_code(parent: Part, code: str, site: str) -> Handed:
    """Shows a recovery code once: to print, to write down, or, where asked for, in a file."""
    page = RecoveryPage(code, site)
    page.go_on.setText("Done")
    page.go_on.setAccessibleName("Done")
    sheet = HandedPage(parent, page)
    page.seen.connect(sheet.accept)
    sheet.open()
    return sheet


def _number(name: str, unit: str, limits: tuple[int, int], value: int) -> QSpinBox:
    made = QSpinBox(suffix=unit)
    made.setRange(*limits)
    made.setValue(value)
    made.setAccessibleName(name)
    made.lineEdit().setTextMargins(SPACE - 2, 0, 0, 0)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    sized(made, least=_FIELD)
    return made
