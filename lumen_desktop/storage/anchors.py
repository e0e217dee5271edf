"""Anchors as rows of the database and as lines of the file beside it.

An anchor is committed in the database first, then appended to ``anchors.jsonl``, which holds numbers, times and hashes
only. The file is therefore at every moment the beginning of what the database has, and at most one line behind, even
after a kill; whatever else it is was done by somebody else. Knows no schedule: the audit service says when.
"""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import rfc8785
from sqlmodel import Field, Session, col, select

from lumen_desktop.domain.anchors import Anchor, Outside, check, signed_bytes
from lumen_desktop.domain.audit import Fault, Verdict, flaw, genesis
from lumen_desktop.errors import InputError, IntegrityError
from lumen_desktop.storage import audit, seals
from lumen_desktop.storage.audit import AuditEventRow
from lumen_desktop.storage.folder import unwritable
from lumen_desktop.storage.rows import Row, as_bytes

FILE = "anchors.jsonl"
_FIELDS = {"head", "key", "n", "previous", "signature", "time_utc"}


class AuditAnchorRow(Row, table=True):
    """One anchor.

    Attributes:
        n: number of the event that it vouches for.
        line: what it says, as in the file, with the line's end.
        ends_at: size of the file with this line, bytes.
        why: the occasion.
    """

    __tablename__ = "audit_anchor"
    entity: ClassVar[str] = "audit_anchor"

    n: int = Field(primary_key=True)
    line: bytes
    ends_at: int
    why: str


def make(session: Session, site_id: str, *, now: datetime, why: str) -> AuditAnchorRow | None:
    """Adds an anchor of the trail's head, inside the caller's writing session; None where the head has one.

    It is no audit event: it would move the head that it vouches for.
    """
    last, event = newest(session), _last_event(session)
    if event is None or (last and last.n == event.seq):
        return None
    key = seals.public_key(session)
    assert key is not None
    body: dict[str, Any] = {
        "n": event.seq,
        "head": event.hash.hex(),
        "time_utc": now.isoformat(timespec="microseconds"),
        "previous": (parsed(last.line, key).hash if last else genesis(site_id)).hex(),
        "key": key.hex(),
    }
    signature = seals.sign(session, signed_bytes(rfc8785.dumps(body))).hex()
    line = rfc8785.dumps({**body, "signature": signature}) + b"\n"
    row = AuditAnchorRow(n=event.seq, line=line, ends_at=(last.ends_at if last else 0) + len(line), why=why)
    session.add(row)
    session.flush()
    return row


def newest(session: Session) -> AuditAnchorRow | None:
    """The last anchor in the database."""
    return session.exec(select(AuditAnchorRow).order_by(col(AuditAnchorRow.n).desc()).limit(1)).first()


def _last_event(session: Session) -> AuditEventRow | None:
    return session.exec(select(AuditEventRow).order_by(col(AuditEventRow.seq).desc()).limit(1)).first()


def lines(session: Session) -> list[bytes]:
    """What all anchors in the database say, as in the file."""
    return list(session.exec(select(AuditAnchorRow.line).order_by("n")).all())


def parsed(line: bytes, key: bytes | None) -> Anchor:
    """An anchor from its line.

    Args:
        line: with or without the line's end.
        key: the site's public key.

    Raises:
        ValueError: it is none.
    """
    fields: Any = json.loads(line)
    if not isinstance(fields, dict) or set(fields) != _FIELDS or type(fields["n"]) is not int:
        raise ValueError("not an anchor")
    values = {name: bytes.fromhex(fields[name]) for name in ("head", "previous", "key", "signature")}
    time = datetime.fromisoformat(fields["time_utc"])
    if time.utcoffset() is None:
        raise ValueError("a time without a zone")
    body = rfc8785.dumps({name: value for name, value in fields.items() if name != "signature"})
    anchor = Anchor(fields["n"], values["head"], time, values["previous"], body)
    genuine = seals.verify(values["key"], values["signature"], signed_bytes(body))
    return replace(anchor, genuine=genuine, ours=values["key"] == key)


def _of_row(n: int, line: bytes, key: bytes | None) -> Anchor:
    """The anchor of a row; where its line is none, one that is not genuine."""
    try:
        anchor = parsed(line, key)
    except (ValueError, TypeError, RecursionError):
        anchor = None
    if anchor is None or anchor.n != n:
        return Anchor(n, b"", datetime.min.replace(tzinfo=UTC), b"", line, genuine=False, ours=False)
    return anchor


def _readable(lines: Sequence[bytes], key: bytes | None, known: Mapping[bytes, Anchor]) -> list[Anchor]:
    """The anchors among lines that may be anything; those known already are not verified twice."""
    anchors = []
    for line in lines:
        with contextlib.suppress(ValueError, TypeError, RecursionError):
            anchors.append(known.get(line) or parsed(line, key))
    return anchors


