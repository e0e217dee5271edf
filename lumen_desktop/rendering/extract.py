"""An extract of the audit trail: what was asked for, then each event with its values before and after.

Knows no database and no file format; `pdf.render` calls it.

Source: 21 CFR 11.10(b) and (e); EU GMP Annex 11 clauses 8 and 9.
"""

from lumen_desktop.rendering import blocks
from lumen_desktop.rendering.layout import INSET, LANDSCAPE, Cell, Columns, Setting, Sheet, height_of
from lumen_desktop.rendering.pages import AuditExtract, ChangeShown, EventShown
from lumen_desktop.rendering.typesetting import Face, Style, Tone, Typesetter

_TEXT = Style(Face.REGULAR, 8, 10.8)
_STRONG = Style(Face.BOLD, 8, 10.8)
_SMALL = Style(Face.REGULAR, 7, 9.4, Tone.MUTED)
_VALUE = Style(Face.REGULAR, 7.5, 10.2)
_OLD = _VALUE._replace(tone=Tone.MUTED)
_ABSENT = Style(Face.ITALIC, 7.5, 10.2, Tone.MUTED)
_NONE = Style(Face.ITALIC, 8, 10.8, Tone.MUTED)
_LEGEND = Style(Face.REGULAR, 7, 9.4, Tone.MUTED)
_PAD = 4.0


def lay_out(extract: AuditExtract, typesetter: Typesetter) -> Sheet:
    """All pages of an extract, without header and footer."""
    sheet = Sheet(typesetter, LANDSCAPE)
    blocks.title(sheet, extract.envelope)
    blocks.facts(sheet, _title_block(extract))
    blocks.heading(sheet, "Events")
    if extract.events:
        _Events(sheet).lay_out(extract.events)
        blocks.note(sheet, f"End of the extract: {len(extract.events):,} of {extract.total:,} events.")
    else:
        blocks.note(sheet, "No event of the audit trail matches this selection.")
    blocks.verification(sheet, extract.envelope)
    return sheet


def _title_block(extract: AuditExtract) -> list[tuple[str, blocks.Value]]:
    envelope, anchor = extract.envelope, extract.anchor
    by = envelope.printed_by
    rows: list[tuple[str, blocks.Value]] = [
        ("Site", (f"{envelope.site} ({envelope.site_id})", blocks.STRONG)),
        ("Profile", (extract.profile, blocks.VALUE)),
        ("Selection", (extract.selection or "All events", blocks.VALUE)),
        ("Events printed", (f"{len(extract.events):,} of {extract.total:,} in the audit trail", blocks.STRONG)),
        ("Exported by", (f"{by.printed_name} ({by.user_name}), {by.role}", blocks.VALUE)),
        ("Exported at", (f"{envelope.printed.in_utc} · local {envelope.printed.local}", blocks.VALUE)),
        (f"Head of the chain, event {envelope.chain_events:,}", (envelope.chain_head, blocks.DIGEST)),
    ]
    if anchor is None:
        return [*rows, ("Last anchor", ("No head of the chain has been kept outside the database.", blocks.ALARM))]
    where = f"{anchor.at.in_utc} · {anchor.place}"
    return [
        *rows,
        (f"Last anchor, event {anchor.seq:,}", (where, blocks.VALUE)),
        ("Head at that anchor", (anchor.head, blocks.DIGEST)),
    ]


