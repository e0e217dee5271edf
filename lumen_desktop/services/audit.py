"""Reading, verifying, anchoring and exporting the audit trail: one object for both faces."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from lumen_desktop.domain.accounts import Actor
from lumen_desktop.domain.audit import Choices, Difference, Filters, Page, Verdict, differences
from lumen_desktop.domain.clock import ClockTrouble
from lumen_desktop.domain.permissions import Act, Reach
from lumen_desktop.errors import InputError
from lumen_desktop.services import audit_export
from lumen_desktop.services.audit_export import Exported, Title
from lumen_desktop.services.audit_watch import Watch
from lumen_desktop.services.authority import NOBODY, Authority
from lumen_desktop.storage import accounts, anchors, audit, seals
from lumen_desktop.storage.database import Database

_EVERYTHING, _FIRST_PAGE = Filters(), Page()


@dataclass(frozen=True, slots=True)
class Told:
    """One event, and what it changed.

    Attributes:
        fields: what it says, plus ``hash`` and ``previous``, the hash of the event before.
        differences: fields before and after.
    """

    fields: dict[str, Any]
    differences: list[Difference]


class Audit:
    """The audit trail of one site.

    Args:
        database: the site's.
        authority: who reads, exports and explains, and whether they may.
        watch: anchors it.
        demonstration: whether what is printed says so on every page.
    """

    def __init__(self, database: Database, authority: Authority, watch: Watch, *, demonstration: bool = False) -> None:
        self._database = database
        self._authority = authority
        self._watch = watch
        self._demonstration = demonstration

    # --- reading ---

    def newest(self, count: int | None) -> list[dict[str, Any]]:
        """The last events that the person may see, as JSON fields, oldest first; all of them if None.

        Raises:
            AccessError: not permitted.
            IntegrityError: an event is not what was written (AUD-001).
        """
        filters = self._seen(_EVERYTHING)
        with self._database.reading() as session:
            if filters is _EVERYTHING:
                return audit.events(session, newest=count)
            page = Page(limit=audit.count(session, filters) if count is None else count, descending=True)
            return audit.find(session, filters, page)[::-1]

    def find(self, filters: Filters = _EVERYTHING, page: Page = _FIRST_PAGE) -> list[dict[str, Any]]:
        """One page of the events that filters choose, as JSON fields.

        Raises:
            AccessError: not permitted.
            IntegrityError: an event is not what was written (AUD-001).
        """
        filters = self._seen(filters)
        with self._database.reading() as session:
            return audit.find(session, filters, page)

    def _seen(self, filters: Filters) -> Filters:
        """Those events of them that the person may see: all, or what they did themselves."""
        actor = self._authority.authorize(Act.READ_AUDIT)
        return filters if self._authority.reach(Act.READ_AUDIT) is Reach.ANY else replace(filters, actor=actor.name)

    def count(self, filters: Filters = _EVERYTHING) -> int:
        """How many events filters choose; where words are sought that takes longer than a page."""
        filters = self._seen(filters)
        with self._database.reading() as session:
            return audit.count(session, filters)

    def choices(self) -> Choices:
        """What filters can name among the events that the person may see.

        Raises:
            AccessError: not permitted.
        """
        own = self._seen(_EVERYTHING).actor
        with self._database.reading() as session:
            return audit.choices(session, own)

    def event(self, seq: int) -> Told:
        """One event, compared field by field.

        Raises:
            AccessError: not permitted, or another person's event (ACC-002).
            InputError: there is none of that number (AUD-005).
            IntegrityError: it is not what was written (AUD-001).
        """
        own = self._seen(_EVERYTHING).actor
        with self._database.reading() as session:
            fields = audit.event(session, seq)
        if fields is None:
            raise InputError(
                f"There is no event {seq}.", code="AUD-005", hint="`lumen audit list` shows the last numbers."
            )
        if own and fields["actor"] != own:
            self._authority.authorize(Act.READ_AUDIT, of=NOBODY)
        return Told(fields, differences(fields.get("before"), fields.get("after")))

    # --- is it whole? ---

    def verify(self, *, copies: Sequence[Path] = ()) -> Verdict:
        """Follows the whole chain and holds it against its anchors; the verdict names the first bad event.

        Writes nothing and needs no lock: a copy of a site in a folder that cannot be written is verified the same way.
        Where something is wrong, this process writes nothing from then on.

        Args:
            copies: copies of the anchors file that were kept elsewhere; they count as anchors outside.

        Raises:
            AccessError: not permitted.
            InputError: a copy holds no anchor (AUD-004).
        """
        self._authority.authorize(Act.READ_AUDIT)
        with self._database.reading() as session:
            verdict = anchors.verify(session, self._database.site_id, self._watch.file, elsewhere=copies)
        if not copies:  # one that was named may be of another site
            self._watch.distrust(verdict)
        return verdict

    def anchor_age_s(self, verdict: Verdict) -> float | None:
        """Age of the last anchor outside the database, seconds; None without any."""
        if verdict.outside is None:
            return None
        return (self._database.clock() - verdict.outside.time_utc).total_seconds()

    def anchor(self, why: str) -> None:
        """Anchors the trail's head now: after a signature, an export, a sign-out; never inside a transaction.

        Raises:
            LumenError: the database or the file cannot be written.
        """
        self._watch.anchor(why)

    # --- the clock ---

    def clock_trouble(self) -> ClockTrouble | None:
        """What the clock did that nobody has explained yet; while there is something, nothing is signed.

        Source: EU Annex 11 (2025 draft) on time; MHRA data integrity 2018, contemporaneous.
        """
        self._watch.look()
        return self._watch.clock_trouble()

    def explain_clock(self, reason: str) -> None:
        """Says why the clock was set or jumped; from then on signing is possible again.

        Raises:
            AccessError: not permitted.
            InputError: the reason says nothing (AUD-010 to AUD-012), or there is nothing to explain (AUD-013).
        """
        actor = self._authority.authorize(Act.EXPLAIN_CLOCK)
        words, trouble = self._authority.because(reason), self.clock_trouble()
        if trouble is None:
            raise InputError(
                "The clock needs no explanation.", code="AUD-013", hint="`lumen audit list --entity clock` shows why."
            )
        with self._database.transaction(actor, words) as transaction:
            transaction.note("clock explained", "clock", trouble.seq)

    # --- export ---

    def export(
        self, target: Path | BinaryIO, kind: str, filters: Filters = _EVERYTHING, *, replace: bool = False
    ) -> Exported:
        """Writes the events that filters choose; the export is an event itself, and is anchored before and after.

        Args:
            target: a file, written whole and for its owner only, or an open binary stream.
            kind: a key of `audit_export.FORMATS`.
            filters: which events.
            replace: whether a file that is there already may be replaced.

        Raises:
            AccessError: not permitted.
            InputError: the file is there (AUD-014), or the format is unknown (AUD-015).
            StorageError: it cannot be written (AUD-016).
            IntegrityError: an event is not what was written (AUD-001).
        """
        actor = self._authority.authorize(Act.EXPORT_AUDIT)
        self._database.check_writable()  # who cannot write the event gets no export
        write = audit_export.writer(kind)
        self.anchor("export")
        with audit_export.opened(target, replace=replace) as out:
            with self._database.reading() as session:
                about = audit_export.About(
                    self._database.site_id, self._database.clock(), filters,
                    seals.public_key(session) or b"", anchors.lines(session), self.title(session, actor),
                )  # fmt: skip
                events = write(out, audit.chosen(session, filters), about)
            done = Exported(kind, events, out.sha256())
            with self._database.transaction(actor, "export of the audit trail") as transaction:
                after = {"events": events, "sha256": done.sha256, "filters": audit_export.plain(filters)}
                transaction.note("exported", "audit_trail", kind, after=after)
        self.anchor("export")
        return done

    def title(self, session: Any, actor: Actor) -> Title:
        """What stands at the head of what is printed: of an extract, or of a signed record."""
        site = accounts.site(session)
        (last,) = audit.events(session, newest=1)
        lines = anchors.lines(session)
        return Title(
            site=site.name if site else "",
            profile=accounts.profile(session).words,
            demonstration=self._demonstration,
            by=actor,
            printed_names={row.name: row.printed_name for row in accounts.people(session)},
            total=last["seq"],
            head=last["hash"],
            last_anchor=lines[-1] if lines else b"",
        )
