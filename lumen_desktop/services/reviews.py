"""Reviews that somebody signs: of the audit trail, and of who has access.

A review of the trail covers the events since the one before it, other than the reviewer's own: those wait for another
reviewer. A review of access keeps the list of people as it stood.

Source: EU GMP Annex 11 clause 9 and its draft of 2025, 12.4 to 12.8; 21 CFR 11.10(e), 11.300(b).
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lumen_desktop.domain.names import shown
from lumen_desktop.domain.permissions import Act
from lumen_desktop.domain.signing import Kind
from lumen_desktop.errors import InputError
from lumen_desktop.services.accounts import People, Standing
from lumen_desktop.services.authority import SignedIn
from lumen_desktop.services.signing import Record, Signature, Signing, Wish
from lumen_desktop.storage import audit
from lumen_desktop.storage import signatures as stored
from lumen_desktop.storage.database import Database

REFUSED_DAYS = 90
LONGEST_FINDING = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A stretch of the trail that somebody reviewed.

    Attributes:
        number: of the review.
        first: number of its first event.
        last: number of its last one.
        reviewer: user name; events of their own are not covered.
        time_utc: when it was signed.
    """

    number: int
    first: int
    last: int
    reviewer: str
    time_utc: datetime

    def covers(self, seq: int, actor: str) -> bool:
        """Whether it reviewed an event of somebody."""
        return self.first <= seq <= self.last and actor != self.reviewer


class Reviews:
    """The signed reviews of one site.

    Args:
        database: the site's.
        person: who reviews.
        people: the list of people.
        signing: gives the signatures.
    """

    def __init__(self, database: Database, person: SignedIn, people: People, signing: Signing) -> None:
        self._database = database
        self._person = person
        self._people = people
        self._signing = signing

    def of_trail(self, finding: str, *, first: int | None = None, last: int | None = None) -> Record:
        """What is signed to have reviewed the trail.

        Args:
            finding: what the reviewer found, in their words.
            first: number of the first event; None goes on after the last review.
            last: number of the last one; None takes the newest.

        Raises:
            AccessError: not permitted.
            InputError: no finding (SIG-009), or no such events (SIG-010).
        """
        actor = self._person.authorize(Act.REVIEW_AUDIT)
        words = _finding(finding)
        done = self._reviewed()
        with self._database.reading() as session:
            newest = audit.events(session, newest=1)[0]["seq"]
            begin = first or max((one.last for one in done), default=0) + 1
            end = last or newest
            if not 1 <= begin <= end <= newest:
                raise InputError(
                    f"There are no events {begin} to {end} to review.", code="SIG-010",
                    hint="`lumen audit list` shows the last numbers.",
                )  # fmt: skip
            tally, own, head = _tally(session, begin, end, actor.name)
        content = {
            "record": "review of the audit trail", "first": begin, "last": end, "head": head, "acts": tally,
            "own_events_left": own, "finding": words,
        }  # fmt: skip
        return Record(Kind.AUDIT_REVIEW, None, title_of(content), content)

    def of_access(self, finding: str) -> Record:
        """What is signed to have reviewed who has access.

        Raises:
            AccessError: not permitted.
            InputError: no finding (SIG-009).
        """
        self._person.authorize(Act.REVIEW_ACCESS)
        words, now = _finding(finding), self._database.clock()
        refused = self._people.refused_sign_ins(now - timedelta(days=REFUSED_DAYS))
        policy = self._people.policy()
        content = {
            "record": "review of access", "site": policy.site, "profile": policy.profile.value,
            "as_of_utc": now.isoformat(timespec="seconds"),
            "people": [_access(one) for one in self._people.list()],
            "refused_sign_ins": [[one.time_utc.isoformat(timespec="seconds"), one.name, one.code] for one in refused],
            "finding": words,
        }  # fmt: skip
        return Record(Kind.ACCESS_REVIEW, None, title_of(content), content)

    def sign(self, record: Record, wish: Wish) -> Signature:
        """Signs a review; raises as `Signing.sign`."""
        return self._signing.sign(record, wish)

    def of_the_trail(self) -> Sequence[Reviewed]:
        """The stretches of the trail that were reviewed, oldest first.

        Raises:
            AccessError: not permitted.
        """
        self._person.authorize(Act.READ_AUDIT)
        return self._reviewed()

    def record(self, kind: Kind, number: int) -> Record:
        """A review that was signed, to be read or printed again.

        Raises:
            AccessError: not permitted.
            InputError: there is none of that number (SIG-007).
        """
        self._person.authorize(Act.REVIEW_AUDIT if kind is Kind.AUDIT_REVIEW else Act.REVIEW_ACCESS)
        with self._database.reading() as session:
            rows = stored.of_record(session, kind, number)
        if not rows:
            raise InputError(
                "There is no review of that number.", code="SIG-007", hint="`lumen audit reviews` shows the numbers."
            )
        content = json.loads(rows[0].content)
        return Record(kind, number, title_of(content), content)

    def _reviewed(self) -> list[Reviewed]:
        with self._database.reading() as session:
            rows = [row for row in stored.of_kind(session, Kind.AUDIT_REVIEW) if not stored.flaw(session, row)]
        found = [(row, json.loads(row.content)) for row in rows]
        return [
            Reviewed(row.record_id, content["first"], content["last"], row.user_name, row.time_utc)
            for row, content in found
        ]


def title_of(content: Mapping[str, Any]) -> str:
    """What a review is called."""
    if "first" in content:
        return f"Review of the audit trail, events {content['first']} to {content['last']}"
    return f"Review of access at {content['site']}"


def _finding(words: str) -> str:
    finding = shown(words)
    if not finding or len(finding) > LONGEST_FINDING:
        raise InputError(
            f"Say what you found, in up to {LONGEST_FINDING:,} characters.", code="SIG-009",
            hint="Such as: no unexpected change; event 412 asked about, see deviation 7.",
        )  # fmt: skip
    return finding


def _tally(session: Any, first: int, last: int, reviewer: str) -> tuple[dict[str, int], int, str]:
    """Of the events of others how many of each act, how many are the reviewer's own, and the last one's hash."""
    acts: Counter[str] = Counter()
    own, head = 0, ""
    for event in audit.chain(session, first=first):
        if event.seq > last:
            break
        fields, head = audit.shown(event), event.hash.hex()
        if fields["actor"] == reviewer:
            own += 1
        else:
            acts[fields["act"]] += 1
    return dict(sorted(acts.items())), own, head


def _access(one: Standing) -> dict[str, Any]:
    """A person as an access review keeps them."""
    last = one.last_signed_in_utc
    return {
        "user": one.user.name, "name": one.user.printed_name, "duties": sorted(role.value for role in one.user.roles),
        "active": one.user.active, "identity_checked": one.user.identity_checked,
        "accountable": one.user.accountable_utc is not None,
        "last_signed_in_utc": last.isoformat(timespec="seconds") if last else "",
    }  # fmt: skip
