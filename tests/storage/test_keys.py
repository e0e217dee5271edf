"""The database key opens with the site's passphrase and with nothing else."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop.errors import AccessError, InputError, IntegrityError, LumenError, StorageError
from lumen_desktop.storage import keys

WORDS = "correct horse battery staple"


@pytest.fixture
def key_file(tmp_path: Path, cheap_keys: None) -> Path:
    path = tmp_path / "site.key"
    keys.create(path, WORDS, demonstration=False)
    return path


def changed(path: Path, **values: Any) -> None:
    fields = {**json.loads(path.read_text(encoding="utf-8")), **values}
    path.write_text(json.dumps({k: v for k, v in fields.items() if v is not None}), encoding="utf-8")


def test_the_passphrase_gives_the_same_key_again_at_the_real_cost(tmp_path: Path) -> None:
    card, key = keys.create(tmp_path / "site.key", WORDS, demonstration=False)
    assert keys.unlock(tmp_path / "site.key", WORDS) == key
    assert keys.read_card(tmp_path / "site.key") == card
    assert len(key) == 32


def test_the_key_is_not_in_the_file_and_the_file_is_the_owners_only(tmp_path: Path, cheap_keys: None) -> None:
    path = tmp_path / "site.key"
    _, key = keys.create(path, WORDS, demonstration=False)
    assert key not in path.read_bytes()
    assert key.hex() not in path.read_text(encoding="utf-8")
    assert WORDS not in path.read_text(encoding="utf-8")
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["site.key"]


def test_two_sites_share_nothing(tmp_path: Path, cheap_keys: None) -> None:
    one, first = keys.create(tmp_path / "1", WORDS, demonstration=False)
    other, second = keys.create(tmp_path / "2", WORDS, demonstration=False)
    assert first != second
    assert one.site_id != other.site_id


@pytest.mark.parametrize("wrong", ["", "correct horse battery stapl", WORDS.upper(), WORDS + " ", "demonstration"])
def test_another_passphrase_is_refused(key_file: Path, wrong: str) -> None:
    with pytest.raises(AccessError) as caught:
        keys.unlock(key_file, wrong)
    assert caught.value.code == "KEY-001"
    assert not wrong or wrong not in str(caught.value)


@pytest.mark.parametrize("change", [{"demonstration": True}, {"site_id": "00000000-0000-4000-8000-000000000000"}])
def test_a_card_that_was_changed_does_not_open(key_file: Path, change: dict[str, Any]) -> None:
    changed(key_file, **change)
    with pytest.raises(AccessError):
        keys.unlock(key_file, WORDS)


@pytest.mark.parametrize("unlock", [keys.read_card, lambda path: keys.unlock(path, WORDS)])
def test_a_newer_format_is_told_apart_from_damage(key_file: Path, unlock: Callable[[Path], object]) -> None:
    changed(key_file, format=keys.FORMAT + 1)
    with pytest.raises(StorageError) as caught:
        unlock(key_file)
    assert caught.value.code == "STO-006"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": 1}', b"[" * 100_000, b'{"site_id": 7}'], ids=repr
)
def test_a_damaged_file_is_one_sentence(key_file: Path, content: bytes) -> None:
    key_file.write_bytes(content)
    with pytest.raises(IntegrityError) as caught:
        keys.read_card(key_file)
    assert caught.value.code == "KEY-003"


@pytest.mark.parametrize(
    "change",
    [{"salt": "no base64"}, {"salt": "AAAA"}, {"nonce": "AAAA"}, {"wrapped_key": None}, {"site_id": "\ud800"}],
    ids=repr,
)
def test_a_damaged_field_is_one_sentence(key_file: Path, change: dict[str, Any]) -> None:
    changed(key_file, **change)
    with pytest.raises(IntegrityError) as caught:
        keys.unlock(key_file, WORDS)
    assert caught.value.code == "KEY-003"


def test_every_single_changed_character_of_the_wrapped_key_is_refused(key_file: Path) -> None:
    wrapped = json.loads(key_file.read_text(encoding="utf-8"))["wrapped_key"]
    for place in range(0, len(wrapped) - 2, 7):
        other = "A" if wrapped[place] != "A" else "B"
        changed(key_file, wrapped_key=wrapped[:place] + other + wrapped[place + 1 :])
        with pytest.raises(LumenError):
            keys.unlock(key_file, WORDS)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        keys.read_card(tmp_path / "none")
    assert caught.value.code == "STO-001"


def test_a_short_passphrase_is_refused_but_for_a_demonstration(tmp_path: Path, cheap_keys: None) -> None:
    with pytest.raises(InputError) as caught:
        keys.create(tmp_path / "site.key", "fourteen chars", demonstration=False)
    assert caught.value.code == "KEY-002"
    assert not (tmp_path / "site.key").exists()
    keys.create(tmp_path / "site.key", "fifteen chars ok", demonstration=False)
    card, _ = keys.create(tmp_path / "demo.key", keys.DEMONSTRATION_PASSPHRASE, demonstration=True)
    assert card.demonstration


def test_the_same_words_from_another_keyboard_open_it(tmp_path: Path, cheap_keys: None) -> None:
    composed, apart = "Gerät für Prüfung Ⅻ", "Gera\u0308t fu\u0308r Pru\u0308fung XII"
    _, key = keys.create(tmp_path / "site.key", composed, demonstration=False)
    assert keys.unlock(tmp_path / "site.key", apart) == key


def test_a_passphrase_that_is_no_text_works_like_any_other(tmp_path: Path, cheap_keys: None) -> None:
    _, key = keys.create(tmp_path / "site.key", "bytes of a script \udce9\udcff", demonstration=False)
    assert keys.unlock(tmp_path / "site.key", "bytes of a script \udce9\udcff") == key
    with pytest.raises(AccessError):
        keys.unlock(tmp_path / "site.key", "bytes of a script \udce9\udcfe")
