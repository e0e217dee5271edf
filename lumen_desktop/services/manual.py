"""The user manual: Markdown pages under `resources/help`, the same text in the window and in the terminal.

A page's file is called ``NN-name.md``; its first line is its title. Links between pages are ``name.md``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from lumen_desktop import paths
from lumen_desktop.errors import InputError

_LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        name: what links and `lumen help` call it.
        title: its heading.
        text: Markdown, heading included.
    """

    name: str
    title: str
    text: str

    @property
    def links(self) -> tuple[str, ...]:
        """Targets of its links."""
        return tuple(target for _, target in _LINK.findall(self.text))

    def plain(self) -> str:
        """For a terminal: without the marks of links and emphasis."""
        words = _LINK.sub(lambda found: f"{found[1]} (`{found[2].removesuffix('.md')}`)", self.text)
        return re.sub(r"\*\*([^*]+)\*\*", r"\1", words).replace("`", "")


@cache
def pages() -> tuple[Page, ...]:
    """All pages, in the order of the manual."""
    return tuple(
        Page(file.stem.partition("-")[2], text.partition("\n")[0].lstrip("# "), text)
        for file in sorted((paths.resources() / "help").glob("*.md"))
        for text in [file.read_text(encoding="utf-8")]
    )


def page(name: str) -> Page:
    """One page.

    Raises:
        InputError: there is none of that name (HLP-001).
    """
    found = next((page for page in pages() if page.name == name), None)
    if found is None:
        names = ", ".join(page.name for page in pages())
        raise InputError("The manual has no page of that name.", code="HLP-001", hint=f"There are: {names}.")
    return found


def search(words: str) -> Sequence[Page]:
    """Pages that hold each of these words, those with them in the title first."""
    wanted = words.casefold().split()
    found = [page for page in pages() if all(word in page.text.casefold() for word in wanted)]
    return sorted(found, key=lambda page: not all(word in page.title.casefold() for word in wanted))
