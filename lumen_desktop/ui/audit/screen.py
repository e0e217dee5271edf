"""The audit trail's screen: its events, one of them beside the list, whether the whole is intact, and an export.

Ties the parts together and decides nothing: who may do what is asked of the services. `ui.main_window` shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QProgressBar, QSplitter, QWidget

from lumen_desktop.domain.permissions import Act, Reach
from lumen_desktop.ui import errors, tasks, theme
from lumen_desktop.ui.audit import words
from lumen_desktop.ui.audit.clock import ExplainDialog
from lumen_desktop.ui.audit.event import EventView
from lumen_desktop.ui.audit.events import EventsView
from lumen_desktop.ui.audit.exporting import Target, Written, ask_target
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.formatting import number
from lumen_desktop.ui.library.keys import shortcut
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Banner, Scrolled, announce, button, column, label

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from lumen_desktop.app import Site
    from lumen_desktop.domain.accounts import Profile
    from lumen_desktop.domain.audit import Verdict
    from lumen_desktop.domain.clock import ClockTrouble
    from lumen_desktop.services.audit_export import Exported

SHORTCUTS = (
    ("F5", "Read the trail again"),
    ("Ctrl+F", "Search the trail"),
    ("Enter", "Show the chosen event"),
    ("Esc", "Close the event"),
    ("Ctrl+Shift+E", "Export the events that the filters choose"),
    ("Ctrl+Shift+V", "Verify the trail"),
)
_READABLE = 380  # pixels at the default text size; where list or event has less, the event stands alone
_VERIFYING, _WRITING = "Verifying the whole trail…", "Writing the export…"


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the person who is signed in may do here, and whether the clock is in doubt."""

    profile: Profile
    reads: Reach
    exports: bool
    explains: bool
    reviews: bool
    trouble: ClockTrouble | None


