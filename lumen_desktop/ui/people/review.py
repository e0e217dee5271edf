"""The access review: everybody with their duties, the sign-ins refused of late, and the signature on what was found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from lumen_desktop import app
from lumen_desktop.domain.permissions import Act
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.formatting import counted, with_zone
from lumen_desktop.ui.people import words
from lumen_desktop.ui.people.part import Part, Viewer
from lumen_desktop.ui.people.rows import PeopleRows, leave_room, people_table
from lumen_desktop.ui.tables import Rows, table
from lumen_desktop.ui.widgets import button, label

if TYPE_CHECKING:
    from lumen_desktop.services.accounts import RefusedSignIn, Standing
    from lumen_desktop.services.signing import Signature

REVIEWED_DAYS = 90
_HEADINGS, _WIDTHS = ("Time", "User name", "Why", "Code"), (290, 180, 300)
_WORDS = 320  # pixels at the default text size

Found = tuple[str, "Sequence[Standing]", "Sequence[RefusedSignIn]"]


class ReviewPart(Part):
    """What a reviewer looks at."""

    def __init__(self, site: app.Site) -> None:
        super().__init__(site, "Access review", Act.REVIEW_ACCESS)
        self.title = label("", "strong")
        self.people, self.refused = PeopleRows(), Rows(_HEADINGS)
        self.people_view = people_table(self.people, "People under review")
        self.refused_view = table(self.refused, "Refused sign-ins", widths=_WIDTHS)
        leave_room(self.refused_view)
        self.refused_title = label("", "heading")
        self.acts = Flow()  # what a reviewer does with what is shown stands at the end of this line
        self.acts.add(self.title, grows=True, least_px=_WORDS)
        self.sign_button = button("Sign the review…", self.sign, icon="signature")
        self.acts.add(self.sign_button, top=True)
        self.body.addLayout(self.acts)
        self.body.addWidget(
            label(
                "Does everybody still need their duties? Has somebody left? Do the refused sign-ins look right?",
                "muted",
            )
        )
        self.body.addWidget(self.people_view, 2)
        self.body.addWidget(self.refused_title)
        self.body.addWidget(self.refused_view, 1)

    def sign(self) -> None:
        """Asks what the reviewer found, and for their signature on it."""
        from lumen_desktop.ui.signing.review import review_access  # noqa: PLC0415 - most runs sign nothing

        review_access(self, self._site, done=self._signed)

    def _signed(self, signature: Signature) -> None:
        number = signature.statement.record.rpartition(" ")[2]
        self.told(f"The review is signed and kept as access review {number}.")

    def read(self, _viewer: Viewer) -> Found:
        """Now, all people, and the refused sign-ins of the time under review."""
        now, people = app.now(), self._site.people
        return with_zone(now), people.list(), people.refused_sign_ins(now - timedelta(days=REVIEWED_DAYS))

    def show_found(self, viewer: Viewer, found: Found) -> None:
        """Shows them; the latest refusal first."""
        time, people, refused = found
        policy = viewer.policy
        self.title.setText(f"Access at {policy.site} ({policy.profile.words}), {time}, for {viewer.me.printed_name}")
        self.people.show_people(people)
        self.refused.show([_cells(it) for it in reversed(refused)])
        many = counted(len(refused), "sign-in was", "sign-ins were") if refused else "No sign-in was"
        self.refused_title.setText(f"{many} refused in the last {REVIEWED_DAYS} days")
        self.refused_view.setVisible(bool(refused))


def _cells(it: RefusedSignIn) -> tuple[str, ...]:
    return with_zone(it.time_utc), it.name, words.REFUSED.get(it.code, "refused"), it.code
