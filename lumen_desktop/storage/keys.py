"""The key file: a site's random database key, and who can open it.

Each person has a slot: a secret of their own, wrapped by their password (Argon2id, AES-256-GCM), and the
database key sealed to that secret's public half (X25519). So a new database key can be given to everybody
without anybody's password, and nobody else can sign as them. One more slot belongs to the recovery code.
People stand in it under a digest of their name; the file as a whole is sealed by the database key.

Files of format 1 hold one passphrase instead; they can be opened, and made anew with slots.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import secrets
import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lumen_desktop.errors import AccessError, IntegrityError, StorageError
from lumen_desktop.storage.folder import FIRST_DATABASE, is_database, replacing, unwritable

FORMAT = 2
RECOVERY = "\0recovery"  # no user name can be this
_MEMORY_KIB, _PASSES, _LANES = 64 * 1024, 3, 4  # RFC 9106 section 4, second recommended option
_NONCE, _SALT, _KEY = 12, 16, 32  # bytes
_WRAPPED = _KEY + 16  # with the tag of AES-GCM
_SLOT_PARTS = {
    "salt": _SALT, "nonce": _NONCE, "secret": _WRAPPED,
    "public": _KEY, "ephemeral": _KEY, "box_nonce": _NONCE, "box": _WRAPPED,
}  # fmt: skip
_V1_PARTS = {"salt": _SALT, "nonce": _NONCE, "wrapped_key": _WRAPPED}


@dataclass(frozen=True, slots=True)
class SiteCard:
    """What can be known of a site without a password; sealed together with the key.

    Attributes:
        site_id: identity of the site, a UUID.
        demonstration: whether it is for trying out only.
        accounts: whether people sign in; False for a site made when one passphrase opened it.
        finished: whether its making came to its end.
        database: name of the database file in the data folder; another after each new key.
    """

    site_id: str
    demonstration: bool
    accounts: bool = True
    finished: bool = True
    database: str = FIRST_DATABASE


@dataclass(frozen=True, slots=True)
class Opened:
    """What a right password opens.

    Attributes:
        key: the database key, 32 bytes.
        secret: the person's own secret, 32 bytes; `signing_key` comes from it.
    """

    key: bytes = field(repr=False)
    secret: bytes = field(repr=False)


class KeyFile:
    """A key file's content; nothing reaches the disk but by `write`."""

    def __init__(self, card: SiteCard, slots: dict[str, dict[str, bytes]], seal: bytes = b"") -> None:
        self.card = card
        self._slots = slots
        self._seal = seal

    @classmethod
    def new(cls, *, demonstration: bool, site_id: str | None = None) -> Self:
        """A file without slots, for a new site or one that leaves its passphrase."""
        return cls(SiteCard(site_id or str(uuid.uuid4()), demonstration), {})

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads a key file; what it says is checked when it is opened.

        Raises:
            StorageError: the file cannot be read, or a newer version made it (STO-006).
            IntegrityError: it is damaged (KEY-003).
        """
        fields = _fields(path)
        try:
            card = _card(fields)
            if not card.accounts:
                return cls(card, {"": _decoded(fields, _V1_PARTS)})
            slots = {label: _decoded(parts, _SLOT_PARTS) for label, parts in fields["slots"].items()}
            return cls(card, slots, _decoded(fields, {"seal": _KEY})["seal"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _damaged(path) from error

    def write(self, path: Path, key: bytes, *, finished: bool = True, database: str = "") -> None:
        """Seals the content with the database key and writes it whole, for the owner only.

        Args:
            path: where.
            key: the database key.
            finished: whether the site's making has come to its end.
            database: name of the file that the key opens from now on; as before where none is given.

        Raises:
            StorageError: the folder cannot be written or is full.
        """
        self.card = replace(self.card, accounts=True, finished=finished, database=database or self.card.database)
        with self.following(path, key):
            pass

    @contextlib.contextmanager
    def following(self, path: Path, key: bytes) -> Iterator[None]:
        """Writes the file as `write` does, once what is done inside has come to its end; a full disk refuses both.

        Raises:
            StorageError: the folder cannot be written or is full.
        """
        self._seal = self._sealed_by(key)
        fields = {**self._plain(), "seal": _text(self._seal)}
        with replacing(path, json.dumps(fields, indent=1).encode()):
            yield

    def put(self, key: bytes, name: str, password: str, *, secret: bytes | None = None) -> bytes:
        """Gives a person, new or known, a slot under a password.

        Args:
            key: the database key.
            name: user name.
            password: opens the slot.
            secret: the one they have, where they keep it; else a new one is made.

        Returns:
            The public half of the key they sign with, Ed25519, 32 bytes.
        """
        label, salt, nonce = self.label(name), secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
        secret = secret or secrets.token_bytes(_KEY)
        wrapped = AESGCM(_stretched(password, salt)).encrypt(nonce, secret, self._words(label))
        public = _opening_key(secret).public_key().public_bytes_raw()
        self._slots[label] = {"salt": salt, "nonce": nonce, "secret": wrapped, "public": public}
        self._slots[label] |= self._boxed(key, public, label)
        return signing_key(secret).public_key().public_bytes_raw()

    def drop(self, name: str) -> None:
        """Takes a person's slot away; one without is left as they are."""
        self._slots.pop(self.label(name), None)

    def reseal(self, key: bytes) -> None:
        """Gives a new database key to everybody who has a slot."""
        for label, slot in self._slots.items():
            slot.update(self._boxed(key, slot["public"], label))

    def open(self, name: str, password: str) -> Opened:
        """The database key and a person's secret.

        Raises:
            AccessError: name or password is wrong, which reads and lasts the same (KEY-001).
            IntegrityError: the file was changed by another than Lumen (KEY-003).
        """
        label = self.label(name)
        slot = self._slots.get(label)
        stretched = _stretched(password, slot["salt"] if slot else bytes(_SALT))
        if slot is None:
            raise _wrong()
        try:
            secret = AESGCM(stretched).decrypt(slot["nonce"], slot["secret"], self._words(label))
        except InvalidTag:
            raise _wrong() from None
        try:
            key = self._unboxed(secret, slot, label)
        except (InvalidTag, ValueError):
            raise _damaged(None) from None
        if not hmac.compare_digest(self._sealed_by(key), self._seal):
            raise _damaged(None)
        return Opened(key, secret)

    def open_with_passphrase(self, passphrase: str) -> bytes:
        """The database key of a file of format 1, 32 bytes.

        Raises:
            AccessError: the passphrase is wrong (KEY-006); a changed file reads the same.
        """
        parts = self._slots[""]
        words = f"LUMEN-KEY-v1\0{self.card.site_id}\0{self.card.demonstration}".encode()
        try:
            return AESGCM(_stretched(passphrase, parts["salt"])).decrypt(parts["nonce"], parts["wrapped_key"], words)
        except InvalidTag:
            raise AccessError(
                "The passphrase is not right for this site.",
                code="KEY-006",
                hint="Check Caps Lock and the keyboard layout.",
            ) from None

    def knows(self, name: str) -> bool:
        """Whether a person has a slot."""
        return self.label(name) in self._slots

    def label(self, name: str) -> str:
        """What a person's slot is called: a digest, so that the file names nobody."""
        words = b"LUMEN-SLOT-v1\0" + self.card.site_id.encode() + b"\0" + folded(name).encode("utf-8", "surrogatepass")
        return hashlib.sha256(words).hexdigest()[:32]

    def _boxed(self, key: bytes, public: bytes, label: str) -> dict[str, bytes]:
        """The database key, sealed so that only the holder of a secret opens it."""
        ephemeral, nonce = X25519PrivateKey.generate(), secrets.token_bytes(_NONCE)
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
        sender = ephemeral.public_key().public_bytes_raw()
        box = AESGCM(_derived(shared + sender + public, "LUMEN-BOX-v1")).encrypt(nonce, key, self._words(label))
        return {"ephemeral": sender, "box_nonce": nonce, "box": box}

    def _unboxed(self, secret: bytes, slot: dict[str, bytes], label: str) -> bytes:
        own = _opening_key(secret)
        shared = own.exchange(X25519PublicKey.from_public_bytes(slot["ephemeral"]))
        material = shared + slot["ephemeral"] + own.public_key().public_bytes_raw()
        return AESGCM(_derived(material, "LUMEN-BOX-v1")).decrypt(slot["box_nonce"], slot["box"], self._words(label))

    def _words(self, label: str) -> bytes:
        return f"LUMEN-SLOT-v1\0{self.card.site_id}\0{self.card.demonstration}\0{label}".encode()

    def _plain(self) -> dict[str, Any]:
        slots = {label: {name: _text(part) for name, part in slot.items()} for label, slot in self._slots.items()}
        card = {"site_id": self.card.site_id, "demonstration": self.card.demonstration, "finished": self.card.finished}
        moved = {"database": self.card.database} if self.card.database != FIRST_DATABASE else {}
        return {"format": FORMAT, **card, **moved, "slots": slots}

    def _sealed_by(self, key: bytes) -> bytes:
        words = json.dumps(self._plain(), sort_keys=True).encode()
        return hmac.digest(_derived(key, "LUMEN-KEYFILE-v1"), words, "sha256")


