"""The key file opens with a person's own password and with nothing else; whoever changes it is found out."""

import base64
import contextlib
import json
import os
import secrets
import stat
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from lumen_desktop.errors import AccessError, IntegrityError, LumenError, StorageError
from lumen_desktop.storage import keys
from lumen_desktop.storage.keys import RECOVERY, KeyFile, Opened
from tests.storage.conftest import KEY, first_format

WORDS = "correct horse battery staple"
PEOPLE = {"anna": WORDS, "Björn Ål": "four other words entirely", "carol": "yet another good sentence"}


def written(path: Path, people: dict[str, str] = PEOPLE, *, key: bytes = KEY) -> KeyFile:
    file = KeyFile.new(demonstration=False)
    for name, password in people.items():
        file.put(key, name, password)
    file.write(path, key)
    return file


@pytest.fixture
def path(tmp_path: Path, cheap_keys: None) -> Path:
    path = tmp_path / "site.key"
    written(path)
    return path


def fields_of(path: Path) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return fields


def changed(path: Path, **values: Any) -> None:
    fields = {**fields_of(path), **values}
    path.write_text(json.dumps({k: v for k, v in fields.items() if v is not None}), encoding="utf-8")


def opened(path: Path, name: str = "anna", password: str = WORDS) -> Opened:
    return KeyFile.read(path).open(name, password)


def code(job: Callable[[], object]) -> str:
    with pytest.raises(LumenError) as caught:
        job()
    return caught.value.code


# --- opening ---


def test_a_password_opens_at_the_real_cost(tmp_path: Path) -> None:
    assert (keys._MEMORY_KIB, keys._PASSES, keys._LANES) == (65_536, 3, 4)
    written(tmp_path / "site.key", {"anna": WORDS})
    assert opened(tmp_path / "site.key").key == KEY


def test_each_person_opens_the_same_key_with_a_secret_of_their_own(path: Path) -> None:
    found = [opened(path, name, password) for name, password in PEOPLE.items()]
    assert {it.key for it in found} == {KEY}
    assert len({it.secret for it in found}) == len(PEOPLE)
    assert {len(it.secret) for it in found} == {32}
    assert repr(found[0]) == "Opened()"


@pytest.mark.parametrize("wrong", ["", WORDS[:-1], WORDS.upper(), WORDS + " ", PEOPLE["carol"], "demonstration"])
def test_another_password_is_refused(path: Path, wrong: str) -> None:
    with pytest.raises(AccessError) as caught:
        opened(path, "anna", wrong)
    assert caught.value.code == "KEY-001"
    assert not wrong or wrong not in str(caught.value)


@pytest.mark.parametrize(
    "typed", ["Björn Ål", "BJÖRN ÅL", "björn ål", " björn  ål ", "björn\u00a0ål", "\uff22\uff2aÖ\uff32\uff2e Ål"]
)
@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_a_name_is_the_same_however_it_is_typed(path: Path, typed: str, form: Any) -> None:
    assert opened(path, unicodedata.normalize(form, typed), PEOPLE["Björn Ål"]).key == KEY


def test_folding_twice_changes_nothing_and_case_does_not_matter_for_any_letter() -> None:
    letters = [c for c in map(chr, range(0x2FFFF)) if unicodedata.category(c)[0] == "L"]
    assert [c for c in letters if keys.folded(keys.folded(c)) != keys.folded(c)] == []
    differing = [c for c in letters if keys.folded(c.lower()) != keys.folded(c)]
    assert differing == []
    assert keys.folded("straße") == keys.folded("STRASSE")


