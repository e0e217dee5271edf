"""Releasing a document from the list: who signed it, and the buttons that lead to its next signature and its record.

`documents` places the buttons and shows the words. Decides nothing: `signing.dialog` asks the services again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QPushButton, QWidget

from lumen_desktop.app import Site
from lumen_desktop.domain.library import ReleaseState, StoredDocument
from lumen_desktop.domain.permissions import Act, Reach
from lumen_desktop.domain.signing import RELEASE, Meaning
from lumen_desktop.ui import errors, formatting, tasks, widgets

if TYPE_CHECKING:
    from lumen_desktop.services.signing import Signature
    from lumen_desktop.ui.signing.dialog import SignDialog

_ENDED = {
    ReleaseState.REJECTED: "It was rejected: add the corrected document, which is released anew.",
    ReleaseState.WITHDRAWN: "It was withdrawn: add the document again, which is released anew.",
}
_WHO = "A QA officer or QA approver reviews, then another QA approver approves."
_WITHDRAWERS = "A QA approver withdraws documents."


@dataclass(frozen=True, slots=True)
class May:
    """What the duties of who is signed in include: to review a document, and to release or withdraw one."""

    review: bool
    release: bool


def duties(site: Site) -> May | None:
    """What the person may do about releases; None at a site whose documents need none."""
    if not site.person.release_needed:
        return None
    review, release = (site.person.reach(act) for act in (Act.SIGN_AS_REVIEWER, Act.RELEASE_DOCUMENTS))
    return May(review is not Reach.NONE, release is not Reach.NONE)


class Releasing(QObject):
    """Buttons for the release of the document that is chosen.

    Args:
        site: whose library.
        parent: the list.
    """

    described = Signal(str)  # who signed the chosen document; empty where that is nothing to say
    changed = Signal()  # a document was signed

    def __init__(self, site: Site, parent: QWidget) -> None:
        super().__init__(parent)
        self._site = site
        self._over = parent
        self._may: May | None = None
        self._document: StoredDocument | None = None
        self._given: Sequence[Signature] = ()
        self._busy = False
        self._looking: tasks.Task | None = None
        self._asked: SignDialog | None = None
        self.release = widgets.button("Release…", self.sign, icon="signature")
        self.withdraw = widgets.button("Withdraw…", self.sign, icon="undo-2")
        self.record = widgets.button("Record…", self.show_record, icon="file-text")
        self.buttons: tuple[QPushButton, ...] = (self.release, self.withdraw, self.record)
        for made in self.buttons:
            made.hide()

    def know(self, may: May | None) -> None:
        """Takes what the person may do; the buttons are there where documents are released."""
        self._may = may
        for made in self.buttons:
            made.setVisible(may is not None)
        self._allow()

    def choose(self, document: StoredDocument | None, *, busy: bool) -> None:
        """Takes another document, or the same one as it is now; ``busy`` keeps everything from being signed."""
        self._busy = busy
        if self._may is not None and document != self._document:
            self._document, self._given = document, ()
            self._look()
        self._allow()

    def again(self) -> None:
        """Reads the chosen document's signatures anew when it is chosen next."""
        self._document = None

    def sign(self) -> None:
        """Asks for the next signature on the chosen document."""
        from lumen_desktop.ui.signing import dialog  # noqa: PLC0415 - most runs sign nothing

        if self._document is not None:
            number, releases = self._document.id, self._site.releases
            self._asked = dialog.sign(
                self._over, self._site, lambda: releases.record(number), releases.sign,
                done=lambda _: self.changed.emit(),
            )  # fmt: skip
            self._asked.finished.connect(self._left)

    def _left(self) -> None:
        self._asked = None

    @property
    def signing(self) -> bool:
        """Whether a signature is being given now; closing would have to wait for it."""
        return self._asked is not None and self._asked.working

    def show_record(self) -> None:
        """Shows the chosen document's record."""
        from lumen_desktop.ui.signing import record  # noqa: PLC0415 - as `sign`

        if self._document is not None:
            number, releases = self._document.id, self._site.releases
            record.show(self._over, self._site, lambda: releases.record(number))

    def _look(self) -> None:
        if self._looking is not None:
            self._looking.drop()
        self._looking = None
        self.described.emit("")
        if (document := self._document) is None:
            return
        site = self._site
        self._looking = tasks.run(
            self, lambda: site.signing.on(site.releases.record(document.id)),
            lambda given: self._tell(document, given), lambda error: self.described.emit(errors.sentence(error)),
        )  # fmt: skip

    def _tell(self, document: StoredDocument, given: Sequence[Signature]) -> None:
        self._looking, self._given = None, given
        self.described.emit(said(document.release, given))
        self._allow()

    def _allow(self) -> None:
        """Lets buttons be pressed that would do something; the others say why not, or who may."""
        document, may = self._document, self._may
        one = document is not None and may is not None and not self._busy
        self.record.setEnabled(one)
        reasons = why_not(document, may, self._given) if document is not None and may is not None else ("", "")
        for made, reason in zip((self.release, self.withdraw), reasons, strict=True):
            made.setEnabled(one and not reason)
            made.setToolTip(reason)


def why_not(document: StoredDocument, may: May, given: Sequence[Signature]) -> tuple[str, str]:
    """Why a document cannot be released, and why it cannot be withdrawn, by this person; empty where it can."""
    state = document.release
    ended = _ENDED.get(state, "")
    release = ended or ("It is in use already." if state is ReleaseState.IN_USE else "")
    if state is ReleaseState.AWAITING:
        withdraw = "It is not in use yet: it can be rejected where it would be released."
    else:
        signed = len(given) >= len(RELEASE.steps)
        withdraw = ended or ("" if signed else "It was in use before releases were signed: it can be removed.")
    return release or ("" if may.review or may.release else _WHO), withdraw or ("" if may.release else _WITHDRAWERS)


def said(state: ReleaseState, given: Sequence[Signature]) -> str:
    """How a document came to its state, in words: who signed what, and when."""
    if flawed := next((one for one in given if one.flaw), None):
        return f"A signature on it does not hold: {flawed.flaw}"
    if not given:
        return "Not released yet: nobody has signed it." if state is ReleaseState.AWAITING else ""
    last = given[-1].statement
    when = formatting.moment(last.time_utc)
    if last.meaning in {Meaning.REJECTED, Meaning.WITHDRAWN}:
        return f"{last.meaning.capitalize()} by {last.printed_name} on {when}: {last.reason}"
    if state is ReleaseState.IN_USE:
        return f"Released by {' and '.join(one.statement.printed_name for one in given)} on {when}."
    next_step = RELEASE.steps[len(given)].meaning
    return f"{last.meaning.capitalize()} by {last.printed_name} on {when}; not {next_step} yet."