def read_card(path: Path) -> SiteCard:
    """What kind of site this is, before anybody signs in; raises as `KeyFile.read`."""
    return KeyFile.read(path).card


def folded(name: str) -> str:
    """A user name as it is compared: whatever its case, its spaces and how its letters were typed.

    Source: Unicode Standard section 3.13, compatibility caseless matching.
    """
    same = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(same.split())


def signing_key(secret: bytes) -> Ed25519PrivateKey:
    """The key that a person signs with."""
    return Ed25519PrivateKey.from_private_bytes(_derived(secret, "LUMEN-SIGN-v1"))


def sign_with(secret: bytes, content: bytes) -> tuple[bytes, bytes]:
    """Signs some bytes as the holder of a secret: the public key, 32 bytes, and the signature, 64. Source: RFC 8032."""
    key = signing_key(secret)
    return key.public_key().public_bytes_raw(), key.sign(content)


def recovery_code() -> str:
    """A new recovery code: 160 random bits in eight groups that can be read aloud."""
    return grouped(base64.b32encode(secrets.token_bytes(20)).decode())


def grouped(typed: str) -> str:
    """A recovery code as it was made, from how somebody typed it: in any case, with or without its dashes."""
    text = "".join(letter for letter in typed.upper() if letter.isalnum())
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _opening_key(secret: bytes) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(_derived(secret, "LUMEN-OPEN-v1"))


