"""Releasing source documents into use at a GMP site, and taking documents out of use again, by signatures.

A document that a person brings awaits its release: it is quoted with a mark. Reviewed and approved by two others it is
in use; rejected or withdrawn it is no longer searched, and answers that quoted it keep their quotes.

Source: EU GMP chapter 4, 4.2 to 4.5 (documents are approved, superseded ones taken out of use).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lumen_desktop.domain.library import ReleaseState
from lumen_desktop.domain.names import shown
from lumen_desktop.domain.permissions import Act
from lumen_desktop.domain.signing import RELEASE, Given, Kind, Meaning, in_force
from lumen_desktop.errors import InputError
from lumen_desktop.services.authority import Authority
from lumen_desktop.services.signing import Record, Signature, Signing, Wish
from lumen_desktop.storage import accounts, signatures
from lumen_desktop.storage import library as stored
from lumen_desktop.storage.database import Database, Transaction

_ENDS = {Meaning.REJECTED: ReleaseState.REJECTED, Meaning.WITHDRAWN: ReleaseState.WITHDRAWN}


class Releases:
    """The release of source documents at one site.

    Args:
        database: the site's.
        authority: who looks, and whether they may.
        signing: gives the signatures.
        level: brings the vector index level after documents went.
    """

    def __init__(
        self, database: Database, authority: Authority, signing: Signing, *, level: Callable[[], None]
    ) -> None:
        self._database = database
        self._authority = authority
        self._signing = signing
        self._level = level

    def record(self, document_id: int) -> Record:
        """What is signed to release a document: which file it is, byte for byte, and what was read from it.

        Of a document that was removed since, what was signed of it is left: it can be read and printed.

        Raises:
            AccessError: not permitted.
            InputError: there is no such document (SIG-007).
        """
        self._authority.authorize(Act.READ_LIBRARY)
        with self._database.reading() as session:
            row = stored.document(session, document_id)
            signed = signatures.of_record(session, Kind.SOURCE_DOCUMENT, document_id)
            left = json.loads(signed[-1].content) if signed and row is None else None
            content = left or _content(session, document_id)
        return Record(
            Kind.SOURCE_DOCUMENT, document_id, content["title"], content, author_id=row.added_by or 0 if row else 0,
            again=lambda session: _content(session, document_id),
        )  # fmt: skip

    def state(self, document_id: int) -> ReleaseState:
        """Whether a document is in use now.

        Raises:
            InputError: there is no such document (SIG-007).
        """
        with self._database.reading() as session:
            return ReleaseState(_document(session, document_id).release_state)

    def sign(self, record: Record, wish: Wish) -> Signature:
        """Signs the next step of a document's release, its rejection, or its withdrawal.

        Raises:
            LumenError: as `Signing.sign`.
        """
        assert record.number is not None
        number = record.number

        def then(transaction: Transaction, given: Sequence[Given]) -> None:
            document = transaction.session.get_one(stored.DocumentRow, number)
            state = ReleaseState.IN_USE if in_force(RELEASE, given) else _ENDS.get(wish.meaning)
            if state is not None and state != document.release_state:
                stored.set_release(transaction, document, state)

        signature = self._signing.sign(record, wish, then=then)
        if wish.meaning in _ENDS:
            self._level()
        return signature


def _document(session: Any, document_id: int) -> stored.DocumentRow:
    row = stored.document(session, document_id)
    if row is None:
        raise InputError(
            "There is no document of that number.", code="SIG-007", hint="`lumen library list` shows the numbers."
        )
    return row


def _content(session: Any, document_id: int) -> dict[str, Any]:
    """The canonical content of a release record: JSON values, no floats."""
    row = _document(session, document_id)
    collection = session.get_one(stored.CollectionRow, row.collection_id)
    adder = accounts.by_id(session, row.added_by or 0)
    said: Mapping[str, Any] = {
        "title": shown(row.title), "file": shown(row.name), "sha256": row.sha256, "size_bytes": row.size_bytes,
        "pages": row.pages, "collection": collection.name, "kind": row.kind, "subject": row.subject,
        "edition": row.edition, "as_of": row.as_of, "currency": row.currency,
        "added_utc": row.added_utc.isoformat(timespec="seconds"), "added_by": adder.name if adder else "",
        "text_sha256": stored.text_digest(session, document_id),
    }  # fmt: skip
    return {"record": "release of a source document", "document": row.id, **said}
