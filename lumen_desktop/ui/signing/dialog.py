"""Signing a record: it is read, then signed by a person at the keyboard, with a meaning, user name and password.

Generic over what `services.signing` can sign: `sign` takes what reads a record and what signs it. Decides nothing:
who may sign what, and when, the service says, before anything is typed and again when it signs.

Source: 21 CFR 11.50, 11.70, 11.100, 11.200; EU GMP Annex 11 clause 14.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from lumen_desktop.domain.signing import Meaning
from lumen_desktop.services.accounts import accountability_statement
from lumen_desktop.services.signing import Record, Signature, Wish
from lumen_desktop.ui import errors, tasks
from lumen_desktop.ui.signing.form import Form
from lumen_desktop.ui.signing.reading import Read, ReadRecord
from lumen_desktop.ui.signing.record import RecordDialog
from lumen_desktop.ui.widgets import Card, button, label

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent

    from lumen_desktop.app import Site
    from lumen_desktop.errors import LumenError

Act = Callable[[Record, Wish], Signature]
_LOCKED = frozenset({"SIG-004", "ACC-004", "ACC-005"})  # the window is covered: there is nothing more to say here
_OLD = frozenset({"SIG-001", "SIG-002", "SIG-008"})  # what is shown is not how it stands: it is read again
_WORDS = {
    Meaning.AUTHORED: "Sign as author",
    Meaning.REVIEWED: "Sign as reviewed",
    Meaning.APPROVED: "Sign as approved",
    Meaning.REJECTED: "Sign the rejection",
    Meaning.WITHDRAWN: "Sign the withdrawal",
}
_UNIDENTIFIED = (
    "Nobody has recorded yet how you were identified, so you cannot sign. An admin of the site records it on the People"
    " screen."
)


class Accountability(Card):
    """What a person accepts before their first signature ever."""

    def __init__(self, accept: Callable[[], object]) -> None:
        super().__init__()
        self.accept_button = button("I accept this", accept, icon="check")
        self.body.addWidget(label("Before you sign for the first time", "strong"))
        for words in accountability_statement().splitlines():
            self.body.addWidget(label(words, selectable=True))
        self.body.addWidget(self.accept_button, alignment=Qt.AlignmentFlag.AlignLeft)


class SignDialog(RecordDialog):
    """Shows a record and asks for a signature on it.

    Args:
        site: where it is.
        record_now: reads it; called off the interface's thread.
        act: signs it; called off the interface's thread.
        parent: what it lies on.
    """

    signed = Signal(object)  # Signature
    words_name = "Go on to sign"

    def __init__(self, site: Site, record_now: ReadRecord, act: Act, parent: QWidget | None) -> None:
        super().__init__(site, record_now, parent)
        self._act = act
        self.working = False
        self.form, self.accountability = Form(), Accountability(self._accept)
        self.unidentified = label(_UNIDENTIFIED, "warning", selectable=True)
        self.nothing = label("Nothing more can be signed on this record.", "muted")
        self.close_button.setText("Cancel")
        self.close_button.setAccessibleName("Cancel: sign nothing")
        self.sign_button = button("Sign", self.sign, role="primary")
        self.foot.add(self.sign_button)
        for part in (self.unidentified, self.accountability, self.form, self.nothing):
            part.hide()
            self.side.addWidget(part)
        self.form.changed.connect(self._allow)
        self.form.given.connect(self.sign)
        self.form.gone_to.connect(self.let_see)
        self._allow()

    def show_read(self, found: Read) -> None:
        """Shows what was read, and what this person can sign on it now."""
        super().show_read(found)
        ready = bool(found.meanings)
        identified, accepted = bool(found.me.identity_checked), found.me.accountable_utc is not None
        self.unidentified.setVisible(ready and not identified)
        self.accountability.setVisible(ready and not accepted)
        self.nothing.setVisible(not ready)
        self.form.offer(found.meanings, needs_user=found.needs_user)
        self.form.setVisible(ready and identified and accepted)
        self._allow()
        if self.form.isVisible():
            self.form.go_to_first()
        elif self.accountability.isVisible():
            self.accountability.accept_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def sign(self) -> None:
        """Signs what is shown, if all is said."""
        if self.read is None or not self._ready:
            return
        record = self.read.record
        wish, act = self.form.taken(record.sha256), self._act
        self.problem.tell("", self.form.password)
        self._work(on=True)
        tasks.run(self, lambda: act(record, wish), self._signed, self._refused)

    def reject(self) -> None:
        """Signs nothing; not while a signature is being given, for it would be there all the same."""
        if not self.working:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """As `reject`."""
        if self.working:
            event.ignore()
        else:
            super().closeEvent(event)

    def _switch(self) -> None:
        super()._switch()
        if self._at_words and not self.form.isHidden():
            self.form.go_to_first()

    @property
    def _ready(self) -> bool:
        return not self.working and not self.form.isHidden() and self.form.complete and self._reading is None

    def _allow(self) -> None:
        """Says on the button what it would do, and lets it be pressed when all is said."""
        meaning = self.form.meaning
        words = "Signing…" if self.working else _WORDS[meaning] if meaning else "Sign"
        if self.sign_button.text() != words:
            self.sign_button.setText(words)
            self.sign_button.setAccessibleName(words)
        self.sign_button.setEnabled(self._ready)
        self.sign_button.setToolTip("" if self._ready or self.working else "Choose what it says, and give all fields")

    def _work(self, *, on: bool) -> None:
        self.working = on
        self.form.setEnabled(not on)
        self.close_button.setEnabled(not on)
        self._allow()

    def _signed(self, signature: Signature) -> None:
        self._work(on=False)
        self.signed.emit(signature)
        self.accept()

    def _refused(self, error: LumenError) -> None:
        self._work(on=False)
        if error.code in _LOCKED:
            self.reject()
            return
        self.problem.tell(errors.sentence(error), self.form.password)
        self.form.go_to_first()
        if error.code in _OLD:
            self.look()

    def _accept(self) -> None:
        people = self._site.people
        self.accountability.accept_button.setEnabled(False)
        tasks.run(self, people.accept_accountability, lambda _: self.look(), self._not_accepted)

    def _not_accepted(self, error: LumenError) -> None:
        self.accountability.accept_button.setEnabled(True)
        self.problem.tell(errors.sentence(error), self.accountability.accept_button)


def sign(
    parent: QWidget, site: Site, record_now: ReadRecord, act: Act, *, done: Callable[[Signature], object] | None = None
) -> SignDialog:
    """Asks for a signature over a window; returns at once.

    Args:
        parent: whose window it is.
        site: where the record is.
        record_now: reads the record; called off the interface's thread, such as ``lambda: site.releases.record(7)``.
        act: signs it, such as ``site.releases.sign``; called off the interface's thread.
        done: called with the signature once it is given; never where nothing was signed.
    """
    asked = SignDialog(site, record_now, act, parent.window())
    if done is not None:
        asked.signed.connect(done)
    asked.open()
    return asked
