"""Signed JSON: what somebody who may has put their name to, and for one purpose only.

Who may is named in the configuration with the public half of their key. Knows neither waivers nor reviews.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lumen_desktop.bundle import Signer, is_signed
from lumen_desktop.errors import InputError
from trainer.lines import refused_if_unwritable
from trainer.ownership.manifest import canonical

LARGEST_BYTES = 4 * 1024**2
_PARTS = {"fields", "key", "signature"}


def name_of(key: str, approvers: Mapping[str, str]) -> str:
    """The approver of a public key, hexadecimal; empty where it is nobody's."""
    return next((name for name, known in approvers.items() if known.lower() == key), "")


def write(path: Path, fields: Mapping[str, Any], *, purpose: str, signer: Signer) -> None:
    """Writes a signed file, whole or not at all.

    Raises:
        StorageError: TRN-010.
    """
    signature = signer.sign(purpose, canonical(fields)).hex()
    part = path.with_name(path.name + ".part")
    with refused_if_unwritable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(canonical({"fields": dict(fields), "key": signer.public.hex(), "signature": signature}))
        part.replace(path)


def read(path: Path, *, purpose: str, approvers: Mapping[str, str]) -> tuple[dict[str, Any], str, str]:
    """A signed file's fields, the approver who signed it and their public key.

    Raises:
        InputError: it was changed, or is signed by nobody who may (TRN-102).
    """
    try:
        with path.open("rb") as file:
            outer = json.loads(file.read(LARGEST_BYTES))
        fields, key, signature = outer["fields"], outer["key"], bytes.fromhex(outer["signature"])
        right = set(outer) == _PARTS and is_signed(
            bytes.fromhex(key), signature, purpose=purpose, content=canonical(fields)
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        right = False
    if not right:
        raise _refused(f"{path.name} was changed after it was signed, or is no signed file")
    name = name_of(key, approvers)
    if not name:
        raise _refused(f"{path.name} is signed by a key that gate.approvers does not name")
    return fields, name, key


def require_approver(signer: Signer, approvers: Mapping[str, str], *, by: str) -> None:
    """Whether a key is that of the approver who claims it.

    Raises:
        InputError: it is not (TRN-102).
    """
    if approvers.get(by, "").lower() != signer.public.hex():
        raise _refused(f"gate.approvers does not name this key for {by}")


def _refused(words: str) -> InputError:
    return InputError(
        f"{words}.", code="TRN-102", hint="Name who may sign, with the key that keygen printed, in gate.approvers."
    )
