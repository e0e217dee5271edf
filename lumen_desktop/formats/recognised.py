"""Which public format a file is, told by its bytes and never by its name, and its documents.

The app's readers ask this before they take a file for plain text. The trainer does not: its user names the source.
"""

import importlib
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from lumen_desktop.errors import InputError
from lumen_desktop.formats import archives
from lumen_desktop.formats.document import Fault, PublicDocument

LARGEST_BYTES = 1024**3  # what a packed file may unpack to; a release is for the trainer
_HEAD_BYTES = 8192
_GZIP = b"\x1f\x8b"
_PROLOGUE = re.compile(rb"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\])?\s*>|\s)*", re.DOTALL)
_ROOT = re.compile(rb"<(?:[\w.-]+:)?([\w.-]+)([^>]*)")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_XML_ROOTS = {
    b"PubmedArticleSet": "pubmed", b"PubmedArticle": "pubmed", b"article": "jats", b"pmc-articleset": "jats",
    b"ECFR": "ecfr", b"DLPSTEXTCLASS": "ecfr",
}  # fmt: skip
_JSON = (
    ("kept", re.compile(rb'^\{"lumen_public_document":')),
    ("ema", re.compile(rb'"ema_id"|"resourceType"\s*:\s*"Bundle"')),
    ("openfda", re.compile(rb'^\{\s*"meta"\s*:\s*\{.*"(?:disclaimer|results)"|"set_id"', re.DOTALL)),
)


def of(content: bytes) -> str | None:
    """The module here that parses what these bytes are, unpacked; None for anything else."""
    head = content[:_HEAD_BYTES].removeprefix(_BYTE_ORDER_MARK).lstrip()
    if head.startswith(b"<"):
        return _of_xml(head)
    if head.startswith(b"{"):
        return next((module for module, mark in _JSON if mark.search(head)), None)
    return None


def is_packed(content: bytes) -> bool:
    """Whether it is an archive in which public documents may lie."""
    return content.startswith(_GZIP) or archives.is_zip(content)


def packs_one(content: bytes) -> bool:
    """Whether an archive holds at least one file in a public format; one that cannot be opened holds none."""
    try:
        return any(of(stream.read(_HEAD_BYTES)) is not None for stream, _ in _unpacked(content, ""))
    except InputError:
        return False


def documents(content: bytes, name: str) -> Iterator[PublicDocument | Fault]:
    """The documents of a file in a public format, unpacked first where it is packed.

    Args:
        content: all of its bytes.
        name: its name, for titles.

    Raises:
        InputError: none of the formats (FMT-003), or as the format's parser says.
    """
    if not is_packed(content):
        yield from _parsed(content, name)
    for stream, inner in _unpacked(content, name) if is_packed(content) else ():
        yield from _parsed(stream.read(), inner)


def _unpacked(content: bytes, name: str) -> Iterator[tuple[BinaryIO, str]]:
    if content.startswith(_GZIP):
        yield archives.unpacked(io.BytesIO(content), largest_bytes=LARGEST_BYTES), name
        return
    for member in archives.members(io.BytesIO(content), endings=(".xml", ".json"), largest_bytes=LARGEST_BYTES):
        yield member.stream, member.names[-1]


def _parsed(content: bytes, name: str) -> Iterator[PublicDocument | Fault]:
    module = of(content)
    if module is None:
        raise InputError(
            "The file is in none of the public formats that are read.",
            code="FMT-003",
            hint="Read are SPL and openFDA labels, EMA leaflets, eCFR, PubMed and JATS.",
        )
    # only the process that reads imports a parser
    parser = importlib.import_module(f"lumen_desktop.formats.{module}")
    yield from parser.documents(io.BytesIO(content), name)


def _of_xml(head: bytes) -> str | None:
    prologue = _PROLOGUE.match(head)
    root = _ROOT.match(head, prologue.end() if prologue else 0)
    if root is None:
        return None
    if root[1] == b"document":
        return "spl" if b"urn:hl7-org:v3" in root[2] else None
    return _XML_ROOTS.get(root[1])
