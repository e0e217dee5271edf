"""The database key: random, and stored only wrapped by a passphrase.

Argon2id stretches the passphrase, AES-256-GCM wraps the key and seals what the file says of the
site. The key itself exists only in this process and in no log, message or child.
"""

import base64
import binascii
import json
import secrets
import unicodedata
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from lumen_desktop.errors import AccessError, InputError, IntegrityError, StorageError
from lumen_desktop.storage.folder import unwritable, write_atomically

FORMAT = 1
DEMONSTRATION_PASSPHRASE = "demonstration"  # noqa: S105 - public by design; only a demonstration site takes it
SHORTEST_PASSPHRASE = 15  # characters; NIST SP 800-63B-4 section 3.1.1.2, single factor
_MEMORY_KIB, _PASSES, _LANES = 64 * 1024, 3, 4  # RFC 9106 section 4, second recommended option


@dataclass(frozen=True, slots=True)
class SiteCard:
    """What can be known of a site without its passphrase; sealed together with the key.

    Attributes:
        site_id: identity of the site, a UUID.
        demonstration: whether it is for trying out only.
    """

    site_id: str
    demonstration: bool


def create(path: Path, passphrase: str, *, demonstration: bool) -> tuple[SiteCard, bytes]:
    """Makes a new site's key file.

    Returns:
        The site's card and its database key, 32 bytes.

    Raises:
        InputError: the passphrase is too short for a real site (KEY-002).
        StorageError: the folder cannot be written.
    """
    if not demonstration and len(passphrase) < SHORTEST_PASSPHRASE:
        raise InputError(
            f"The passphrase is too short: at least {SHORTEST_PASSPHRASE} characters are needed.",
            code="KEY-002",
            hint="A sentence that you remember is easiest; spaces count.",
        )
    card = SiteCard(str(uuid.uuid4()), demonstration)
    key, salt, nonce = secrets.token_bytes(32), secrets.token_bytes(16), secrets.token_bytes(12)
    wrapped = AESGCM(_stretched(passphrase, salt)).encrypt(nonce, key, _sealed_words(card))
    fields = {
        "format": FORMAT,
        "site_id": card.site_id,
        "demonstration": card.demonstration,
        "salt": _text(salt),
        "nonce": _text(nonce),
        "wrapped_key": _text(wrapped),
    }
    write_atomically(path, json.dumps(fields, indent=1).encode())
    return card, key


def read_card(path: Path) -> SiteCard:
    """What kind of site this is, before its passphrase is known.

    Raises:
        StorageError: the file cannot be read, or a newer version made it (STO-006).
        IntegrityError: it is damaged (KEY-003).
    """
    fields = _fields(path)
    return SiteCard(fields["site_id"], fields["demonstration"])


def unlock(path: Path, passphrase: str) -> bytes:
    """The database key, 32 bytes.

    Raises:
        AccessError: the passphrase is wrong (KEY-001); a changed file reads the same.
        StorageError: as `read_card`.
    """
    fields = _fields(path)
    card = SiteCard(fields["site_id"], fields["demonstration"])
    try:
        salt, nonce, wrapped = (
            base64.b64decode(fields[name], validate=True) for name in ("salt", "nonce", "wrapped_key")
        )
        return AESGCM(_stretched(passphrase, salt)).decrypt(nonce, wrapped, _sealed_words(card))
    except InvalidTag:
        raise AccessError(
            "The passphrase is not right for this site.",
            code="KEY-001",
            hint="Check Caps Lock and the keyboard layout.",
        ) from None
    except (ValueError, binascii.Error) as error:
        raise _damaged(path) from error


def _fields(path: Path) -> dict[str, Any]:
    try:
        fields = json.loads(path.read_bytes())
    except OSError as error:
        raise unwritable(path.parent, error) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path) from error
    if not isinstance(fields, dict):
        raise _damaged(path)
    if isinstance(fields.get("format"), int) and fields["format"] > FORMAT:
        raise StorageError(
            "This site was made by a newer version of Lumen.", code="STO-006", hint="Update Lumen on this computer."
        )
    shape = {"site_id": str, "demonstration": bool, "salt": str, "nonce": str, "wrapped_key": str}
    if any(not isinstance(fields.get(name), kind) for name, kind in shape.items()):
        raise _damaged(path)
    return fields


def _damaged(path: Path) -> IntegrityError:
    return IntegrityError(
        f"The key file {path} is damaged.",
        code="KEY-003",
        hint="Restore it from a backup; without it nothing can be read.",
    )


def _stretched(passphrase: str, salt: bytes) -> bytes:
    """32 bytes from a passphrase; normalised so that the same words typed on another system fit.

    Source: RFC 9106 (Argon2id); NIST SP 800-63B-4 section 3.1.1.2 (Unicode normalisation).
    """
    words = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")
    return Argon2id(salt=salt, length=32, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB).derive(words)


def _sealed_words(card: SiteCard) -> bytes:
    return f"LUMEN-KEY-v{FORMAT}\0{card.site_id}\0{card.demonstration}".encode()


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
