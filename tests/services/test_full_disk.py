"""On a full disk work is refused in one sentence and nothing is lost; `tests.bench robustness` fills far more."""

import shutil
from pathlib import Path

import pytest

from lumen_desktop import app
from lumen_desktop.errors import StorageError
from tests.conftest import HOLDER, fill
from tests.services.deeds import DEEDS, site_of_today
from tests.services.filling import PAGE_BYTES, fill_often

POINTS = [("title", 0), ("export", 6 * PAGE_BYTES), ("person", 14 * PAGE_BYTES), ("rotation", 120 * PAGE_BYTES)]

pytestmark = pytest.mark.usefixtures("cheap_keys")


def test_whatever_no_longer_fits_is_refused_and_nothing_is_lost(tmp_path: Path, small_disk: Path) -> None:
    found = fill_often(site_of_today(tmp_path / "made"), small_disk, POINTS)
    assert not found.faults
    assert found.points == len(POINTS)
    assert {line.partition(":")[0] for line in found.refused} >= DEEDS.keys() - {"pin", "refusal"}
    assert {line.partition(": ")[2] for line in found.refused} == {"STO-003"}


def test_a_site_on_a_full_disk_is_read_and_not_opened_to_be_written(tmp_path: Path, small_disk: Path) -> None:
    folder = Path(shutil.copytree(site_of_today(tmp_path / "made"), small_disk / "site"))
    fill(small_disk)
    with app.opened(app.find_site(folder), HOLDER, purpose="tests", writable=False) as site:
        assert site.audit.verify().first_bad is None
        assert site.conversations.conversation(1).title == "Recalls"
    with (
        pytest.raises(StorageError) as caught,
        app.opened(app.find_site(folder), HOLDER, purpose="tests", writable=True),
    ):
        pass
    assert caught.value.code == "STO-003"
