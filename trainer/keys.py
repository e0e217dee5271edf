"""A publisher's key: made once, kept under a passphrase, outside every repository.

Two files: ``NAME.key.json`` holds the private half wrapped (Argon2id, AES-256-GCM) and is for its holder alone;
``NAME.public.json`` is for whoever makes the root file. `trainer.cli` makes and opens them; releases, waivers and
reviews are signed with what `opened` returns.
"""

import contextlib
import json
import os
import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from lumen_desktop.bundle import Signer, TrustedKey
from lumen_desktop.errors import AccessError, InputError, StorageError

SHORTEST_PASSPHRASE: Final = 15  # NIST SP 800-63B-4 section 3.1.1.2, where nothing else is asked for
PRIVATE_SUFFIX, PUBLIC_SUFFIX = ".key.json", ".public.json"
_FORM: Final = "lumen-key/1"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MEMORY_KIB, _PASSES, _LANES = 64 * 1024, 3, 4  # RFC 9106 section 4, second recommended option
_LARGEST_BYTES: Final = 4096
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key's two files and its public half, lower-case hexadecimal."""

    private: Path
    public: Path
    key: str


def default_folder() -> Path:
    """Where keys lie unless another folder is named."""
    return Path.home() / ".lumen-trainer" / "keys"


def refuse_unfit(name: str, folder: Path) -> None:
    """Whether a key of that name may be made in a folder, before anybody types a passphrase.

    Raises:
        InputError: a name that is none, a folder under version control, or a key that is there already (TRN-110).
    """
    if not _NAME.fullmatch(name):
        raise _not_made("a key's name has small letters, digits and dashes, 40 at most", "Choose another name.")
    place = folder.absolute()
    if any((above / ".git").exists() for above in (place, *place.parents, *place.resolve().parents)):
        raise _not_made(f"{folder} is under version control", "Name a folder outside every repository with --folder.")
    for suffix in (PRIVATE_SUFFIX, PUBLIC_SUFFIX):
        if (folder / f"{name}{suffix}").exists():
            raise _not_made(f"there is a {name}{suffix} in {folder} already", "Nothing was overwritten; choose a name.")


def make(name: str, passphrase: str, folder: Path) -> MadeKey:
    """Makes a key and writes its two files, the private one for its owner only.

    Args:
        name: of the key's holder, as the root file will show it.
        passphrase: opens it; nothing else does.
        folder: where; made where it is missing.

    Raises:
        InputError: as `refuse_unfit` (TRN-110).
        AccessError: the passphrase is too short (TRN-111).
        StorageError: it cannot be written (TRN-010).
    """
    refuse_unfit(name, folder)
    if len(unicodedata.normalize("NFKC", passphrase)) < SHORTEST_PASSPHRASE:
        raise AccessError(
            f"The passphrase is too short; {SHORTEST_PASSPHRASE} characters are the least.",
            code="TRN-111",
            hint="A sentence of five words that nobody knows is easy to keep in mind.",
        )
    signer = Signer.new(name)
    made = MadeKey(folder / f"{name}{PRIVATE_SUFFIX}", folder / f"{name}{PUBLIC_SUFFIX}", signer.public.hex())
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    head = {"form": _FORM, "name": name, "key": made.key}
    wrapped = AESGCM(_stretched(passphrase, salt)).encrypt(nonce, signer.private, _words(head))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(made.private, {**head, "salt": salt.hex(), "nonce": nonce.hex(), "private": wrapped.hex()}, mode=0o600)
        _write(made.public, head, mode=0o644)
    except OSError as error:
        raise StorageError(
            f"The key cannot be written to {folder} ({error.strerror}).",
            code="TRN-010",
            hint="Name a folder of yours with --folder.",
        ) from None
    return made


def opened(path: Path, passphrase: str) -> Signer:
    """Opens a private key.

    Raises:
        InputError: the file is no key or was changed (TRN-112).
        AccessError: the passphrase is wrong (TRN-113); a key changed with care reads the same.
    """
    fields = _fields(path, {"salt": _SALT_BYTES, "nonce": _NONCE_BYTES, "private": _KEY_BYTES + 16, "key": _KEY_BYTES})
    salt, nonce, wrapped = (bytes.fromhex(fields[name]) for name in ("salt", "nonce", "private"))
    head = {name: fields[name] for name in ("form", "name", "key")}
    try:
        signer = Signer(fields["name"], AESGCM(_stretched(passphrase, salt)).decrypt(nonce, wrapped, _words(head)))
    except InvalidTag:
        raise AccessError(
            "The passphrase is not right for this key.", code="TRN-113", hint="Check Caps Lock and the keyboard layout."
        ) from None
    if signer.public.hex() != fields["key"]:
        raise _no_key(path)
    return signer


def read_public(path: Path) -> TrustedKey:
    """Reads a public key.

    Raises:
        InputError: the file is no key or was changed (TRN-112).
    """
    fields = _fields(path, {"key": _KEY_BYTES})
    return TrustedKey(fields["name"], bytes.fromhex(fields["key"]))


def _fields(path: Path, sizes: Mapping[str, int]) -> dict[str, str]:
    """A key file's fields, once each has its form and its size in bytes."""
    try:
        with path.open("rb") as file:
            fields: dict[str, Any] = json.loads(file.read(_LARGEST_BYTES + 1))
        right = set(fields) == {"form", "name", *sizes} and fields["form"] == _FORM and _NAME.fullmatch(fields["name"])
        if right and all(re.fullmatch(f"[0-9a-f]{{{2 * size}}}", fields[name]) for name, size in sizes.items()):
            return fields
    except (OSError, ValueError, TypeError, RecursionError):
        pass
    raise _no_key(path)


def _write(path: Path, fields: Mapping[str, str], *, mode: int) -> None:
    """Writes a new file; one that is there already is left alone, and half of one is taken away."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(json.dumps(fields, indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def _stretched(passphrase: str, salt: bytes) -> bytes:
    """32 bytes from a passphrase, however its letters were typed. Source: RFC 9106 (Argon2id)."""
    words = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")
    stretch = Argon2id(salt=salt, length=_KEY_BYTES, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB)
    return stretch.derive(words)


def _words(head: Mapping[str, str]) -> bytes:
    """What a wrapped key is bound to."""
    return "\0".join([head["form"], head["name"], head["key"]]).encode()


def _not_made(why: str, hint: str) -> InputError:
    return InputError(f"No key was made: {why}.", code="TRN-110", hint=hint)


def _no_key(path: Path) -> InputError:
    return InputError(
        f"{path.name} is no such key of Lumen's trainer, or was changed.",
        code="TRN-112",
        hint="A private key ends in .key.json, a public one in .public.json; `lumen-trainer keygen` makes both.",
    )
