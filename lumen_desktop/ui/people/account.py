"""One's own account: who one is at the site, one's password, one's second factor, and what one's signature means."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lumen_desktop.domain.permissions import Act
from lumen_desktop.services import passwords
from lumen_desktop.services.accounts import accountability_statement
from lumen_desktop.ui.entrance import secret
from lumen_desktop.ui.formatting import moment
from lumen_desktop.ui.people import words
from lumen_desktop.ui.people.part import Facts, Part, Viewer
from lumen_desktop.ui.people.sheet import Form, copyable
from lumen_desktop.ui.widgets import button, label

if TYPE_CHECKING:
    from lumen_desktop.app import Site

_RULE = (
    f"At least {passwords.SHORTEST} characters; a sentence that you remember is easiest, spaces count. It need not be "
    "changed by the calendar."
)


class AccountPart(Part):
    """Cards of facts about who is signed in, each with what they can do about them."""

    def __init__(self, site: Site) -> None:
        super().__init__(site, "Account")
        self.person = Facts("You", ("Printed name", "User name", "Duties", "Account since"))
        self.signing = Facts("Before you sign", ("Identity", "Accountability"))
        self.password = Facts("Password", (), _RULE)
        self.factor = Facts("Second factor", ("One-time code",))
        self.accept = button("Read and accept…", self.accept_accountability)
        self.change = button("Change password…", self.change_password)
        self.turn_on = button("Turn on…", self.begin_second_factor)
        self.turn_off = button("Turn off…", self.end_second_factor)
        self.signing.acts.add(self.accept)
        self.password.acts.add(self.change)
        self.factor.acts.add(self.turn_on)
        self.factor.acts.add(self.turn_off)
        for card in (self.person, self.signing, self.password, self.factor):
            self.body.addWidget(card)
        self.body.addStretch(1)

    def show_found(self, viewer: Viewer, found: object) -> None:  # noqa: ARG002 - the viewer is all it shows
        """Shows who is signed in."""
        me = viewer.me
        since, duties = moment(me.created_utc), words.duties(me.roles)
        self.person.tell(
            {"Printed name": me.printed_name, "User name": me.name, "Duties": duties, "Account since": since}
        )
        unchecked = "not checked yet; an admin records it, and without it you cannot sign"
        missing = "not accepted yet; without it you cannot sign"
        accepted = words.accountability(me) if me.accountable_utc else missing
        self.signing.tell({"Identity": me.identity_checked or unchecked, "Accountability": accepted})
        self.accept.setVisible(me.accountable_utc is None)
        on, off = "asked for at each of your sign-ins", "not asked for: your password alone lets you in"
        self.factor.tell({"One-time code": on if me.second_factor else off})
        self.turn_on.setVisible(not me.second_factor)
        self.turn_off.setVisible(me.second_factor)
        for made in (self.accept, self.change, self.turn_on, self.turn_off):
            viewer.let(made, Act.OWN_ACCOUNT)

    def change_password(self) -> Form:
        """Asks for the old password and the new one."""
        form = Form(self, "Change your password", "Change")
        form.say(_RULE)
        old = form.ask("Old password", typed=secret("Old password"))
        new = form.ask("New password", typed=secret("New password"))
        again = form.ask("Once more", typed=secret("New password once more"))

        def collect() -> Callable[[], None] | None:
            if new.text() != again.text():
                form.lacks("The two new passwords differ. Type them again.")
                return None
            return partial(self._site.people.choose_password, old.text(), new.text())

        form.does(collect, lambda _: self.told("Your password is changed."))
        return form.opened(old)

    def accept_accountability(self) -> Form:
        """Shows what a signature means, and asks to accept it."""
        form = Form(self, "What your signature means", "I accept")
        for line in accountability_statement().splitlines():
            form.body.addWidget(label(line, selectable=True))
        form.say("You accept this once. The audit trail keeps that you did, when, and of which words.", "small")
        form.does(lambda: self._site.people.accept_accountability, lambda _: self.told("Accepted."))
        form.act.setAutoDefault(False)  # read first: Enter accepts nothing
        form.act.setDefault(False)
        return form.opened(form.cancel)

    def begin_second_factor(self) -> Form:
        """Shows a new secret, and asks for a code that the person's device made of it."""
        from lumen_desktop.services.sign_in import new_second_factor, second_factor_uri  # noqa: PLC0415 - few need it

        viewer = self.viewer
        assert viewer is not None
        made = new_second_factor()
        form = Form(self, "Ask for a one-time code", "Turn on")
        form.say("Give your authenticator this secret or this address. They are shown now and never again.")
        address = second_factor_uri(made, user=viewer.me.name, site=viewer.policy.site)
        for name, value in (("Secret", made), ("Address", address)):
            form.body.addLayout(copyable(value, name))
        form.say("Then type the code that it shows now. Nothing is changed before.", "small")
        code = form.ask("Code", "six digits")
        form.does(
            lambda: partial(self._site.people.use_second_factor, made, code.text()),
            lambda _: self.told("From now on each sign-in asks for a one-time code as well."),
        )
        return form.opened(code)

    def end_second_factor(self) -> Form:
        """Asks for the password, then asks for no code any more."""
        form = Form(self, "Ask for no one-time code", "Turn off")
        form.say("Only your password is asked for from then on. Give it to show that it is you.")
        password = form.ask("Password", typed=secret("Password"))
        form.does(
            lambda: partial(self._site.people.drop_second_factor, password.text()),
            lambda _: self.told("Only your password is asked for from now on."),
        )
        return form.opened(password)