class _Events:
    """The table of events, whose head runs along from page to page."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._columns = sheet.columns(36, 112, 124, 112, 172, 152, indent=INSET)
        self._values = _under(self._columns)
        self._next = 0  # number of the event that is, or will be, first on a new page
        self._going_on = ""  # what a page begins with where that event began on the one before
        self._known: dict[tuple[str, Style, float], list[Setting]] = {}

    def lay_out(self, events: tuple[EventShown, ...]) -> None:
        self._next = events[0].seq
        self._head()
        self._sheet.running = self._head
        for event in events:
            self._event(event)
        self._sheet.rule()
        self._sheet.y -= 2
        self._sheet.running = None

    def _head(self) -> None:
        sheet = self._sheet
        sheet.bookmark(f"From event {self._next:,}", 2)
        names = ("No.", "Time", "Who, role", "Act", "Object", "Reason")
        sheet.row(self._texts(names, blocks.HEAD, self._columns), self._columns, pad=3, fill=Tone.BAND)
        legend = ("Changed field", "Before", "After")
        sheet.row(self._texts(legend, _LEGEND, self._values), self._values, pad=1.5, fill=Tone.SUNKEN)
        if self._going_on:
            line = sheet.typesetter.one_line(self._going_on, _ABSENT, sheet.width - 2 * INSET)
            sheet.row([[Setting(_ABSENT, line)]], sheet.columns(1, indent=INSET), pad=2)

    def _event(self, event: EventShown) -> None:
        sheet = self._sheet
        main = self._main(event)
        changes = [self._change(change) for change in event.changes]
        heights = [height_of(main, pad=_PAD), *(height_of(cells, pad=2) for cells in changes)]
        self._next, self._going_on = event.seq, ""
        whole = sum(heights)
        together = whole if whole <= sheet.whole / 3 else min(sum(heights[:2]), sheet.whole / 3)
        if together > sheet.room:
            sheet.turn()
        self._going_on = f"Event {event.seq:,}, continued"
        sheet.rule()
        sheet.row(main, self._columns, pad=_PAD)
        for change, cells in zip(event.changes, changes, strict=True):
            if height_of(cells, pad=2) > sheet.whole / 3:
                self._going_on = f"Event {event.seq:,}, continued: {change.field}"
            sheet.row(cells, self._values, pad=2, fill=Tone.SUNKEN)
        sheet.y -= 3 if changes else 0

    def _main(self, event: EventShown) -> list[Cell]:
        number, time, who, act, thing, reason = self._columns.widths
        person = event.who
        return [
            self._cell(f"{event.seq:,}", _STRONG, number),
            [
                *self._cell(event.at.in_utc, _TEXT, time),
                *self._cell(f"local {event.at.local}", _SMALL, time),
            ],
            [
                *self._cell(person.printed_name, _TEXT, who),
                *self._cell(" · ".join(filter(None, (person.user_name, person.role))), _SMALL, who),
            ],
            self._cell(event.act, _TEXT, act),
            self._cell(event.object, _TEXT, thing),
            self._cell(event.reason, _TEXT, reason) if event.reason else self._cell("none given", _NONE, reason),
        ]

    def _change(self, change: ChangeShown) -> list[Cell]:
        field, before, after = self._values.widths
        return [
            self._cell(change.field, _SMALL, field),
            self._value(change.before, _OLD, before),
            self._value(change.after, _VALUE, after),
        ]

    def _value(self, value: str | None, style: Style, width: float) -> list[Setting]:
        if value is None:
            return self._cell("no value", _ABSENT, width)
        if not value.strip():
            return self._cell("only spaces" if value else "empty", _ABSENT, width)
        return self._cell(value, style, width)

    def _texts(self, texts: tuple[str, ...], style: Style, columns: Columns) -> list[Cell]:
        return [self._cell(text, style, width) for text, width in zip(texts, columns.widths, strict=True)]

    def _cell(self, text: str, style: Style, width: float) -> list[Setting]:
        """Lines of a text; short ones come again and again and are set once."""
        if len(text) > 80:  # noqa: PLR2004 - as long as names, acts and roles are
            return self._sheet.cell(text, style, width)
        key = (text, style, width)
        if (known := self._known.get(key)) is None:
            known = self._known[key] = self._sheet.cell(text, style, width)
        return known


def _under(main: Columns) -> Columns:
    """Columns of the values: fields under the people, the rest halved."""
    field, before = main.lefts[2], main.lefts[3]
    end = main.lefts[-1] + main.widths[-1]
    gutter = before - field - main.widths[2]
    half = (end - before - gutter) / 2
    return Columns((field, before, before + half + gutter), (main.widths[2], half, half))