def read(path: Path) -> bytes:
    """Content of an anchors file; empty where there is none.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise unwritable(path.parent, error) from error


def verify(session: Session, site_id: str, path: Path, *, elsewhere: Sequence[Path] = ()) -> Verdict:
    """Checks the whole chain against the anchors in the database and outside it.

    Args:
        session: a reading session.
        site_id: whose trail it is.
        path: the anchors file.
        elsewhere: copies of it that were kept in other places.

    Source: 21 CFR 11.10(a), (e).
    """
    before = read(path)  # a writer beside us appends to the database first: this is never ahead of what follows
    kept = [
        (n, as_bytes(line))
        for n, line in session.exec(select(AuditAnchorRow.n, AuditAnchorRow.line).order_by("n")).all()
    ]
    outside = _compared(kept, before, read(path))
    key = seals.public_key(session)
    known = {line: _of_row(n, line, key) for n, line in kept}
    copies = [anchor for copy in elsewhere for anchor in _copied(copy, key, known)]
    anchors = [*_readable(before.splitlines(keepends=True), key, known), *copies]
    outside = replace(outside, anchors=sorted(anchors, key=lambda anchor: anchor.n))
    return check(audit.chain(session), list(known.values()), outside, site_id=site_id)


def _copied(path: Path, key: bytes | None, known: Mapping[bytes, Anchor]) -> list[Anchor]:
    if found := _readable(read(path).splitlines(keepends=True), key, known):
        return found
    raise InputError(
        "The file that was named holds no anchor.", code="AUD-004", hint="Name a copy of this site's anchors.jsonl."
    )


def _compared(kept: Sequence[tuple[int, bytes]], before: bytes, after: bytes) -> Outside:
    """How the file stands to the database: read once before the database's state was taken, and once after."""
    start = 0
    for n, line in kept:
        if not line.startswith(before[start : start + len(line)]):
            return Outside(fault=Fault.APART, n=n)
        start += len(line)
    if len(before) > start:
        return Outside(fault=Fault.APART, n=kept[-1][0] + 1 if kept else 1)
    end = 0
    for n, line in kept[:-1]:  # the last one may have been committed a moment ago, or just before a kill
        end += len(line)
        if len(after) < end:
            return Outside(fault=Fault.FILE_SHORT, n=n)
    return Outside()


def end_is_right(session: Session, site_id: str, path: Path) -> bool:
    """Whether the last anchor is in the file, is ours, and the chain holds from its event to the head: quick.

    False says that something may be wrong, or that the file is more than a line behind: `verify` tells what.
    """
    last = newest(session)
    size = path.stat().st_size if path.exists() else 0
    if last is None:
        return size == 0 and check(audit.chain(session), [], Outside(), site_id=site_id).fault is Fault.NONE
    line = as_bytes(last.line)
    start = last.ends_at - len(line)
    if not start <= size <= last.ends_at or not line.startswith(_tail(path, start)):
        return False
    anchor = _of_row(last.n, line, seals.public_key(session))
    return anchor.genuine and anchor.ours and _holds_from(session, anchor)


def _tail(path: Path, start: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read()
    except FileNotFoundError:
        return b""


def _holds_from(session: Session, anchor: Anchor) -> bool:
    """Whether the anchor's own event is as it was, and each later one follows."""
    head, expected = b"", anchor.n
    for event in audit.chain(session, first=anchor.n):
        if flaw(event, expected, head or event.previous) or (not head and event.hash != anchor.head):
            return False
        head, expected = event.hash, expected + 1
    return bool(head)


def write_out(path: Path, row: AuditAnchorRow) -> None:
    """Brings the file from the anchor before to this one; a line that a kill or a full disk cut is completed.

    Raises:
        IntegrityError: the file is not what it was left as (AUD-003).
        StorageError: it cannot be written.
    """
    try:
        new = not path.exists()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags, 0o600)
        try:
            missing = row.ends_at - os.fstat(descriptor).st_size
            if not 0 <= missing <= len(row.line):
                raise _not_as_left()
            rest = row.line[len(row.line) - missing :]
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if new and os.name == "posix":
            _sync_folder(path.parent)
    except OSError as error:
        raise unwritable(path.parent, error) from error


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def behind(session: Session, path: Path) -> list[AuditAnchorRow]:
    """The anchors that the file lacks, whole or in part, oldest first; the file is known to be a true beginning."""
    size = path.stat().st_size if path.exists() else 0
    query = select(AuditAnchorRow).where(col(AuditAnchorRow.ends_at) > size)
    return list(session.exec(query.order_by(col(AuditAnchorRow.n))).all())


def _not_as_left() -> IntegrityError:
    return IntegrityError(
        "The anchors file was changed by another program.",
        code="AUD-003",
        hint="Run `lumen audit verify`; do not change anchors.jsonl.",
    )