def _derived(material: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose. Source: RFC 5869."""
    return HKDF(algorithm=SHA256(), length=_KEY, salt=None, info=purpose.encode()).derive(material)


def _fields(path: Path) -> dict[str, Any]:
    try:
        fields = json.loads(path.read_bytes())
    except OSError as error:
        raise unwritable(path.parent, error) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path) from error
    if not isinstance(fields, dict) or type(fields.get("format")) is not int or fields["format"] < 1:
        raise _damaged(path)
    if fields["format"] > FORMAT:
        raise StorageError(
            "This site was made by a newer version of Lumen.", code="STO-006", hint="Update Lumen on this computer."
        )
    return fields


def _card(fields: dict[str, Any]) -> SiteCard:
    demonstration, finished = fields["demonstration"], fields.get("finished", True)
    database = fields.get("database", FIRST_DATABASE)
    if type(demonstration) is not bool or type(finished) is not bool or not is_database(database):
        raise TypeError
    if str(uuid.UUID(fields["site_id"])) != fields["site_id"]:
        raise ValueError
    return SiteCard(fields["site_id"], demonstration, fields["format"] == FORMAT, finished, database)


def _decoded(fields: dict[str, Any], sizes: dict[str, int]) -> dict[str, bytes]:
    """Fields of known sizes in bytes, written in the one way in which `_text` writes them."""
    parts = {name: base64.b64decode(fields[name], validate=True) for name in sizes}
    if any(len(part) != sizes[name] or _text(part) != fields[name] for name, part in parts.items()):
        raise ValueError
    return parts


def _damaged(path: Path | None) -> IntegrityError:
    return IntegrityError(
        f"The key file {path} is damaged." if path else "The site's key file was changed or is damaged.",
        code="KEY-003",
        hint="Restore it from a backup; without it nothing can be read.",
    )


def _wrong() -> AccessError:
    return AccessError(
        "The user name or the password is not right.", code="KEY-001", hint="Check Caps Lock and the keyboard layout."
    )


def _stretched(password: str, salt: bytes) -> bytes:
    """32 bytes from a password; normalised so that the same words typed on another system fit.

    Source: RFC 9106 (Argon2id); NIST SP 800-63B-4 section 3.1.1.2 (Unicode normalisation).
    """
    words = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
    return Argon2id(salt=salt, length=_KEY, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB).derive(words)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
