"""Seals: Ed25519 over bytes that say what they are for, so that no seal of one thing is the seal of another.

The bundle's only place of cryptography; knows no rule of who must seal what (`roots` does). The trainer signs waivers
and reviews through `Signer` too, each under a purpose of its own.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lumen_desktop.bundle.container import SECTOR_BYTES, SLOTS, BuildBundle
from lumen_desktop.bundle.manifest import changed
from lumen_desktop.errors import BundleError

BUILD_PURPOSE: Final = "LUMEN-BUILD-v1"
KEY_BYTES, SIGNATURE_BYTES = 32, 64
_PURPOSE = re.compile(r"LUMEN-[A-Z]+(-[A-Z]+)*-v\d+")
_FREE: Final = bytes(SECTOR_BYTES)


@dataclass(frozen=True, slots=True)
class Seal:
    """A public key, 32 bytes, and its signature, 64 bytes."""

    key: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who can seal.

    Attributes:
        name: of the key's holder.
        private: the key, 32 bytes.
    """

    name: str
    private: bytes = field(repr=False)

    @classmethod
    def new(cls, name: str) -> "Signer":
        """A new key."""
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes."""
        return Ed25519PrivateKey.from_private_bytes(self.private).public_key().public_bytes_raw()

    def sign(self, purpose: str, content: bytes) -> bytes:
        """A signature over some bytes for one purpose, 64 bytes. Source: RFC 8032."""
        return Ed25519PrivateKey.from_private_bytes(self.private).sign(_words(purpose, content))


def is_signed(public: bytes, signature: bytes, *, purpose: str, content: bytes) -> bool:
    """Whether a signature over some bytes for a purpose is that of a key; nothing malformed is."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _words(purpose, content))
    except (InvalidSignature, ValueError):
        return False
    return True


def seals_of(bundle: BuildBundle) -> tuple[Seal, ...]:
    """The seals on a bundle, each of them a right signature over its manifest, whoever's.

    Raises:
        BundleError: a slot holds something else, or one key twice (BUN-003).
    """
    filled = [slot for slot in bundle.slots if slot != _FREE]
    if bundle.slots != filled + [_FREE] * (SLOTS - len(filled)):
        raise changed("a seal")
    seals = tuple(_seal(slot, bundle.manifest_bytes) for slot in filled)
    if len({seal.key for seal in seals}) != len(seals):
        raise changed("a seal")
    return seals


def seal(path: Path, signer: Signer) -> None:
    """Adds a seal to a bundle, once every part was read and found to be what the manifest says.

    Killed at any moment, the file has the seal or has not (see `container`).

    Raises:
        BundleError: as `read_manifest`; a part or seal was changed (BUN-003); the key has sealed it, or no slot is free
            (BUN-018).
    """
    with BuildBundle(path, writable=True) as bundle:
        keys = [known.key for known in seals_of(bundle)]
        if signer.public in keys or len(keys) == SLOTS:
            raise BundleError(
                "This key has sealed the file already."
                if signer.public in keys
                else "The file can take no more seals.",
                code="BUN-018",
                hint="Each publisher seals a build once.",
            )
        for part in bundle.manifest.parts:
            bundle.check_part(part)
        bundle.fill_slot(len(keys), signer.public + signer.sign(BUILD_PURPOSE, bundle.manifest_bytes))


def _seal(untrusted: bytes, manifest_bytes: bytes) -> Seal:
    found = Seal(untrusted[:KEY_BYTES], untrusted[KEY_BYTES : KEY_BYTES + SIGNATURE_BYTES])
    right = is_signed(found.key, found.signature, purpose=BUILD_PURPOSE, content=manifest_bytes)
    if not right or any(untrusted[KEY_BYTES + SIGNATURE_BYTES :]):
        raise changed("its manifest or a seal")
    return found


def _words(purpose: str, content: bytes) -> bytes:
    if not _PURPOSE.fullmatch(purpose):
        raise ValueError(purpose)
    return purpose.encode() + b"\0" + content
