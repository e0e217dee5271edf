"""Settings: kept whole or not at all, read with distrust, and changed only to what they take."""

import json
import os
import stat
from dataclasses import fields, replace
from pathlib import Path

import pytest

from lumen_desktop import app, paths
from lumen_desktop.errors import InputError, StorageError
from lumen_desktop.settings import RANGES, Settings, accepted, changed, load, save
from tests.conftest import found_site
from tests.services.conftest import RECALL_QUESTION, ask

CHANGED = Settings(
    threads=1, context_tokens=512, answer_tokens=4096, passages=20, quotes=1, prose=True, theme="dark",
    font_points=32, data_folder=str(Path.cwd()),
)  # fmt: skip


def written(path: Path, content: bytes | object) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


# --- the file ---


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "config" / "deep" / "settings.json"
    save(path, CHANGED)
    assert load(path) == (CHANGED, ())
    save(path, Settings())
    assert load(path) == (Settings(), ())
    assert list(path.parent.iterdir()) == [path]


def test_without_a_file_everything_is_at_its_default(tmp_path: Path) -> None:
    assert load(tmp_path / "none" / "settings.json") == (Settings(), ())
    assert not Settings().prose


def test_only_what_differs_from_the_default_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    save(path, replace(Settings(), quotes=4))
    assert json.loads(path.read_bytes()) == {"quotes": 4}


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.touch(mode=0o666)
    save(path, CHANGED)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_unknown_is_left_out_and_not_written_again(tmp_path: Path) -> None:
    path = written(tmp_path / "settings.json", {"quotes": 4, "colour": "red", "__class__": 1})
    found, notices = load(path)
    assert (found, notices) == (Settings(quotes=4), ())
    save(path, found)
    assert json.loads(path.read_bytes()) == {"quotes": 4}


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff\xfe\x00", b"[]", b"null", b'"quotes"', b"\0" * 100, b"[" * 60_000,
        b'{"quotes": 4}' + b" " * 70_000, b'{"quotes": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_a_damaged_file_is_a_notice_and_the_defaults(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path / "settings.json", content)
    found, (notice,) = load(path)
    assert found == Settings()
    assert notice == f"The settings in {path} cannot be read; the defaults are used."
    save(path, CHANGED)
    assert load(path) == (CHANGED, ())


def test_a_folder_in_its_place_is_a_notice(tmp_path: Path) -> None:
    assert len(load(tmp_path)[1]) == 1


OUT_OF_RANGE = [
    ("threads", 0), ("threads", 100_000), ("threads", True), ("threads", "2"), ("threads", 1.0), ("threads", None),
    ("context_tokens", 511), ("context_tokens", 32769), ("context_tokens", -(10**40)),
    ("answer_tokens", 15), ("answer_tokens", 4097), ("passages", 0), ("passages", 21), ("quotes", 0), ("quotes", 11),
    ("prose", 1), ("prose", "on"), ("theme", "pink"), ("theme", 1), ("font_points", 7), ("font_points", 33),
    ("font_points", -1), ("font_points", float("nan")), ("quotes", float("inf")), ("quotes", []), ("theme", {}),
    ("data_folder", "relative"), ("data_folder", 5), ("data_folder", "/a\0b"), ("data_folder", "/" + "x" * 5000),
    ("data_folder", "/\ud800"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), OUT_OF_RANGE)
def test_a_value_out_of_its_range_is_a_notice_and_its_default(tmp_path: Path, name: str, value: object) -> None:
    other = {"passages": 7} if name != "passages" else {"quotes": 7}
    path = written(tmp_path / "settings.json", {name: value, **other})
    found, (notice,) = load(path)
    assert found == replace(Settings(), **other)  # type: ignore[arg-type]
    assert notice == f"The setting {name} takes {accepted(name)}; its default is used."


def test_each_bad_value_has_its_notice(tmp_path: Path) -> None:
    _, notices = load(written(tmp_path / "settings.json", {"quotes": 0, "passages": 0}))
    assert [notice.split()[2] for notice in notices] == ["passages", "quotes"]


def test_every_default_and_both_ends_of_every_range_fit(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    for name, values in RANGES.items():
        for value in (values[0], values[-1]):
            assert load(written(path, {name: value})) == (replace(Settings(), **{name: value}), ())  # type: ignore[arg-type]
    given = {f.name: getattr(Settings(), f.name) for f in fields(Settings)}
    assert load(written(path, given)) == (Settings(), ())


def test_a_file_that_cannot_be_written_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.mkdir()
    (path / "kept").touch()
    with pytest.raises(StorageError) as caught:
        save(path, CHANGED)
    assert caught.value.code == "SET-003"
    with pytest.raises(StorageError):
        save(path / "kept" / "settings.json", CHANGED)
    assert list(tmp_path.iterdir()) == [path]


def test_a_kill_before_the_end_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.json"
    save(path, CHANGED)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "fsync", stop)
        save(path, Settings())
    assert load(path) == (CHANGED, ())
    assert list(tmp_path.iterdir()) == [path]


# --- changing one ---


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("threads", " 1 ", 1), ("context_tokens", "8192", 8192), ("prose", "On", True), ("prose", "no", False),
        ("theme", "Dark", "dark"), ("font_points", "0", 0), ("font_points", "14", 14), ("data_folder", "", ""),
        ("data_folder", "sites", str(Path("sites").absolute())), ("data_folder", "~", str(Path.home())),
    ],
)  # fmt: skip
def test_a_setting_is_changed_from_its_text(name: str, text: str, value: object) -> None:
    before = replace(Settings(), answer_tokens=99)
    after = changed(before, name, text)
    assert getattr(after, name) == value
    assert replace(after, **{name: getattr(before, name)}) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("threads", ""), ("threads", "two"), ("threads", "0"), ("threads", "1.5"), ("threads", "9" * 5000),
        ("context_tokens", "511"), ("answer_tokens", "5000"), ("passages", "-1"), ("quotes", "11"), ("prose", "1"),
        ("prose", ""), ("theme", "pink"), ("font_points", "5"), ("data_folder", "/a\0b"),
        ("data_folder", "~nobody-of-that-name/x"), ("data_folder", "/\ud800"),
    ],
)  # fmt: skip
def test_a_value_that_a_setting_does_not_take_is_refused_with_what_it_takes(name: str, text: str) -> None:
    with pytest.raises(InputError) as caught:
        changed(Settings(), name, text)
    assert caught.value.code == "SET-002"
    assert accepted(name) in caught.value.hint


