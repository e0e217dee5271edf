"""What a dialog about a record needs to know of it, read off the interface's thread at one go.

`record` and `dialog` show it; the services are asked nothing else before somebody signs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumen_desktop.domain.signing import Meaning
from lumen_desktop.services.signing import Record, Signature
from lumen_desktop.services.signing import status as signing_status

if TYPE_CHECKING:
    from lumen_desktop.app import Site
    from lumen_desktop.domain.accounts import User
    from lumen_desktop.services.sources import Sheets

ReadRecord = Callable[[], Record]


@dataclass(frozen=True, slots=True)
class Read:
    """A record as it is now.

    Attributes:
        record: it.
        sheets: its pages.
        signatures: given on it, each checked.
        status: how far it is, in words.
        me: who is signed in.
        meanings: what may be signed now, each with why this person may not, empty where they may.
        needs_user: whether the user name is asked for beside the password.
    """

    record: Record
    sheets: Sheets
    signatures: Sequence[Signature]
    status: str
    me: User
    meanings: Mapping[Meaning, str]
    needs_user: bool


def read(site: Site, record_now: ReadRecord) -> Read:
    """Reads a record and all that is said beside it; nothing is written by a look.

    Raises:
        LumenError: the record cannot be read or printed.
    """
    record = record_now()
    signing = site.signing
    signatures = signing.on(record)
    return Read(
        record=record,
        sheets=site.sources.sheets(signing.printed(record, preview=True)),
        signatures=signatures,
        status=signing_status(record, signatures),
        me=site.people.me(),
        meanings={step.meaning: signing.hindrance(record, step.meaning) for step in signing.steps(record)},
        needs_user=signing.needs_user,
    )
