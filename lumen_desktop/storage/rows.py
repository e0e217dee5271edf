"""What every row class shares: how the audit trail names it and which of its fields it keeps.

A row's class says which fields are too personal or too large for the trail: those are replaced by a
salted digest, so that the trail proves what was stored without repeating it.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import DateTime, Dialect, TypeDecorator
from sqlmodel import SQLModel


class UtcTime(TypeDecorator[datetime]):
    """A time that is aware UTC on both sides; SQLite itself keeps no zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Into the database."""
        return value.astimezone(UTC).replace(tzinfo=None) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Out of it."""
        return value.replace(tzinfo=UTC) if value is not None else None


class Row(SQLModel):
    """Base of all rows.

    Attributes:
        entity: the noun in the audit trail.
        digested: fields of which only a salted digest goes into the trail; the row has a ``salt``.
        unaudited: fields that follow from others and are left out of the trail.
    """

    entity: ClassVar[str]
    digested: ClassVar[frozenset[str]] = frozenset()
    unaudited: ClassVar[frozenset[str]] = frozenset()

    def audited(self) -> dict[str, Any]:
        """The row as the trail keeps it: JSON values only."""
        salt = str(getattr(self, "salt", ""))
        return {
            name: digest(value, salt) if name in self.digested else _plain(value)
            for name, value in self.model_dump().items()
            if name not in self.unaudited
        }


def as_bytes(value: object) -> bytes:
    """What a column of bytes holds: whoever changes a row past its door may leave another type there."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def digest(value: object, salt: str) -> str:
    """Salted digest of a value; the salt is erased with the row, and with it the link to the text."""
    content = value if isinstance(value, bytes) else str(value).encode()
    return "salted-sha256:" + hashlib.sha256(salt.encode() + b"\0" + content).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return "sha256:" + hashlib.sha256(value).hexdigest()
    if isinstance(value, float):
        return repr(value)  # canonical JSON of a float differs between writers; its text does not
    return value
