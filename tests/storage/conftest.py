"""An encrypted database without a site around it."""

import base64
import json
import secrets
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from lumen_desktop.domain.accounts import Actor
from lumen_desktop.storage import keys
from lumen_desktop.storage.database import Database
from tests.conftest import Clock

KEY = bytes(range(32))
SITE = "6f0f7c1e-0000-4000-8000-00000000test"
TESTER = Actor("tester", "holder")


def opened(path: Path, *, key: bytes = KEY, writable: bool = True, clock: Clock | None = None) -> Database:
    """The database in a file."""
    return Database.open(path, key, site_id=SITE, clock=clock or Clock(), writable=writable)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lumen.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = opened(path)
    yield database
    database.close()


def first_format(path: Path, passphrase: str, *, demonstration: bool = False) -> dict[str, Any]:
    """Writes a key file as the versions before accounts made it, and returns its fields."""
    site_id, salt, nonce = str(uuid.uuid4()), secrets.token_bytes(16), secrets.token_bytes(12)
    stretch = Argon2id(salt=salt, length=32, iterations=keys._PASSES, lanes=4, memory_cost=keys._MEMORY_KIB)
    words = f"LUMEN-KEY-v1\0{site_id}\0{demonstration}".encode()
    wrapped = AESGCM(stretch.derive(passphrase.encode())).encrypt(nonce, KEY, words)
    parts = {"salt": salt, "nonce": nonce, "wrapped_key": wrapped}
    card = {"format": 1, "site_id": site_id, "demonstration": demonstration}
    fields = {**card, **{name: base64.b64encode(part).decode() for name, part in parts.items()}}
    path.write_text(json.dumps(fields, indent=1), encoding="utf-8")
    return fields
