"""The site's seal: an Ed25519 key made once, which signs anchors and whatever else the site vouches for.

It lies in the encrypted database; making it is an audit event that tells the public key. The only place of Ed25519.
"""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Column
from sqlmodel import Field, Session

from lumen_desktop.storage.rows import Row, UtcTime

if TYPE_CHECKING:
    from lumen_desktop.storage.database import Transaction


class SiteSealRow(Row, table=True):
    """The one seal of a site."""

    __tablename__ = "site_seal"
    entity: ClassVar[str] = "site_seal"
    unaudited: ClassVar[frozenset[str]] = frozenset({"private_key"})

    id: int = Field(default=1, primary_key=True)
    algorithm: str = "Ed25519"
    public_key: str
    private_key: bytes
    made_utc: datetime = Field(sa_column=Column(UtcTime, nullable=False))


def make(transaction: "Transaction", now: datetime) -> None:
    """Makes the site's seal where it has none."""
    if transaction.session.get(SiteSealRow, 1) is None:
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw().hex()
        transaction.add(SiteSealRow(public_key=public, private_key=key.private_bytes_raw(), made_utc=now))


def public_key(session: Session) -> bytes | None:
    """The public half of the site's seal, 32 bytes; None before it is made."""
    row = session.get(SiteSealRow, 1)
    return bytes.fromhex(row.public_key) if row else None


def sign(session: Session, content: bytes) -> bytes:
    """The site's signature over some bytes, 64 bytes; the site has a seal.

    Source: RFC 8032.
    """
    row = session.get_one(SiteSealRow, 1)
    return Ed25519PrivateKey.from_private_bytes(row.private_key).sign(content)


def verify(public: bytes, signature: bytes, content: bytes) -> bool:
    """Whether a signature over some bytes is that of a key; nothing malformed is."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True
