"""What stands on every page: whose it is and what, its state, its page of how many, and the mark across it.

Knows no content. Called once all pages are there, as only then their number is known.

Source: EU GMP chapter 4, 4.2 and 4.3; PIC/S PI 041-1 section 8 (uncontrolled copies).
"""

from lumen_desktop.rendering.layout import HAIR, Box, Drawn, Page, Sheet, Stamp, Words
from lumen_desktop.rendering.pages import Envelope, Mark
from lumen_desktop.rendering.typesetting import Face, Style, Tone

_SITE = Style(Face.BOLD, 9, 12)
_PLAIN = Style(Face.REGULAR, 8, 11, Tone.MUTED)
_STATE = Style(Face.BOLD, 8, 11)
_FOOT = Style(Face.REGULAR, 7.5, 10, Tone.MUTED)
_WARNING = Style(Face.BOLD, 7.5, 10, Tone.DANGER)
_EDGE = 34.0
SHORT_DIGITS = 16


def dress(sheet: Sheet, envelope: Envelope) -> None:
    """Adds header, footer and marks to every page of a finished sheet."""
    for number, page in enumerate(sheet.pages, start=1):
        behind: list[Drawn] = [Stamp("\n".join(envelope.marks))] if envelope.marks else []
        around = _Frame(sheet, page)
        around.header(envelope)
        around.footer(envelope, number)
        page.drawn[:0] = behind


class _Frame:
    """The margins of one page."""

    def __init__(self, sheet: Sheet, page: Page) -> None:
        self._sheet = sheet
        self._page = page

    def header(self, envelope: Envelope) -> None:
        y = self._sheet.form.height - _EDGE - _SITE.size
        self._pair(y, (envelope.site, _SITE), (envelope.kind, _PLAIN))
        state = " · ".join(part for part in (envelope.number, envelope.status) if part)
        self._pair(y - 13, (envelope.title, _PLAIN), (state, _STATE))
        self._rule(y - 20)

    def footer(self, envelope: Envelope, number: int) -> None:
        y = _EDGE - 6
        self._rule(y + 21)
        made = f"Printed {envelope.printed.in_utc} ({envelope.printed.zone}) by {envelope.printed_by.user_name}"
        count = f"Page {number} of {len(self._sheet.pages)}"
        self._pair(y + 10, (made, _FOOT), (count, _FOOT._replace(face=Face.BOLD, tone=Tone.TEXT)))
        notes = []
        if envelope.uncontrolled:
            notes.append("Uncontrolled when printed")
        if Mark.DEMONSTRATION in envelope.marks:
            notes.append("DEMONSTRATION: not a record")
        short = f"SHA-256 {envelope.content_digest[:SHORT_DIGITS]}…"
        self._pair(y, (" · ".join(notes), _WARNING), (short, _FOOT._replace(face=Face.MONO, size=6.5)))

    def _pair(self, y: float, left: tuple[str, Style], right: tuple[str, Style]) -> None:
        """A text at each edge; each may take what the other leaves, and three fifths in any case."""
        sheet = self._sheet
        width = sheet.width - 12
        line = sheet.typesetter.one_line(*right, width * 0.6)
        taken = line.width * right[1].size / 1000
        self._page.drawn.append(Words(sheet.left + sheet.width - taken, y, right[1].size, right[1].tone, line))
        if left[0]:
            words = sheet.typesetter.one_line(*left, width - taken)
            self._page.drawn.append(Words(sheet.left, y, left[1].size, left[1].tone, words))

    def _rule(self, y: float) -> None:
        self._page.drawn.append(Box(self._sheet.left, y, self._sheet.width, HAIR, Tone.LINE))
