"""Word files (DOCX), by python-docx; loaded in the reader's process only.

A DOCX is a ZIP archive of XML written by strangers: its size is checked before anything is expanded,
and a part that declares a DOCTYPE is refused before python-docx sees it, because entities would make
text vanish without an error. Text that tracked changes insert is read, deleted text is not.

Source: ECMA-376 part 1, WordprocessingML.
"""

import io
import re
import stat
import xml.parsers.expat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docx
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from lumen_desktop.domain.library import Extract, normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats.office.outline import Block, Role, sections

MOST_ENTRIES = 2_000
MOST_EXPANDED_BYTES = 512 * 1024 * 1024
MOST_RATIO = 100
MOST_CHARACTERS = 100 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024
_ENCRYPTED = 0x1
_LONGEST_CHAIN = 12  # styles based on styles; a file may make a circle of them
_UNNAMED = frozenset({"word document", "document", "document1"})  # titles that programs give

_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_SKIPPED = frozenset(
    {qn("w:del"), qn("w:moveFrom"), "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
)
_BREAKS = {qn("w:tab"): " ", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_BROKEN = (
    KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError, RecursionError, OSError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip  # what python-docx and lxml raise on parts that do not fit together
_NOTES = (RELATIONSHIP_TYPE.FOOTNOTES, RELATIONSHIP_TYPE.ENDNOTES)


def read(name: str, content: bytes) -> Extract:
    """Reads a Word file.

    Raises:
        InputError: past the limits of an archive (LIB-011), a DOCTYPE (LIB-012), damaged (LIB-013), too
            much text (LIB-010), no text (LIB-005).
    """
    _check_archive(content)
    try:
        document = docx.Document(io.BytesIO(content))
        found = list(_paragraphs(document))
    except _BROKEN as error:
        raise _damaged() from error
    page, blocks = _laid_out(found)
    if not page:
        raise InputError("The Word file holds no text.", code="LIB-005", hint="Images of text need OCR first.")
    if len(page) > MOST_CHARACTERS:
        raise InputError(
            "The file holds more than 100 MB of text.", code="LIB-010", hint="Split it into several files."
        )
    metadata = _metadata(document)
    of_file = metadata.pop("title", "")
    shown = next((normalised(paragraph.text) for paragraph in found if paragraph.is_title), "")
    title = shown or (of_file if of_file.lower() not in _UNNAMED else "") or name.rsplit(".", 1)[0]
    return Extract(title=title, pages=(page,), paged=False, sections=sections(blocks), metadata=metadata)


def _damaged() -> InputError:
    return InputError(
        "The Word file is damaged and cannot be read.", code="LIB-013", hint="Open it in Word and save it again."
    )


def _check_archive(content: bytes) -> None:
    """Refuses an archive that is larger, or other, than a document's can be."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            reason = _objection(entries, len(content))
            if reason:
                raise InputError(f"The Word file is refused: {reason}.", code="LIB-011", hint="Save it again in Word.")
            for entry in entries:
                if entry.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _check_part(archive, entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError, RuntimeError) as error:
        raise _damaged() from error


def _objection(entries: list[zipfile.ZipInfo], size_bytes: int) -> str:
    """Why an archive is no document's; empty where nothing is wrong."""
    names = [entry.filename for entry in entries]
    expanded = sum(entry.file_size for entry in entries)
    too_large = expanded > MOST_EXPANDED_BYTES or expanded > MOST_RATIO * size_bytes
    objections = {
        f"it has more than {MOST_ENTRIES} parts": len(entries) > MOST_ENTRIES,
        "it expands to far more than a document holds": too_large,
        "two of its parts have the same name": len(set(names)) < len(names),
        "it is encrypted": any(entry.flag_bits & _ENCRYPTED for entry in entries),
        "a part's name leads outside of it": any(_leads_outside(name) for name in names),
        "it holds a link": any(stat.S_ISLNK(entry.external_attr >> 16) for entry in entries),
    }
    return next((reason for reason, applies in objections.items() if applies), "")


def _leads_outside(name: str) -> bool:
    return name.startswith(("/", "\\")) or ":" in name or ".." in re.split(r"[/\\]", name)


class _DoctypeError(Exception):
    """A part declares a DOCTYPE."""


def _check_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Reads a part to its end and refuses a DOCTYPE; expat decodes every encoding it may hide in."""
    parser = xml.parsers.expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        with archive.open(entry) as part:
            while piece := part.read(_PIECE_BYTES):
                parser.Parse(piece, False)  # noqa: FBT003 - expat's own signature
        parser.Parse(b"", True)  # noqa: FBT003 - as above
    except _DoctypeError:
        raise InputError(
            "The Word file declares a DOCTYPE, which no word processor writes.",
            code="LIB-012",
            hint="Open it in Word and save it again.",
        ) from None
    except xml.parsers.expat.ExpatError as error:
        raise _damaged() from error


def _refuse_doctype(*_untrusted: Any) -> None:
    raise _DoctypeError


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """One paragraph, or one row of a table."""

    text: str
    level: int = 0
    is_title: bool = False
    is_note: bool = False

    @property
    def role(self) -> Role:
        """What it is to the outline."""
        return Role.NOTE if self.is_note else Role.HEADING if self.level else Role.TEXT


def _paragraphs(document: Any) -> Iterator[_Paragraph]:
    levels = _levels(document)
    yield from _walk(document.element.body, levels)
    for part in document.part.rels.values():
        if part.reltype in _NOTES and not part.is_external:
            for note in parse_xml(part.target_part.blob).iter(qn("w:footnote"), qn("w:endnote")):
                text = " ".join(_text(paragraph) for paragraph in note.iter(qn("w:p")))
                yield _Paragraph(text, is_note=True)


def _levels(document: Any) -> dict[str, tuple[int, bool]]:
    """Per style: its heading level, own or inherited, and whether it is the title's."""
    found = {}
    for style in document.styles:
        chain, level = style, 0
        for _ in range(_LONGEST_CHAIN):
            match = _HEADING.fullmatch(chain.name or "")
            level = int(match[1]) if match else 0
            chain = getattr(chain, "base_style", None)
            if level or chain is None:
                break
        found[style.style_id] = (level, (style.name or "").lower() == "title")
    return found


def _walk(element: Any, levels: dict[str, tuple[int, bool]]) -> Iterator[_Paragraph]:
    """Paragraphs and table rows below an element, in reading order; content controls are looked into."""
    for child in element:
        if child.tag == qn("w:p"):
            level, is_title = levels.get(_style(child), (0, False))
            yield _Paragraph(_text(child), level, is_title)
        elif child.tag == qn("w:tbl"):
            yield from _rows(child)
        elif child.tag not in _SKIPPED and isinstance(child.tag, str):
            yield from _walk(child, levels)


def _rows(table: Any) -> Iterator[_Paragraph]:
    """Rows of a table as "cell | cell"; a table within a cell becomes part of that cell."""
    for row in table.iter(qn("w:tr")):
        if next(row.iterancestors(qn("w:tbl"))) is table:
            cells = [cell for cell in row.iter(qn("w:tc")) if next(cell.iterancestors(qn("w:tbl"))) is table]
            texts = [" ".join(_text(paragraph) for paragraph in cell.iter(qn("w:p"))) for cell in cells]
            yield _Paragraph(" | ".join(" ".join(text.split()) for text in texts) if any(texts) else "")


def _style(paragraph: Any) -> str:
    style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    return "" if style is None else str(style.get(qn("w:val")))


def _text(paragraph: Any) -> str:
    return "".join(_pieces(paragraph))


def _pieces(element: Any) -> Iterator[str]:
    for child in element:
        if child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag in _BREAKS:
            yield _BREAKS[child.tag]
        elif child.tag not in _SKIPPED and child.tag != qn("w:pPr") and isinstance(child.tag, str):
            yield from _pieces(child)


def _laid_out(found: list[_Paragraph]) -> tuple[str, list[Block]]:
    """One page of text, a line per paragraph, and what each line is."""
    lines: list[str] = []
    blocks: list[Block] = []
    start = 0
    for paragraph in found:
        text = normalised(paragraph.text)
        if not text:
            continue
        blocks.append(Block(0, start, start + len(text), paragraph.role, paragraph.level, text.replace("\n", " ")))
        lines.append(text)
        start += len(text) + 1
    return "\n".join(lines), blocks


def _metadata(document: Any) -> dict[str, str]:
    """What the file says of itself; python-docx would make up properties, dated now, for a file without any."""
    if not any(part.reltype == RELATIONSHIP_TYPE.CORE_PROPERTIES for part in document.part.package.rels.values()):
        return {}
    properties = document.core_properties
    names = ("title", "subject", "keywords", "author", "category", "version", "revision", "created", "modified")
    found = {name: normalised(str(getattr(properties, name, None) or ""))[:500] for name in names}
    return {name: value for name, value in found.items() if value}