@pytest.mark.parametrize("name", ["ann", "annaa", "", "nobody", RECOVERY, "\udcff", "björn"])
def test_an_unknown_name_reads_and_costs_the_same_as_a_wrong_password(
    path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = []

    def counted(**how: Any) -> Argon2id:
        spent.append({**how, "salt": len(how["salt"])})
        return Argon2id(**how)

    monkeypatch.setattr(keys, "Argon2id", counted)
    refusals = []
    for who in ("anna", name):
        with pytest.raises(AccessError) as caught:
            opened(path, who, "wrong password of anybody")
        refusals.append((caught.value.code, caught.value.message, caught.value.hint))
    assert refusals[0] == refusals[1]
    assert len(spent) == 2
    assert spent[0] == spent[1]


def test_the_same_words_from_another_keyboard_open_it(path: Path) -> None:
    file = KeyFile.read(path)
    file.put(KEY, "anna", "Gerät für Prüfung Ⅻ")
    assert file.knows("ANNA")
    file.write(path, KEY)
    assert opened(path, "anna", "Gera\u0308t fu\u0308r Pru\u0308fung XII").key == KEY


def test_a_password_that_is_no_text_works_like_any_other(path: Path) -> None:
    file = KeyFile.read(path)
    file.put(KEY, "anna", "bytes of a script \udce9\udcff")
    file.write(path, KEY)
    assert opened(path, "anna", "bytes of a script \udce9\udcff").key == KEY
    assert code(lambda: opened(path, "anna", "bytes of a script \udce9\udcfe")) == "KEY-001"


def test_the_file_holds_no_name_key_or_password_and_is_the_owners_only(path: Path) -> None:
    content = path.read_bytes()
    secret = [KEY, *(opened(path, name, password).secret for name, password in PEOPLE.items())]
    shown = [form for it in secret for form in (it, it.hex().encode(), base64.b64encode(it))]
    words = [word.encode() for pair in PEOPLE.items() for text in pair for word in text.split()]
    assert [it for it in shown + words if it.lower() in content.lower()] == []
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["site.key"]


def test_two_sites_share_nothing(tmp_path: Path, cheap_keys: None) -> None:
    one, other = (written(tmp_path / name, {"anna": WORDS}) for name in ("1", "2"))
    assert one.card.site_id != other.card.site_id
    assert one.label("anna") != other.label("anna")
    assert opened(tmp_path / "1").secret != opened(tmp_path / "2").secret


def test_the_card_is_read_before_anybody_signs_in(tmp_path: Path, cheap_keys: None) -> None:
    file = KeyFile.new(demonstration=True)
    file.write(tmp_path / "site.key", KEY, finished=False)
    card = keys.read_card(tmp_path / "site.key")
    assert (card.site_id, card.demonstration, card.accounts, card.finished) == (file.card.site_id, True, True, False)
    file.write(tmp_path / "site.key", KEY)
    assert keys.read_card(tmp_path / "site.key").finished


# --- people come, go and change ---


def test_a_new_password_keeps_the_signing_key_where_the_secret_is_kept(path: Path) -> None:
    file, before = KeyFile.read(path), opened(path)
    kept = file.put(KEY, "Anna", "a password of her own choice", secret=before.secret)
    file.write(path, KEY)
    assert opened(path, "anna", "a password of her own choice") == before
    assert kept == keys.signing_key(before.secret).public_key().public_bytes_raw()
    assert code(lambda: opened(path, "anna", WORDS)) == "KEY-001"
    fresh = KeyFile.read(path).put(KEY, "anna", WORDS)
    assert fresh != kept


def test_who_is_dropped_opens_nothing_and_others_are_left_as_they_are(path: Path) -> None:
    file = KeyFile.read(path)
    file.drop("ANNA")
    file.drop("nobody")
    file.write(path, KEY)
    assert code(lambda: opened(path)) == "KEY-001"
    assert not KeyFile.read(path).knows("anna")
    assert opened(path, "carol", PEOPLE["carol"]).key == KEY


def test_a_new_key_reaches_everybody_and_the_old_one_opens_nothing_any_more(path: Path) -> None:
    before = {name: opened(path, name, password) for name, password in PEOPLE.items()}
    file, fresh, old_boxes = KeyFile.read(path), secrets.token_bytes(32), fields_of(path)["slots"]
    file.put(KEY, RECOVERY, "AAAA-BBBB")
    file.reseal(fresh)
    file.write(path, fresh)
    for name, password in PEOPLE.items():
        assert opened(path, name, password) == Opened(fresh, before[name].secret)
    assert opened(path, RECOVERY, "AAAA-BBBB").key == fresh
    assert all(slot["box"] != old_boxes[label]["box"] for label, slot in fields_of(path)["slots"].items()
               if label in old_boxes)  # fmt: skip
    # A person who kept the old key, or an old slot, cannot make the file of now their own.
    forged = KeyFile.read(path)
    forged.put(KEY, "mallory", WORDS)
    forged.write(path, KEY)
    assert code(lambda: opened(path, "anna", WORDS)) == "KEY-003"


def test_the_recovery_code_has_a_slot_of_its_own(path: Path) -> None:
    made = {keys.recovery_code() for _ in range(100)}
    assert len(made) == 100
    recovery = made.pop()
    assert [len(group) for group in recovery.split("-")] == [4] * 8
    assert len(base64.b32decode(recovery.replace("-", ""))) == 20
    file = KeyFile.read(path)
    file.put(KEY, RECOVERY, recovery)
    file.write(path, KEY)
    assert opened(path, RECOVERY, recovery).key == KEY
    assert code(lambda: opened(path, RECOVERY, made.pop())) == "KEY-001"
    assert code(lambda: opened(path, "recovery", recovery)) == "KEY-001"


# --- whoever changes the file is found out ---


def refused(path: Path, fields: dict[str, Any]) -> bool:
    """Whether a changed file opens for nobody; a crash would be no refusal."""
    path.write_text(json.dumps(fields), encoding="utf-8")
    for name, password in PEOPLE.items():
        with contextlib.suppress(AccessError, StorageError):
            opened(path, name, password)
            return False
    return True


def texts(fields: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where the texts of a document stand."""
    if isinstance(fields, dict):
        return [it for name, value in fields.items() for it in texts(value, (*place, name))]
    return [place] if isinstance(fields, str) else []


@pytest.mark.no_cover
def test_every_single_changed_character_of_every_field_is_refused(tmp_path: Path, cheap_keys: None) -> None:
    path = tmp_path / "site.key"
    file = written(path, PEOPLE)
    file.put(KEY, RECOVERY, "AAAA-BBBB")
    file.write(path, KEY)
    whole = path.read_text(encoding="utf-8")
    tried, accepted = 0, []
    for place in texts(json.loads(whole)):
        *above, last = place
        length = len(json.loads(whole)["site_id"]) if last == "site_id" else None
        fields = json.loads(whole)
        holder = fields
        for name in above:
            holder = holder[name]
        text = holder[last]
        steps = range(len(text)) if length or last == "seal" else {0, len(text) // 2, *range(
            len(text) - 4, len(text))}  # fmt: skip
        for at in steps:
            for other in {chr(ord(text[at]) ^ 1), text[at].swapcase(), "A", "="} - {text[at]}:
                holder[last] = text[:at] + other + text[at + 1 :]
                tried += 1
                if not refused(path, fields):
                    accepted.append((place, at, other))
        holder[last] = text
    assert accepted == []
    assert tried > 400


@pytest.mark.parametrize(
    "change",
    [
        {"demonstration": True},
        {"finished": False},
        {"finished": None},
        {"site_id": "00000000-0000-4000-8000-000000000000"},
        {"format": 1},
        {"format": 0},
        {"format": True},
        {"format": "2"},
        {"demonstration": 0},
        {"slots": {}},
        {"slots": []},
        {"slots": None},
        {"seal": None},
        {"seal": ""},
    ],
    ids=repr,
)
def test_a_card_that_was_changed_does_not_open(path: Path, change: dict[str, Any]) -> None:
    fields = {**fields_of(path), **change}
    if change == {"finished": None}:
        fields["finished"] = "yes"
    assert refused(path, fields)


def test_a_site_is_not_passed_off_as_finished(tmp_path: Path, cheap_keys: None) -> None:
    path = tmp_path / "site.key"
    file = KeyFile.new(demonstration=False)
    file.put(KEY, "anna", WORDS)
    file.write(path, KEY, finished=False)
    assert opened(path).key == KEY
    fields = fields_of(path)
    del fields["finished"]
    assert refused(path, fields)


def test_slots_moved_to_another_person_open_nothing(path: Path) -> None:
    fields = fields_of(path)
    file = KeyFile.read(path)
    anna, carol = file.label("anna"), file.label("carol")
    slots = fields["slots"]
    assert refused(path, {**fields, "slots": {**slots, anna: slots[carol], carol: slots[anna]}})
    assert code(lambda: opened(path, "anna", PEOPLE["carol"])) == "KEY-001"
    assert refused(path, {**fields, "slots": {**slots, carol: slots[anna]}})
    # The part that the password opens stays, the sealed key comes from another slot.
    lent = {name: slots[carol][name] for name in ("ephemeral", "box_nonce", "box")}
    assert refused(path, {**fields, "slots": {**slots, anna: {**slots[anna], **lent}}})
    for left in slots:
        assert refused(path, {**fields, "slots": {label: slot for label, slot in slots.items() if label != left}})


def test_a_slot_of_another_site_opens_nothing(path: Path, tmp_path: Path) -> None:
    other = written(tmp_path / "other.key", {"anna": "known to the stranger well"})
    stranger = fields_of(tmp_path / "other.key")["slots"][other.label("anna")]
    fields, label = fields_of(path), KeyFile.read(path).label("anna")
    assert refused(path, {**fields, "slots": {**fields["slots"], label: stranger}})
    assert code(lambda: opened(path, "anna", "known to the stranger well")) == "KEY-001"


def test_an_older_state_of_a_slot_is_refused_beside_the_newer_ones(path: Path) -> None:
    before, file = fields_of(path), KeyFile.read(path)
    file.put(KEY, "anna", "a password of her own choice")
    file.write(path, KEY)
    fields = fields_of(path)
    label = file.label("anna")
    assert refused(path, {**fields, "slots": {**fields["slots"], label: before["slots"][label]}})


def test_a_public_half_without_a_key_behind_it_is_damage(path: Path) -> None:
    fields, label = fields_of(path), KeyFile.read(path).label("anna")
    fields["slots"][label]["ephemeral"] = base64.b64encode(bytes(32)).decode()  # a point of low order
    path.write_text(json.dumps(fields), encoding="utf-8")
    assert code(lambda: opened(path)) == "KEY-003"


# --- files that are none ---


@pytest.mark.parametrize("read", [keys.read_card, KeyFile.read])
def test_a_newer_format_is_told_apart_from_damage(path: Path, read: Callable[[Path], object]) -> None:
    changed(path, format=keys.FORMAT + 1)
    with pytest.raises(StorageError) as caught:
        read(path)
    assert caught.value.code == "STO-006"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": 2}', b"[" * 100_000, b'{"site_id": 7}',
                b'{"format": 1}', b'{"format": -1}', b'{"format": 2.0}'], ids=lambda it: repr(it[:20])
)  # fmt: skip
def test_a_damaged_file_is_one_sentence(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(IntegrityError) as caught:
        keys.read_card(path)
    assert caught.value.code == "KEY-003"
    assert str(path) in caught.value.message


@pytest.mark.parametrize("part", ["salt", "nonce", "secret", "public", "ephemeral", "box_nonce", "box"])
@pytest.mark.parametrize("value", ["no base64", "AAAA", "", None, 7, "\udcff"], ids=repr)
def test_a_damaged_slot_is_one_sentence(path: Path, part: str, value: object) -> None:
    fields, label = fields_of(path), KeyFile.read(path).label("anna")
    fields["slots"][label][part] = value
    path.write_text(json.dumps(fields), encoding="utf-8")
    assert code(lambda: opened(path)) == "KEY-003"
    del fields["slots"][label][part]
    path.write_text(json.dumps(fields), encoding="utf-8")
    assert code(lambda: opened(path)) == "KEY-003"


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    assert code(lambda: keys.read_card(tmp_path / "none")) == "STO-001"


# --- format 1: one passphrase ---


def test_a_file_of_the_first_format_opens_with_its_passphrase(tmp_path: Path, cheap_keys: None) -> None:
    path = tmp_path / "site.key"
    fields = first_format(path, WORDS)
    file = KeyFile.read(path)
    assert (file.card.site_id, file.card.accounts, file.card.finished) == (fields["site_id"], False, True)
    assert file.open_with_passphrase(WORDS) == KEY
    assert code(lambda: file.open_with_passphrase(WORDS + " ")) == "KEY-006"
    assert code(lambda: file.open("anna", WORDS)) == "KEY-001"
    assert not file.knows("")


@pytest.mark.parametrize(
    "change", [{"salt": "no base64"}, {"salt": "AAAA"}, {"nonce": "AAAA"}, {"wrapped_key": None}, {"site_id": "\ud800"},
               {"site_id": 7}, {"demonstration": "no"}], ids=repr
)  # fmt: skip
def test_a_damaged_file_of_the_first_format_is_one_sentence(
    tmp_path: Path, cheap_keys: None, change: dict[str, Any]
) -> None:
    path = tmp_path / "site.key"
    first_format(path, WORDS)
    changed(path, **change)
    assert code(lambda: KeyFile.read(path)) == "KEY-003"


def test_every_changed_character_of_the_first_format_is_refused(tmp_path: Path, cheap_keys: None) -> None:
    path = tmp_path / "site.key"
    fields = first_format(path, WORDS)
    for name in ("site_id", "salt", "nonce", "wrapped_key"):
        for at in range(len(fields[name])):
            text = fields[name]
            other = text[:at] + ("b" if text[at] != "b" else "c") + text[at + 1 :]
            path.write_text(json.dumps({**fields, name: other}), encoding="utf-8")
            assert code(lambda: KeyFile.read(path).open_with_passphrase(WORDS)) in {"KEY-003", "KEY-006"}
