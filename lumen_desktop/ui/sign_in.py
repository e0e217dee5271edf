"""Who is there: signing in, choosing a password of one's own, and coming back to a window that was locked.

Called by `application`; what is typed leaves by signals and is forgotten here at once.
"""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit

from lumen_desktop.errors import LumenError
from lumen_desktop.ui.entrance import Page, Problem, field, named, secret
from lumen_desktop.ui.widgets import button, label, row

_LEFT = Qt.AlignmentFlag.AlignLeft


def _taken(typed: QLineEdit) -> str:
    """What was typed; the field forgets it."""
    words = typed.text()
    typed.clear()
    return words


class SignInPage(Page):
    """Asks for user name and password, and for a one-time code where the door wants one."""

    given = Signal(str, str, str)  # user name, password, one-time code

    def __init__(self, hint: str = "") -> None:
        super().__init__()
        self.setAccessibleName("Sign in")
        self.user, self.password = field("User name"), secret("Password")
        self.code = field("One-time code")
        self.problem = Problem()
        self._code_line = label("Your second factor shows a code of six digits.", "muted")
        self.body.addStretch(2)
        self.body.addWidget(self.logo())
        self.body.addWidget(label("Sign in", "title"))
        self.body.addWidget(label(hint or "Everything here is encrypted; your password opens it for you.", "muted"))
        self.body.addLayout(named((("User name", self.user), ("Password", self.password))))
        self.body.addWidget(self._code_line)
        self.body.addWidget(self.code)
        self.body.addWidget(self.problem)
        self.open = button("Sign in", self._give, role="primary")
        self.body.addWidget(self.open, alignment=_LEFT)
        self.body.addStretch(3)
        self.user.returnPressed.connect(self.password.setFocus)
        self.password.returnPressed.connect(self._give)
        self.code.returnPressed.connect(self._give)
        self._want_code(wanted=False)

    def ask(self, refused: LumenError | None, user: str = "") -> None:
        """Asks, says why the last answer was not taken, and keeps the name that was typed."""
        self.user.setText(user)
        self.problem.tell_refusal(refused, self.password)
        self._want_code(wanted=refused is not None and refused.code in {"ACC-021", "ACC-022"})
        (self.password if user else self.user).setFocus()

    def _want_code(self, *, wanted: bool) -> None:
        self._code_line.setVisible(wanted)
        self.code.setVisible(wanted)

    def _give(self) -> None:
        if self.user.text().strip() and self.password.text():
            self.given.emit(self.user.text().strip(), _taken(self.password), _taken(self.code))


class ChoosePasswordPage(Page):
    """Asks for a password of one's own, in place of the one that an admin gave."""

    chosen = Signal(str, str)  # the one given, the new one

    def __init__(self, shortest: int) -> None:
        super().__init__()
        self.setAccessibleName("Choose a password")
        self.old, self.new, self.repeated = (
            secret("Password you were given"),
            secret("New password"),
            secret("New password once more"),
        )
        self.problem = Problem()
        self.body.addStretch(2)
        self.body.addWidget(self.logo())
        self.body.addWidget(label("Choose a password of your own", "title"))
        rule = f"The one you have was given to you. Take at least {shortest} characters: a sentence is easiest."
        self.body.addWidget(label(rule, "muted"))
        fields = (("Given password", self.old), ("New password", self.new), ("Once more", self.repeated))
        self.body.addLayout(named(fields))
        self.body.addWidget(self.problem)
        self.body.addWidget(button("Go on", self._give, role="primary"), alignment=_LEFT)
        self.body.addStretch(3)
        self.repeated.returnPressed.connect(self._give)

    def refuse(self, error: LumenError) -> None:
        """Says why it was not taken."""
        self.problem.tell_refusal(error, self.new)
        self.old.setFocus()

    def _give(self) -> None:
        if self.new.text() != self.repeated.text():
            self.problem.tell("The two new passwords differ. Type them again.", self.new)
            return
        self.problem.tell("", self.new)
        self.repeated.clear()
        self.chosen.emit(_taken(self.old), _taken(self.new))


class LockedPage(Page):
    """Covers the window until the same person comes back, or another signs in."""

    given = Signal(str)
    other_wanted = Signal()

    def __init__(self, person: str, why: str) -> None:
        super().__init__()
        self.setAccessibleName("Locked")
        self.password = secret("Password")
        self.problem = Problem()
        self.body.addStretch(2)
        self.body.addWidget(self.logo())
        self.body.addWidget(label("Locked", "title"))
        self.body.addWidget(label(f"{why} Nothing was lost, and work under way goes on.", "muted"))
        self.body.addLayout(named(((f"Password of {person}", self.password),)))
        self.body.addWidget(self.problem)
        acts = row()
        acts.addWidget(button("Unlock", self._give, role="primary"))
        acts.addWidget(button("Somebody else…", self.other_wanted.emit))
        acts.addStretch(1)
        self.body.addLayout(acts)
        self.body.addStretch(3)
        self.password.returnPressed.connect(self._give)

    def refuse(self, error: LumenError) -> None:
        """Says why the password was not taken."""
        self.problem.tell_refusal(error, self.password)
        self.password.setFocus()

    def _give(self) -> None:
        if self.password.text():
            self.given.emit(_taken(self.password))