class AuditScreen(QWidget):
    """Read only, but for the reason of a clock's change: events are made by the writes themselves."""

    looked = Signal()  # who may do what is known, and what they may see is being read

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self._folder = ""  # where an export was written last
        self._jobs: dict[tasks.Task, str] = {}
        self._verifying: tasks.Task | None = None
        self.events, self.pane = EventsView(site), EventView(site)
        self.verdict, self.clock, self.written = Banner(), Banner(), Written()
        self._build()
        self._connect()

    def _build(self) -> None:
        self.setProperty("role", "page")
        self.own, self._working, self._bar = label("", "muted"), label("", "small"), QProgressBar()
        self.own.hide()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Work under way")
        for part in (self._working, self._bar):
            part.hide()
        lists = column(margin=3 * SPACE, spacing=int(1.5 * SPACE))
        lists.addLayout(self._head())
        for shown in (self.own, self.clock, self.verdict, self.written, self._working, self._bar):
            lists.addWidget(shown)
        lists.addWidget(self.events, 1)
        self._inside = QWidget()
        self._inside.setLayout(lists)
        self._lists = Scrolled(self._inside)
        self._lists.setAccessibleName("Audit trail")
        self.pane.hide()
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self._lists)
        self._split.addWidget(self.pane)
        layout = column()
        layout.addWidget(self._split)
        self.setLayout(layout)

    def _head(self) -> Flow:
        head = Flow()
        title = label("Audit trail", "title")
        title.setWordWrap(False)
        head.add(title)
        head.stretch()
        head.add(button("Read again", self.activated, icon="refresh-cw", shortcut="F5"))
        self.export_button = button(
            "Export…", self.export, icon="upload", tip="Writes the chosen events to a file", shortcut="Ctrl+Shift+E"
        )
        self.export_button.setEnabled(False)
        head.add(self.export_button)
        self.review_button = button("Review…", self.review, icon="signature")
        self.review_button.setEnabled(False)
        head.add(self.review_button)
        self.verify_button = button(
            "Verify", self.verify, role="primary", icon="shield-check", tip="Follow the whole chain",
            shortcut="Ctrl+Shift+V",
        )  # fmt: skip
        head.add(self.verify_button)
        return head

    def _connect(self) -> None:
        self.events.chosen.connect(self._go_to)
        self.events.opened.connect(self.show_event)
        self.events.left.connect(self._close_event)
        self.pane.closed.connect(self._close_event)
        shortcut(self._lists, "Ctrl+F", self._search)

    @property
    def busy(self) -> bool:
        """Whether it is verified, exported or explained now."""
        return bool(self._jobs)

    def activated(self) -> None:
        """Reads again: who may do what, whether the clock is in doubt, and the events."""
        tasks.run(self, self._look, self._take_standing)
        if self._site.trouble is not None and not self.verdict.words:
            self._tell(self._site.trouble, self._site.audit.anchor_age_s(self._site.trouble))

    def stop(self) -> None:
        """Reading and verifying end by themselves and change nothing; an export is waited for."""
        self.events.stop()
        self.pane.stop()
        if self._verifying is not None:
            self._verifying.drop()
            self._jobs.pop(self._verifying, None)

    # --- who is there ---

    def _look(self) -> _Standing | None:
        person = self._site.person
        if person.over():  # nothing is asked in the name of somebody who is away
            return None
        acts = (Act.READ_AUDIT, Act.EXPORT_AUDIT, Act.EXPLAIN_CLOCK, Act.REVIEW_AUDIT)
        may = {act: person.reach(act) for act in acts}
        return _Standing(
            person.profile, may[Act.READ_AUDIT], may[Act.EXPORT_AUDIT] > Reach.NONE,
            may[Act.EXPLAIN_CLOCK] > Reach.NONE, may[Act.REVIEW_AUDIT] > Reach.NONE, self._site.audit.clock_trouble(),
        )  # fmt: skip

    def _take_standing(self, standing: _Standing | None) -> None:
        if standing is not None:
            self._tell_own(standing)
            self._allow_export(standing)
            self._tell_clock(standing)
            if standing.reads > Reach.NONE:
                self.events.load()
        self.looked.emit()

    def _tell_own(self, standing: _Standing) -> None:
        all_seen_by = words.permitted(Act.READ_AUDIT, standing.profile, least=Reach.ANY)
        own = standing.reads is Reach.OWN
        if own:
            self.own.setText(f"You see your own events only; {all_seen_by} see all.")
        elif standing.reads is Reach.NONE:
            self.own.setText(f"You have no duty at this site that lets you see the trail; {all_seen_by} see all of it.")
        self.own.setVisible(standing.reads is not Reach.ANY)
        self.events.bar.only_own(on=own)
        self.verify_button.setEnabled(self._verifying is None and standing.reads > Reach.NONE)

    def _allow_export(self, standing: _Standing) -> None:
        who = words.permitted(Act.EXPORT_AUDIT, standing.profile)
        tip = "Writes the chosen events to a file" if standing.exports else f"Only {who} may export the trail"
        self.export_button.setEnabled(standing.exports and _WRITING not in self._jobs.values())
        self.export_button.setToolTip(tip)
        reviewers = words.permitted(Act.REVIEW_AUDIT, standing.profile)
        signs = "Signs a review of the events since the last one"
        self.review_button.setEnabled(standing.reviews)
        self.review_button.setToolTip(signs if standing.reviews else f"Only {reviewers} may review the trail")

    # --- the clock ---

    def _tell_clock(self, standing: _Standing) -> None:
        trouble = standing.trouble
        if trouble is None:
            self.clock.hide()
            return
        said = words.clock(trouble)
        if standing.explains:
            self.clock.tell(said, kind="warning", action="Explain…", act=lambda: self._ask_reason(said))
        else:
            who = words.permitted(Act.EXPLAIN_CLOCK, standing.profile)
            self.clock.tell(f"{said} Only {who} may explain it.", kind="warning")

    def _ask_reason(self, said: str) -> None:
        dialog = ExplainDialog(self, said)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.given.connect(lambda reason: self._explain(dialog, reason))
        dialog.finished.connect(lambda _: self.activated())
        dialog.open()

    def _explain(self, dialog: ExplainDialog, reason: str) -> None:
        explain = self._site.audit.explain_clock
        task = tasks.run(dialog, lambda: explain(reason), lambda _: dialog.accept(), dialog.refuse)
        self._work(task, "Storing the reason…")

    # --- one event ---

    def _go_to(self, seq: int) -> None:
        """Follows the list where there is room beside it; elsewhere an event is opened by Enter."""
        if self._has_room and not (self.pane.isVisible() and self.pane.seq == seq):
            self.show_event(seq)

    def show_event(self, seq: int) -> None:
        """Shows an event beside the list, or in its place where there is no room for both."""
        if self.pane.isHidden():
            self.pane.show()
            wide = self._split.width()
            self._split.setSizes([wide * 11 // 20, wide * 9 // 20])
        self.pane.show_event(seq)
        self._share_room()
        if self._lists.isHidden():
            self.pane.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def _close_event(self) -> None:
        focused = self.focusWidget()
        had_focus = focused is not None and self.pane.isAncestorOf(focused)
        self.pane.hide()
        self._share_room()
        if had_focus:
            self.events.table.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def _has_room(self) -> bool:
        needed = self._inside.minimumSizeHint().width() + self.pane.minimumSizeHint().width()
        return max(needed, 2 * theme.scaled(_READABLE)) <= self.width()

    def _share_room(self) -> None:
        self._lists.setHidden(not self.pane.isHidden() and not self._has_room)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Shows list and event side by side where there is room for both."""
        super().resizeEvent(event)
        self._share_room()

    def _search(self) -> None:
        self.events.bar.words.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.events.bar.words.selectAll()

    # --- the whole trail ---

    def verify(self) -> None:
        """Follows the whole chain and says what came of it."""
        audit = self._site.audit

        def work() -> tuple[Verdict, float | None]:
            verdict = audit.verify()
            return verdict, audit.anchor_age_s(verdict)

        self.verify_button.setEnabled(False)
        self._verifying = tasks.run(self, work, lambda found: self._tell(*found))
        self._verifying.finished.connect(self._verified)
        self._work(self._verifying, _VERIFYING)

    def _verified(self) -> None:
        self._verifying = None
        self.verify_button.setEnabled(True)

    def _tell(self, verdict: Verdict, age_s: float | None) -> None:
        said = f"{words.verdict(verdict)} {words.anchor(verdict, age_s)}"
        bad = verdict.first_bad
        if bad is None:
            self.verdict.tell(said, kind="success")
            return

        def show_bad() -> None:
            self._tell(verdict, age_s)  # the verdict stays while the event is looked at
            self.events.choose(bad)
            self.show_event(bad)

        self.verdict.tell(said, kind="danger", action=f"Show event {number(bad)}", act=show_bad)

    # --- handing on, and its review ---

    def review(self) -> None:
        """Asks what the person found in the events since the last review, and for their signature on it."""
        from lumen_desktop.ui.signing.review import review_trail  # noqa: PLC0415 - most runs sign nothing

        review_trail(self, self._site, done=lambda _: self.activated())

    def export(self) -> None:
        """Writes the events that the filters choose to a file that the person names."""
        target = ask_target(self, self._folder)
        if target is None:
            return
        self.written.hide()
        errors.clear(self)
        audit, filters = self._site.audit, self.events.bar.filters
        self.export_button.setEnabled(False)
        task = tasks.run(
            self,
            lambda: audit.export(target.path, target.kind, filters, replace=target.replace),
            lambda done: self._exported(done, target),
        )
        self._work(task, _WRITING)
        task.finished.connect(lambda: self.export_button.setEnabled(True))

    def _exported(self, done: Exported, target: Target) -> None:
        self._folder = str(target.path.parent)
        self.written.tell(done, target.path)
        self.events.load()

    # --- work under way ---

    def _work(self, task: tasks.Task, said: str) -> None:
        self._jobs[task] = said
        task.finished.connect(lambda: self._ended(task))
        announce(self, said)
        self._tell_work()

    def _ended(self, task: tasks.Task) -> None:
        self._jobs.pop(task, None)
        self._tell_work()

    def _tell_work(self) -> None:
        self._working.setText(" ".join(self._jobs.values()))
        for part in (self._working, self._bar):
            part.setVisible(bool(self._jobs))
