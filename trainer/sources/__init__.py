"""Readers of public sources, one module each, over files that the user has downloaded; none opens an address.

A module here says in a `Source` where its bulk files are had and how its files are read; `ALL` in `trainer.sources.all`
names them in the order they are listed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeAlias

from lumen_desktop.formats.document import Fault, PublicDocument

Reader: TypeAlias = Callable[[BinaryIO, str], Iterator[PublicDocument | Fault]]


@dataclass(frozen=True, slots=True)
class Source:
    """One public source.

    Attributes:
        name: in the configuration and in every record, lower case.
        title: as people call it.
        publisher: who gives it out; named in the attribution.
        licence: identifier in `trainer.licences` where a file does not say itself; empty where only files say it.
        how: how to get its bulk files, sentences.
        url: the page to begin at.
        size: what to expect, in words, with the year it was counted.
        endings: what its files' names end with, lower case; those inside archives too. Where ".zip" is the only one,
            the reader takes the closed zip itself, because the files in it belong together.
        read: the documents of one file. Takes the bytes as a stream (an archive's members and gzip are opened by
            `trainer.collect`) and the file's name, from the folder that the user named, with "!" before a name inside
            an archive; raises `InputError` for a file that cannot be read on.
        on: whether it is used where the configuration does not say.
        terms: what its user must accept first, one sentence; empty where there is nothing to accept.
        companions: files that the reader wants besides, such as a list of withdrawals: name to one sentence.
        reader: makes a reader that goes by the companions that the configuration names; called where it names any.
    """

    name: str
    title: str
    publisher: str
    licence: str
    how: str
    url: str
    size: str
    endings: tuple[str, ...]
    read: Reader
    on: bool = True
    terms: str = ""
    companions: Mapping[str, str] = field(default_factory=dict)
    reader: Callable[[Mapping[str, Path]], Reader] | None = None
