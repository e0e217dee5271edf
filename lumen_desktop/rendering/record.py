"""A record on paper, with the manifestation of every signature given on it.

Knows no database, no state machine and no file format; `pdf.render` calls it.

Source: 21 CFR 11.50 (printed name, date and time, meaning, in any form that people read), 11.70 (bound to the record).
"""

from lumen_desktop.rendering import blocks
from lumen_desktop.rendering.layout import PORTRAIT, Box, Cell, Sheet, height_of
from lumen_desktop.rendering.pages import Record, SignatureShown
from lumen_desktop.rendering.typesetting import Face, Style, Tone, Typesetter

_NAME = Style(Face.BOLD, 10.5, 14.5)
_PAD = 7.0


def lay_out(record: Record, typesetter: Typesetter) -> Sheet:
    """All pages of a record, without header and footer."""
    sheet = Sheet(typesetter, PORTRAIT)
    blocks.title(sheet, record.envelope)
    blocks.facts(sheet, _title_block(record))
    for section in record.sections:
        blocks.section(sheet, section)
    if not record.sections:
        blocks.note(sheet, "The record has no content.")
    _signatures(sheet, record)
    blocks.verification(sheet, record.envelope)
    return sheet


def _title_block(record: Record) -> list[tuple[str, blocks.Value]]:
    envelope = record.envelope
    by = envelope.printed_by
    return [
        ("Number", (envelope.number, blocks.STRONG)),
        ("Status", (envelope.status, blocks.STRONG)),
        ("Site", (f"{envelope.site} ({envelope.site_id})", blocks.VALUE)),
        *((name, (value, blocks.VALUE)) for name, value in record.facts),
        ("Printed by", (f"{by.printed_name} ({by.user_name}), {by.role}", blocks.VALUE)),
        ("Printed at", (f"{envelope.printed.in_utc} · local {envelope.printed.local}", blocks.VALUE)),
    ]


def _signatures(sheet: Sheet, record: Record) -> None:
    blocks.heading(sheet, "Electronic signatures", keep=130 if record.signatures else 20)
    if not record.signatures:
        blocks.note(sheet, "Nobody has signed this record.")
        return
    for signature in record.signatures:
        _signature(sheet, signature, record.envelope.content_digest)


def _signature(sheet: Sheet, signature: SignatureShown, content_digest: str) -> None:
    """One manifestation: who in which role, what it means, when; then what binds it to the record."""
    columns = sheet.columns(0.4, 0.6, indent=12)
    who, what = columns.widths
    person = signature.signer
    top: list[Cell] = [
        [*sheet.cell(person.printed_name, _NAME, who),
         *sheet.cell(f"{person.user_name} · {person.role}", blocks.LABEL, who)],
        [*sheet.cell(signature.meaning, blocks.STRONG, what),
         *sheet.cell(signature.at.in_utc, blocks.VALUE, what),
         *sheet.cell(f"local {signature.at.local}", blocks.LABEL, what)],
    ]  # fmt: skip
    bound = sheet.columns(0.2, 0.8, indent=12)
    proofs = [
        ("Signature", signature.signature_id),
        ("Signed content", signature.content_digest),
        ("Trail's head", signature.chain_head),
    ]
    rows: list[list[Cell]] = [
        [sheet.cell(name, blocks.LABEL, bound.widths[0]), sheet.cell(value, blocks.DIGEST, bound.widths[1])]
        for name, value in proofs
    ]
    if signature.content_digest != content_digest:
        alarm = "This signature was given on other content than is printed here."
        rows.append(
            [sheet.cell("Attention", blocks.ALARM, bound.widths[0]), sheet.cell(alarm, blocks.ALARM, bound.widths[1])]
        )
    height = height_of(top, pad=_PAD) + sum(map(height_of, rows)) + _PAD
    if height <= sheet.whole / 2:
        sheet.demand(height)
        sheet.draw(Box(sheet.left, sheet.y - height, sheet.width, height, Tone.SUNKEN))
        sheet.draw(Box(sheet.left, sheet.y - height, 2, height, Tone.ACCENT))
    sheet.row(top, columns, pad=_PAD)
    for row in rows:
        sheet.row(row, bound)
    sheet.y -= _PAD
    sheet.skip(8)
