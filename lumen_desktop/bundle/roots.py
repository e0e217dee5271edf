"""The root file: whose seals count, how many are needed, until when; itself sealed by as many of its own keys.

A newer root takes an older one's place only when enough keys of both have sealed it, so whoever steals too few keys can
neither seal a build nor name new keys. Knows no build; `verify` asks it, the trainer makes it.

Source: The Update Framework, specification 1.0, sections 5.3 (root rotation) and 6.1 (threshold).
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import rfc8785

from lumen_desktop.bundle.container import disk
from lumen_desktop.bundle.manifest import canonical
from lumen_desktop.bundle.seals import KEY_BYTES, SIGNATURE_BYTES, Seal, Signer, is_signed
from lumen_desktop.errors import BundleError

SCHEMA: Final = "lumen-root/1"
PURPOSE: Final = "LUMEN-ROOT-v1"
LARGEST_BYTES: Final = 64 * 1024
MOST_KEYS: Final = 20
DEFAULT_THRESHOLD: Final = 2
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}")


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A publisher: a name for people and a public key, 32 bytes."""

    name: str
    key: bytes

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or len(self.key) != KEY_BYTES:
            raise bad_root("a key or its name is not as it must be")


@dataclass(frozen=True, slots=True)
class Root:
    """A root file's content and the seals on it.

    Attributes:
        version: higher by one with every new root.
        keys: the publishers.
        threshold: how many of them must seal a build, and this file.
        expires: last day of use.
        seals: of this file; `check` judges them.
    """

    version: int
    keys: tuple[TrustedKey, ...]
    threshold: int
    expires: dt.date
    seals: tuple[Seal, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.version <= 10**6 or not 1 <= self.threshold <= len(self.keys) <= MOST_KEYS:
            raise bad_root("its numbers do not fit together")
        for values in ({key.name.casefold() for key in self.keys}, {key.key for key in self.keys}):
            if len(values) != len(self.keys):
                raise bad_root("a key or a name is in it twice")

    def content(self) -> bytes:
        """The bytes that its seals sign. Source: RFC 8785."""
        keys = [{"name": one.name, "key": one.key.hex()} for one in self.keys]
        return rfc8785.dumps(
            {
                "schema": SCHEMA, "version": self.version, "keys": keys, "threshold": self.threshold,
                "expires": self.expires.isoformat(),
            }
        )  # fmt: skip

    def to_bytes(self) -> bytes:
        """The file."""
        seals = [{"key": seal.key.hex(), "signature": seal.signature.hex()} for seal in self.seals]
        return rfc8785.dumps({"root": self.content().decode(), "seals": seals})

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self:
        """Reads what `to_bytes` wrote and nothing else; who sealed it is for `check` and `follows` to judge.

        Raises:
            BundleError: it is no root file, or was changed (BUN-010).
        """
        try:
            outer = canonical(untrusted, what="root")
            inner = canonical(outer["root"].encode(), what="root")
            root = cls._of(inner, outer["seals"])
        except (BundleError, KeyError, TypeError, ValueError, AttributeError):
            raise bad_root("it is no root file or was changed") from None
        if root.to_bytes() != untrusted:
            raise bad_root("it is no root file or was changed")
        return root

    @classmethod
    def _of(cls, untrusted: dict[str, Any], untrusted_seals: list[dict[str, str]]) -> Self:
        if untrusted["schema"] != SCHEMA or not type(untrusted["version"]) is type(untrusted["threshold"]) is int:
            raise ValueError
        keys = tuple(TrustedKey(one["name"], bytes.fromhex(one["key"])) for one in untrusted["keys"][: MOST_KEYS + 1])
        seals = tuple(Seal(bytes.fromhex(one["key"]), bytes.fromhex(one["signature"])) for one in untrusted_seals)
        if any(len(seal.key) != KEY_BYTES or len(seal.signature) != SIGNATURE_BYTES for seal in seals):
            raise ValueError
        expires = dt.date.fromisoformat(untrusted["expires"])
        return cls(untrusted["version"], keys, untrusted["threshold"], expires, seals)

    def sealed_by(self, signer: Signer) -> "Root":
        """This root with one more seal; the same where that key has sealed it."""
        if signer.public in {seal.key for seal in self.seals}:
            return self
        added = Seal(signer.public, signer.sign(PURPOSE, self.content()))
        return replace(self, seals=(*self.seals, added))

    def check(self) -> None:
        """Whether enough of its own keys have sealed it, and nobody's seal is wrong.

        Raises:
            BundleError: BUN-010.
        """
        if not self._right_seals():
            raise bad_root("a seal on it is wrong")
        if self._count(self.keys) < self.threshold:
            raise bad_root("too few of its own keys have sealed it")

    def follows(self, old: "Root") -> None:
        """Whether it may take an older root's place.

        Raises:
            BundleError: it is not the next version, or too few keys of the old or of the new one sealed it (BUN-012).
        """
        self.check()
        if self.version != old.version + 1 or self._count(old.keys) < old.threshold:
            raise BundleError(
                f"This root file, version {self.version}, may not take the place of version {old.version}.",
                code="BUN-012",
                hint="It must be the next version, sealed by enough keys of the old one and of its own.",
            )

    def name_of(self, key: bytes) -> str:
        """A publisher's name; empty where the key is nobody's."""
        return next((known.name for known in self.keys if known.key == key), "")

    def _right_seals(self) -> bool:
        content, keys = self.content(), {seal.key for seal in self.seals}
        return len(keys) == len(self.seals) and all(
            is_signed(seal.key, seal.signature, purpose=PURPOSE, content=content) for seal in self.seals
        )

    def _count(self, keys: Sequence[TrustedKey]) -> int:
        return len({one.key for one in keys} & {seal.key for seal in self.seals})


def read_root(path: Path) -> Root:
    """Reads a root file that enough of its own keys have sealed.

    Raises:
        BundleError: it cannot be read (BUN-015), or is not to be trusted (BUN-010).
    """
    root = read_unchecked_root(path)
    root.check()
    return root


def read_unchecked_root(path: Path) -> Root:
    """Reads a root file that is still to be sealed; raises as `Root.from_bytes`."""
    with disk(path), path.open("rb") as file:
        untrusted = file.read(LARGEST_BYTES + 1)
    if len(untrusted) > LARGEST_BYTES:
        raise bad_root("it is too long")
    return Root.from_bytes(untrusted)


def bad_root(what: str) -> BundleError:
    """The refusal of a root file."""
    return BundleError(
        f"The root file cannot be trusted: {what}.",
        code="BUN-010",
        hint="Use the root file that came with Lumen, or ask its publisher.",
    )
