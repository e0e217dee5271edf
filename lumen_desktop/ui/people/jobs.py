"""The jobs of an admin over a person, each a form: it asks, does, and tells its part of the screen what was done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QCheckBox, QWidget

from lumen_desktop.domain.accounts import Profile, Role
from lumen_desktop.services import passwords
from lumen_desktop.services.accounts import NewPerson
from lumen_desktop.ui.people import words
from lumen_desktop.ui.people.part import Part
from lumen_desktop.ui.people.sheet import Form, hand_over_password
from lumen_desktop.ui.widgets import column

if TYPE_CHECKING:
    from lumen_desktop.domain.accounts import User
    from lumen_desktop.services.accounts import People

_APART = "At a GMP site an admin has no other duty."


class Duties(QWidget):
    """A box for each duty."""

    def __init__(self, held: frozenset[Role] = frozenset()) -> None:
        super().__init__()
        self.boxes = {role: QCheckBox(role.words[0].upper() + role.words[1:]) for role in Role}
        lines = column(spacing=0)
        for role, box in self.boxes.items():
            box.setChecked(role in held)
            box.setAccessibleName(f"Duty: {role.words}")
            lines.addWidget(box)
        self.setLayout(lines)

    @property
    def chosen(self) -> frozenset[Role]:
        """The duties that are ticked."""
        return frozenset(role for role, box in self.boxes.items() if box.isChecked())


def add_person(part: Part, people: People) -> Form:
    """A person, and the first password that is handed over to them."""
    form = Form(part, "Add a person", "Add")
    form.say("A user name is never given to a second person, so take one that stays theirs.")
    name = form.ask("User name", "what they sign in with, such as aporter")
    printed = form.ask("Printed name", "as under a signature, such as Anna Porter")
    given = Duties()
    form.add("Duties", given)
    _say_apart(form, part)
    form.say("Lumen makes the first password and shows it once; they choose their own at the first sign-in.", "small")

    def collect() -> Callable[[], tuple[str, str]]:
        person, password = NewPerson(name.text().strip(), printed.text().strip(), given.chosen), passwords.given()
        return lambda: (people.add(person, password).name, password)

    form.does(collect, lambda made: _handed(part, *made, said=f"Added: {made[0]}."))
    return form.opened(name)


def change_duties(part: Part, people: People, user: User) -> Form:
    """Other duties in place of those that a person has."""
    form = Form(part, f"Duties of {user.name}", "Change")
    form.say(f"{user.printed_name} has these duties in place of those they had, from now on.")
    wanted = Duties(user.roles)
    form.add("Duties", wanted)
    _say_apart(form, part)
    reason = form.ask_reason()
    form.does(
        lambda: partial(people.set_roles, user.name, wanted.chosen, reason.text()),
        lambda _: part.told(f"Changed: {user.name} is {words.duties(wanted.chosen)}."),
    )
    return form.opened(reason)


def deactivate(part: Part, people: People, user: User) -> Form:
    """The end of a person's access."""
    form = Form(part, f"Deactivate {user.name}", "Deactivate", danger=True)
    form.say(
        f"Ends the access of {user.printed_name} at once; their name and what they did stay on record. A new password "
        "lets them back in.",
    )
    reason = form.ask_reason()
    form.does(
        lambda: partial(people.deactivate, user.name, reason.text()),
        lambda _: part.told(f"Deactivated: {user.name}. A new password lets them back in."),
    )
    return form.opened(reason)


def unlock(part: Part, people: People, user: User) -> Form:
    """Another try for a person whose account is locked."""
    form = Form(part, f"Unlock {user.name}", "Unlock")
    form.say("They may try their password again at once. Make sure first that it was they who mistyped it.")
    reason = form.ask_reason()
    form.does(lambda: partial(people.unlock, user.name, reason.text()), lambda _: part.told(f"Unlocked: {user.name}."))
    return form.opened(reason)


def reset(part: Part, people: People, user: User) -> Form:
    """A new first password, which also lets back in who was deactivated."""
    form = Form(part, f"New password for {user.name}", "Make a new password")
    form.say(
        "Lumen makes a new first password and shows it once; the old one opens nothing any more, and the second "
        "factor goes. They choose their own at the next sign-in."
    )
    if not user.active:
        form.say(f"{user.printed_name} was deactivated and can sign in again then.", "warning")
    reason = form.ask_reason()

    def collect() -> Callable[[], tuple[str, str]]:
        password, why = passwords.given(), reason.text()

        def work() -> tuple[str, str]:
            people.reset(user.name, password, why)
            return user.name, password

        return work

    form.does(collect, lambda made: _handed(part, *made, said=f"New first password: {user.name}."))
    return form.opened(reason)


def check_identity(part: Part, people: People, user: User) -> Form:
    """The record that an admin made sure who a person is."""
    form = Form(part, f"Identity of {user.name}", "Record")
    form.say(f"Record that you made sure who {user.printed_name} is; without it they cannot sign.")
    if user.identity_checked:
        form.say(f"On record now: {user.identity_checked}", "small")
    how = form.ask("How", "how you made sure, such as: passport seen")
    form.does(
        lambda: partial(people.check_identity, user.name, how.text()),
        lambda _: part.told(f"Recorded: identity of {user.name}."),
    )
    return form.opened(how)


def _say_apart(form: Form, part: Part) -> None:
    if part.viewer is not None and part.viewer.policy.profile is Profile.GMP:
        form.say(_APART, "small")


def _handed(part: Part, name: str, password: str, *, said: str) -> None:
    part.told(said)
    if part.isVisible():  # not over a window that was locked meanwhile: another can be made
        hand_over_password(part, name, password)