@pytest.mark.parametrize("name", ["", "colour", "Threads", "__class__", "__slots__"])
def test_an_unknown_setting_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(InputError) as caught:
        changed(Settings(), name, "1")
    assert caught.value.code == "SET-001"
    assert all(f.name in caught.value.hint for f in fields(Settings))


# --- in use ---


def test_the_file_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, settings_file: Path) -> None:
    assert paths.settings_file() == settings_file
    monkeypatch.delenv("LUMEN_SETTINGS")
    assert paths.settings_file().name == "settings.json"
    assert "Lumen Desktop" in paths.settings_file().parts


def test_a_site_opens_with_the_settings_of_the_file(settings_file: Path, request: pytest.FixtureRequest) -> None:
    save(settings_file, replace(Settings(), answer_tokens=16))
    site: app.Site = request.getfixturevalue("site")
    assert site.settings.answer_tokens == 16
    assert ask(site, RECALL_QUESTION, prose=True)[1].timing.answer_tokens == 16


def test_changed_settings_count_at_once_but_for_those_of_the_start(site: app.Site) -> None:
    assert ask(site, RECALL_QUESTION, prose=True)[1].timing.answer_tokens > 16
    site.use(replace(site.settings, answer_tokens=16, context_tokens=512, data_folder="/elsewhere", font_points=20))
    assert ask(site, RECALL_QUESTION, prose=True)[1].timing.answer_tokens == 16
    assert site.settings == replace(Settings(), answer_tokens=16, font_points=20)
    assert site.chat.context_tokens == 4096


def test_sites_are_looked_for_in_the_folder_that_is_set(
    settings_file: Path, tmp_path: Path, cheap_keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "user_data", lambda: tmp_path / "usual")
    here = tmp_path / "here"
    app.create_demonstration(paths.demonstration(app.sites()))
    assert app.find_site(None).folder.path == tmp_path / "usual" / "demonstration"
    save(settings_file, replace(Settings(), data_folder=str(here)))
    with pytest.raises(InputError) as caught:
        app.find_site(None)
    assert caught.value.code == "SIT-001"
    found_site(paths.own_site(app.sites()))
    assert app.find_site(None).folder.path == here / "site"
    assert app.find_site(tmp_path / "usual" / "demonstration").demonstration
