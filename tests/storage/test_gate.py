"""Many together or one alone: who replaces a database waits for its readers, and they wait for it."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumen_desktop.errors import StorageError
from lumen_desktop.storage import gate
from lumen_desktop.storage.database import Database
from lumen_desktop.storage.folder import DataFolder
from lumen_desktop.storage.gate import Gate
from lumen_desktop.storage.rotation import rotate
from tests.storage.rotating import ADMIN, made, opened, stored
from tests.storage.test_rotation import REASON, rows


@pytest.fixture
def folder(tmp_path: Path, cheap_keys: None) -> DataFolder:
    return made(tmp_path / "site")


@pytest.fixture
def database(folder: DataFolder) -> Iterator[Database]:
    database = opened(folder)
    stored(database, "before")
    yield database
    database.close()


def test_many_are_in_together() -> None:
    shared = Gate()
    with shared.together(), shared.together(waits=False):
        pass


def test_who_wants_to_be_alone_waits_for_the_others_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_LEAVE_WITHIN_S", 0.05)
    shared = Gate()
    with shared.together(), pytest.raises(StorageError) as caught, shared.alone():
        pass
    assert caught.value.code == "STO-004"
    with shared.alone():
        pass


def test_while_one_is_alone_others_wait_or_are_told() -> None:
    shared, order = Gate(), list[str]()

    def come_in() -> None:
        with shared.together():
            order.append("in")

    with shared.alone():
        waiting = threading.Thread(target=come_in)
        waiting.start()
        with pytest.raises(StorageError) as caught, shared.together(waits=False):
            pass
        time.sleep(0.05)
        order.append("left")
    waiting.join(5)
    assert caught.value.code == "STO-004"
    assert order == ["left", "in"]


def test_readers_and_writers_go_on_in_the_new_file(folder: DataFolder, database: Database) -> None:
    """Those who come while a new key is made find everything, under the new key."""
    found: list[set[str]] = []
    others: list[threading.Thread] = []

    def begin(*_: object) -> None:
        if not others:
            others.append(threading.Thread(target=lambda: found.append(rows(database))))
            others.append(threading.Thread(target=lambda: stored(database, "meanwhile")))
            for other in others:
                other.start()
            time.sleep(0.1)  # they are at the gate
            assert not found

    rotate(folder, database, ADMIN, REASON, begin)
    for other in others:
        other.join(10)
    assert found[0] >= {"before"}
    assert rows(database) == {"before", "meanwhile"}
