"""From the bytes of one file to its text, page by page and section by section.

`reading` runs inside the reader's process (`child`); everybody else asks `client.ReaderProcess`.
No reader knows a path, a database or a network; what they refuse is one sentence with a code::

    LIB-001  empty file                                  LIB-009  too many pages
    LIB-002  larger than the limit                       LIB-010  too much text
    LIB-003  a kind of file that is not read             LIB-011  Word: archive past its limits
    LIB-004  an encoding that is not UTF-8 or UTF-16     LIB-012  Word: a part that declares a DOCTYPE
    LIB-005  no text in it                               LIB-013  Word: damaged
    LIB-006  PDF: pages without text, needs OCR          LIB-014  the reader ended (crash or memory)
    LIB-007  PDF: encrypted                              LIB-015  the reader took too long
    LIB-008  PDF: damaged                                LIB-016  the reader's answer breaks its own rules
                                                         LIB-017  several documents, to be taken apart first

Files in a public format (`formats.recognised`) are refused with that package's codes, FMT-….

`client.ReaderProcess.page` draws one page of a PDF and may refuse that::

    LIB-040  the reader ended while drawing              LIB-043  no page of that number in the file
    LIB-041  drawing took too long                       LIB-044  this page is damaged
    LIB-042  the drawn page breaks the reader's rules
"""

from lumen_desktop.domain.library import Extract
from lumen_desktop.errors import InputError
from lumen_desktop.formats import recognised
from lumen_desktop.formats.office import Reading

_WORD_PART = b"word/document.xml"
_ZIP = b"PK\x03\x04"
_HEAD_BYTES = 1024
_TO_TEXT = "Save it as PDF, DOCX, Markdown or plain text and add that."
_REFUSED = (
    (b"\x7fELF", "a program", "Only documents can be added to a library."),
    (b"MZ", "a program", "Only documents can be added to a library."),
    (b"\x80\x02", "a Python pickle", "Only documents can be added to a library."),
    (b"\x80\x03", "a Python pickle", "Only documents can be added to a library."),
    (b"\x80\x04", "a Python pickle", "Only documents can be added to a library."),
    (b"\x80\x05", "a Python pickle", "Only documents can be added to a library."),
    (b"\x89PNG", "an image", "Run text recognition (OCR) on it and add the resulting PDF."),
    (b"\xff\xd8\xff", "an image", "Run text recognition (OCR) on it and add the resulting PDF."),
    (b"GIF8", "an image", "Run text recognition (OCR) on it and add the resulting PDF."),
    (b"II*\x00", "an image", "Run text recognition (OCR) on it and add the resulting PDF."),
    (b"MM\x00*", "an image", "Run text recognition (OCR) on it and add the resulting PDF."),
    (b"\xd0\xcf\x11\xe0", "an old Office document", "Save it as DOCX or PDF and add that."),
    (b"{\\rtf", "rich text (RTF)", _TO_TEXT),
    (b"<?xml", "XML of an unknown kind", _TO_TEXT),
    (b"\x1f\x8b", "a compressed archive", "Unpack it and add the documents inside."),
    (_ZIP, "a ZIP archive and not a Word document", "Unpack it and add the documents inside."),
    (b"7z\xbc\xaf", "a compressed archive", "Unpack it and add the documents inside."),
    (b"Rar!", "a compressed archive", "Unpack it and add the documents inside."),
)


def read(name: str, content: bytes) -> Extract:
    """Reads one file to its end.

    Args:
        name: the file's name, for its title and to tell Markdown from plain text.
        content: all of its bytes.

    Raises:
        InputError: LIB-001 to LIB-013, see the table above.
    """
    steps = reading(name, content)
    while True:
        try:
            next(steps)
        except StopIteration as finished:
            extract: Extract = finished.value
            return extract


def reading(name: str, content: bytes) -> Reading:
    """Reads one file and yields (pages done, pages in all) on the way; returns the extract.

    What the bytes are decides, never the name: a program called ``report.pdf`` is refused.

    Raises:
        InputError: LIB-001 to LIB-013, see the table above.
    """
    if not content or content.isspace():
        raise InputError("The file is empty.", code="LIB-001", hint="Add a file that holds text.")
    head = content[:_HEAD_BYTES]
    if b"%PDF-" in head:
        from lumen_desktop.formats.office import pdf  # noqa: PLC0415 - native code: the reader's process only

        return (yield from pdf.reading(name, content))
    if head.startswith(_ZIP) and _WORD_PART in content:
        from lumen_desktop.formats.office import word  # noqa: PLC0415 - the reader's process only

        return word.read(name, content)
    if holds_public(content):
        from lumen_desktop.retrieval.readers import public  # noqa: PLC0415 - as above

        return public.read(name, content)
    _refuse_by_head(head)
    if name.lower().endswith((".json", ".jsonl")):
        raise InputError("The file is JSON of an unknown kind, which is not read.", code="LIB-003", hint=_TO_TEXT)
    from lumen_desktop.formats.office import plain  # noqa: PLC0415 - as above, one way for all

    return plain.read(name, content)


def holds_public(content: bytes) -> bool:
    """Whether a file is in a public format, or packs at least one that is."""
    if not recognised.is_packed(content):
        return recognised.of(content) is not None
    return _WORD_PART not in content and recognised.packs_one(content)


def may_hold_many(content: bytes) -> bool:
    """Whether `client.ReaderProcess.parts` must be asked; looks at bytes and parses nothing, for any process."""
    return recognised.of(content) is not None or (recognised.is_packed(content) and _WORD_PART not in content)


def _refuse_by_head(head: bytes) -> None:
    for magic, what, hint in _REFUSED:
        if head.startswith(magic):
            raise InputError(f"The file is {what}, which is not read.", code="LIB-003", hint=hint)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        raise InputError("The file is a web page, which is not read.", code="LIB-003", hint=_TO_TEXT)
