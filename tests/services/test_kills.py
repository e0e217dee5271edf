"""Killed at any moment a site keeps what it acknowledged; `python -m tests.bench robustness` kills far more often."""

import shutil
from pathlib import Path

import pytest

from lumen_desktop import app
from lumen_desktop.storage import keys
from tests.conftest import HOLDER
from tests.services.deeds import DEEDS, Diary, faults_of, site_of_today, strangers
from tests.services.killing import CAN_FORK, STORIES, kill_often

pytestmark = pytest.mark.usefixtures("cheap_keys")


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_MEMORY_KIB", 64)
        patch.setattr(keys, "_PASSES", 1)
        return site_of_today(tmp_path_factory.mktemp("made") / "site")


@pytest.mark.skipif(not CAN_FORK, reason="a process is forked for each kill")
@pytest.mark.parametrize("story", STORIES)
def test_a_kill_loses_nothing_that_was_acknowledged(story: str, tmp_path: Path) -> None:
    found = kill_often(story, tmp_path, 4)
    assert not found.faults
    assert sum(found.killed_while.values()) == len(found.opening_s) == 4


@pytest.mark.parametrize("kind", DEEDS)
def test_a_deed_stands_once_it_was_done_and_not_before(kind: str, today: Path, tmp_path: Path) -> None:
    """Or the kills would look for nothing."""
    folder = Path(shutil.copytree(today, tmp_path / "site"))
    with app.opened(app.find_site(folder), HOLDER, purpose="tests", writable=True) as site:
        deed, told = DEEDS[kind](7), {"export": "00", "refusal": 1, "rotation": "lumen-2.db", "recovery": "0000"}
        assert not _stands(deed.stands, site, told.get(kind))
        diary = Diary()
        diary.begins(kind, 7)
        diary.ends(kind, 7, DEEDS[kind](7).do(site))
        assert not diary.lost(site)
        assert not faults_of(site)
    assert not strangers(folder)


def _stands(stands: object, site: app.Site, told: object) -> bool:
    try:
        return bool(stands(site, told))  # type: ignore[operator]
    except StopIteration:  # a person who is not there
        return False


def test_what_was_acknowledged_and_is_gone_is_found(today: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(today, tmp_path / "site"))
    diary = Diary()
    diary.ends("title", 1, None)
    diary.ends("password", 2, None)
    diary.begins("password", 3)
    with app.opened(app.find_site(folder), HOLDER, purpose="tests", writable=True) as site:
        assert set(diary.lost(site)) == {"title", "password"}
        DEEDS["password"](3).do(site)
        assert set(diary.lost(site)) == {"title"}, "what was begun may have taken its place"
    (folder / "lumen-2.db").touch()
    (folder / "tmp" / "page").touch()
    assert set(strangers(folder)) == {"lumen.db", "lumen-2.db", "tmp/page"}
