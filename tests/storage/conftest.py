"""An encrypted database without a site around it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lumen_desktop.domain.accounts import Actor
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
