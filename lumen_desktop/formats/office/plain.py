"""Plain text and Markdown files.

Text is UTF-8, or UTF-16 with a byte order mark. No other encoding is guessed: a wrong guess changes
"µg" silently. Bytes that are no UTF-8 are replaced and counted up to 0.5 % of the characters.

Of Markdown, what a rendered page would show is kept: marks of emphasis and code, link targets, comments
and escapes go, so that a quote reads and is found as the page shows it. Bullets and numbers of lists
stay; a table's rows are lines "cell | cell".
"""

import codecs
import re
from dataclasses import dataclass, field

from lumen_desktop.domain.library import Extract, normalised
from lumen_desktop.errors import InputError
from lumen_desktop.formats.office.outline import Block, Role, numbering, sections

MOST_CHARACTERS = 100 * 1024 * 1024
_MOST_REPLACED = 0.005
_MOST_CONTROLS = 0.005
_MARKDOWN = (".md", ".markdown", ".mdown")
_FRONT_MATTER_LINES = 100
_CAPITALS_WORDS = 10

_FRONT = re.compile(r"([A-Za-z_][\w -]{0,40}):\s*(.*)")
_HASHES = re.compile(r" {0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*")
_UNDERLINE = re.compile(r" {0,3}(=+|-+|~+)\s*")
_RULE = re.compile(r" {0,3}(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INLINE = (
    (re.compile(r"!?\[([^\]\[]*)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)"), r"\1"),
    (re.compile(r"(`+)(.+?)\1"), r"\2"),
    (re.compile(r"(\*{1,3})(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<!\w)(_{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)"), r"\2"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"), r"\1"),
    (re.compile(r"\\([\\`*_{}\[\]()#+.!|>~-])"), r"\1"),
)


def read(name: str, content: bytes) -> Extract:
    """Reads a text; the file's ending tells Markdown from plain text and nothing else.

    Raises:
        InputError: not a text (LIB-003), not UTF-8 (LIB-004), too long (LIB-010), nothing in it (LIB-005).
    """
    text, notices = _decoded(content)
    markdown = name.lower().endswith(_MARKDOWN)
    metadata, body = _front_matter(text) if markdown else ({}, text)
    parsed = _markdown(body) if markdown else _plain(body)
    if not parsed.lines:
        raise InputError("The file holds no text.", code="LIB-005", hint="Add a file that holds text.")
    title = parsed.take_title(metadata.get("title", "")) or name.rsplit(".", 1)[0]
    return Extract(
        title=title,
        pages=("\n".join(parsed.lines),),
        paged=False,
        sections=sections(parsed.blocks()),
        metadata=metadata,
        notices=tuple(notices),
    )


def _decoded(content: bytes) -> tuple[str, list[str]]:
    """The text of a file, and what was lost on the way."""
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    text = content.decode(encoding, errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    already = content.count("\ufffd".encode()) if encoding == "utf-8-sig" else 0
    replaced = text.count("\ufffd") - already
    controls = sum(text.count(chr(code)) for code in range(32) if chr(code) not in "\t\n\f\x1b")
    if controls > _MOST_CONTROLS * len(text):
        raise InputError("The file is not a text.", code="LIB-003", hint="Add PDF, DOCX, Markdown or plain text.")
    if replaced > _MOST_REPLACED * len(text):
        raise InputError(
            "The text is not encoded in UTF-8, so that its characters are uncertain.",
            code="LIB-004",
            hint="Open it in its program and save it with the encoding UTF-8.",
        )
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            "The file holds more than 100 MB of text.", code="LIB-010", hint="Split it into several files."
        )
    lost = [f"{replaced} characters were not valid UTF-8 and were replaced by a mark."] if replaced > 0 else []
    return text, lost


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """Keys and values between two lines "---" that open a file, and the text after them."""
    lines = text.split("\n")
    if lines[0].strip() != "---":
        return {}, text
    closing = next((n for n, line in enumerate(lines[1:_FRONT_MATTER_LINES], 1) if line.strip() in {"---", "..."}), 0)
    pairs = [match for line in lines[1:closing] if (match := _FRONT.fullmatch(line.strip()))]
    if not pairs:
        return {}, text
    values = {pair[1].strip().lower(): normalised(pair[2]).strip("\"'")[:2000] for pair in pairs}
    return {key: value for key, value in values.items() if value}, "\n".join(lines[closing + 1 :])


@dataclass(slots=True)
class _Parsed:
    """Lines as they will stand on the page; headings by line number, as (level, text)."""

    lines: list[str] = field(default_factory=list)
    headings: dict[int, tuple[int, str]] = field(default_factory=dict)
    title_line: int | None = None

    def add(self, text: str, level: int = 0) -> None:
        """Adds a line unless it is empty; with a level it is a heading."""
        line = normalised(text)
        if line and level:
            self.headings[len(self.lines)] = (level, line)
        if line:
            self.lines.append(line)

    def take_title(self, given: str) -> str:
        """The title given, else the heading that opens the text.

        An opening heading that is the title, alone on its level, leaves the section paths: the title
        stands in every passage's header anyhow.
        """
        level, text = self.headings.get(0, (0, ""))
        alone = sum(held <= level for held, _ in self.headings.values()) == 1
        if text and alone and given in {"", text}:
            self.title_line = 0
        return given or text

    def blocks(self) -> list[Block]:
        """The lines with their roles."""
        start = 0
        found = []
        for number, line in enumerate(self.lines):
            level, text = self.headings.get(number, (0, ""))
            role = Role.HEADING if level else Role.TEXT
            if number == self.title_line and len(self.lines) > 1:
                role = Role.LEFT_OUT
            found.append(Block(0, start, start + len(line), role, level, text))
            start += len(line) + 1
        return found


def _markdown(text: str) -> _Parsed:
    parsed = _Parsed()
    fenced = False
    lines = _COMMENT.sub("", text).split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if _FENCE.match(line):
            fenced = not fenced
        elif fenced:
            parsed.add(line)
        else:
            _markdown_line(parsed, line, following)
    return parsed


def _markdown_line(parsed: _Parsed, line: str, following: str) -> None:
    hashes = _HASHES.fullmatch(line)
    underlined = _UNDERLINE.fullmatch(following)
    if hashes:
        parsed.add(_shown(hashes[2] or ""), level=len(hashes[1]))
    elif _UNDERLINE.fullmatch(line) or _RULE.fullmatch(line) or ("|" in line and _TABLE_RULE.fullmatch(line)):
        return
    elif underlined and underlined[1][0] in "=-" and _is_paragraph(line):
        parsed.add(_shown(line), level=1 if underlined[1][0] == "=" else 2)
    else:
        parsed.add(_shown(_unquoted(line)))


def _is_paragraph(line: str) -> bool:
    return bool(line.strip()) and "|" not in line and not line.lstrip().startswith(("-", "*", ">", "+"))


def _unquoted(line: str) -> str:
    """A line without the marks of a quotation, and a table's row as its cells."""
    stripped = line.strip()
    while stripped.startswith(">"):
        stripped = stripped[1:].lstrip()
    if stripped.startswith("|") and stripped.endswith("|") and len(stripped) > 1:
        return " | ".join(cell.strip() for cell in stripped[1:-1].split("|"))
    return stripped


def _shown(line: str) -> str:
    for pattern, instead in _INLINE:
        line = pattern.sub(instead, line)
    return line


def _plain(text: str) -> _Parsed:
    """Headings of plain text: underlined, in capitals, or numbered, and set off by empty lines."""
    parsed = _Parsed()
    lines = text.replace("\f", "\n").split("\n")
    for number, line in enumerate(lines):
        before = lines[number - 1].strip() if number else ""
        after = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if _is_underline(line, before):
            continue
        parsed.add(line, level=_plain_level(line.strip(), before, after))
    return parsed


def _is_underline(line: str, over: str) -> bool:
    return bool(over) and bool(_UNDERLINE.fullmatch(line)) and len(line.strip()) >= max(3, len(over) // 2)


def _plain_level(line: str, before: str, after: str) -> int:
    """Level of the heading that a line is, 0 for text."""
    if not line:
        return 0
    if _is_underline(after, line):
        return 1 if after.startswith("=") else 2
    words = line.split()
    if before or len(words) > _CAPITALS_WORDS or line.endswith((".", ",", ";", ":", "?", "!")):
        return 0
    number = numbering(line)
    if number and number.kind == "arabic" and not after and words[1:] and words[1][0].isupper():
        return number.depth
    if number and number.kind == "part":
        return 1
    is_capitals = line.isupper() and sum(character.isalpha() for character in line) > 4  # noqa: PLR2004 - "NOTE" is none
    return 1 if is_capitals else 0
