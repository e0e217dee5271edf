"""Files for the readers' tests, written byte by byte: well-formed ones, broken ones and bombs."""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence

Line = tuple[str, str, float, float, float]  # text, font (F1 regular, F2 bold), size, x, y

CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/'
    'vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONSHIPS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
    'officeDocument" Target="word/document.xml"/></Relationships>'
)
WORDPROCESSING = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


_ENCODING = b"<< /BaseEncoding /WinAnsiEncoding /Differences [1 /fi /fl] >>"


def objects_to_pdf(objects: Sequence[bytes], *, trailer: bytes = b"") -> bytes:
    """A PDF of numbered objects; object 1 is the catalogue."""
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n" % number + body + b"\nendobj\n")
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for offset in offsets:
        out.write(b"%010d 00000 n \n" % offset)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R " % (len(objects) + 1) + trailer + b">>\n")
    out.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()


def stream(data: bytes, filters: bytes = b"/FlateDecode") -> bytes:
    """A stream object of data that is already encoded."""
    return b"<< /Length %d /Filter %s >>\nstream\n" % (len(data), filters) + data + b"\nendstream"


def pdf(pages: Sequence[Sequence[Line]], *, title: str = "", entries: bytes = b"/MediaBox [0 0 612 792]") -> bytes:
    """A PDF of lines of text in Helvetica, on pages of 612 by 792 points; \x01 and \x02 are the ligatures fi and fl."""
    fonts = [
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding %s >>" % _ENCODING,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
    ]
    info = f"<< /Title ({title}) >>".encode("cp1252") if title else b"<< >>"
    contents = [stream(zlib.compress(_operators(lines))) for lines in pages]
    first = 6
    kids = b" ".join(b"%d 0 R" % (first + 2 * n) for n in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids),
        *fonts,
        info,
    ]
    for number, content in enumerate(contents):
        objects += [_page(first + 2 * number + 1, entries), content]
    return objects_to_pdf(objects, trailer=b"/Info 5 0 R ")


def _page(contents: int, entries: bytes) -> bytes:
    resources = b"<< /Font << /F1 3 0 R /F2 4 0 R >> >>"
    return b"<< /Type /Page /Parent 2 0 R %s /Resources %s /Contents %d 0 R >>" % (
        entries,
        resources,
        contents,
    )


def _operators(lines: Sequence[Line]) -> bytes:
    parts = []
    for text, font, size, x, y in lines:
        escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        parts.append(f"BT /{font} {size} Tf 1 0 0 1 {x} {y} Tm ({escaped}) Tj ET".encode("cp1252"))
    return b"\n".join(parts)


def paragraph(texts: Sequence[str], *, top: float, x: float = 72, size: float = 11) -> list[Line]:
    """Lines of regular text below each other."""
    return [(text, "F1", size, x, top - 14 * number) for number, text in enumerate(texts)]


def flate_bomb(expanded_bytes: int) -> bytes:
    """A PDF of one page whose contents expand enormously: zeros, compressed twice."""
    packer = zlib.compressobj(9)
    piece = bytes(1024 * 1024)
    once = b"".join(packer.compress(piece) for _ in range(expanded_bytes // len(piece))) + packer.flush()
    contents = stream(zlib.compress(once, 9), b"[/FlateDecode /FlateDecode]")
    return objects_to_pdf([*_one_page(), contents])


def _one_page() -> list[bytes]:
    return [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << >> /Contents 4 0 R >>",
    ]


def cyclic_page_tree() -> bytes:
    """A PDF whose page tree is its own child."""
    return objects_to_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 2 /Kids [3 0 R] /Parent 3 0 R >>",
            b"<< /Type /Pages /Count 2 /Kids [2 0 R] /Parent 2 0 R >>",
        ]
    )


def encrypted_pdf() -> bytes:
    """A PDF whose standard security handler needs a password that nobody gives."""
    digest = b"<" + b"5a" * 32 + b">"
    encrypt = b"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O " + digest + b" /U " + digest + b" >>"
    plain = [*_one_page(), stream(zlib.compress(b"")), encrypt]
    return objects_to_pdf(plain, trailer=b"/Encrypt 5 0 R /ID [<0123456789abcdef0123456789abcdef> <00>] ")


def archive(parts: Mapping[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive of parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return out.getvalue()


def word_parts(body: str, *, prolog: str = "") -> dict[str, bytes]:
    """The parts of a DOCX whose body is the XML given."""
    document = f'<?xml version="1.0"?>{prolog}<w:document {WORDPROCESSING}><w:body>{body}</w:body></w:document>'
    return {
        "[Content_Types].xml": CONTENT_TYPES.encode(),
        "_rels/.rels": RELATIONSHIPS.encode(),
        "word/document.xml": document.encode(),
    }


def word_parts_with_footnote(text: str, note: str) -> dict[str, bytes]:
    """The parts of a DOCX of one paragraph and one footnote."""
    parts = word_parts(word_paragraph(text))
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    override = f'<Override PartName="/word/footnotes.xml" ContentType="{kind}"/></Types>'
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(b"</Types>", override.encode())
    parts["word/_rels/document.xml.rels"] = (
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{office}/footnotes" Target="footnotes.xml"/></Relationships>'
    ).encode()
    body = f'<w:footnote w:id="1">{word_paragraph(note)}</w:footnote>'
    parts["word/footnotes.xml"] = f'<?xml version="1.0"?><w:footnotes {WORDPROCESSING}>{body}</w:footnotes>'.encode()
    return parts


def word_paragraph(text: str) -> str:
    """A paragraph of WordprocessingML."""
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"
