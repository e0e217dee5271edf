"""The configuration: what is read, and the one sentence for each mistake."""

import json
import stat
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from lumen_desktop.errors import InputError
from tests.conftest import ROOT
from trainer.config import Config, load, schema
from trainer.dataset import FAMILIES

CONFIGS = sorted((ROOT / "trainer" / "configs").glob("*.yaml"))
LEAST = "version: 1\nwork: out\n"


def refused(folder: Path, text: str | bytes) -> InputError:
    """What is said of a configuration."""
    file = folder / "my.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as refusal:
        load(file)
    assert "\n" not in refusal.value.message
    return refusal.value


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my.yaml").write_text(LEAST + "sources: {dailymed: {files: [labels]}}\n")
    monkeypatch.chdir(tmp_path)
    config = load(Path("my.yaml"))
    assert config.file == tmp_path / "my.yaml"
    assert config.work_folder == tmp_path / "out"
    assert config.place("/elsewhere") == Path("/elsewhere")
    assert config.sources["dailymed"].files == ["labels"]
    assert config.sources["dailymed"].use is None


def test_the_defaults_are_a_whole_mix(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(LEAST)
    dataset = load(tmp_path / "my.yaml").dataset
    assert set(dataset.mix) == set(FAMILIES)
    assert sum(dataset.mix.values()) == 100
    assert dataset.replay == []


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "TRN-004", "the file: input should be an object"),
        ("- 1", "TRN-004", "input should be an object"),
        ("version: 2\nwork: w", "TRN-004", "line 1, version: input should be 1"),
        ("version: 1", "TRN-004", "work: the field is missing"),
        (LEAST + "fine_tune: {}", "TRN-004", "line 3, fine_tune: there is no such field"),
        (LEAST + "sources:\n  ema:\n    fils: [a]", "TRN-004", "line 5, sources.ema.fils: there is no such field"),
        (LEAST + "sources:\n  ema:\n    files: a", "TRN-004", "line 5, sources.ema.files: input should be a valid"),
        (LEAST + "sources: {ema: {files: [no]}}", "TRN-004", "line 3, sources.ema.files.0: input should be a valid s"),
        (LEAST + "sources: {ema: {licences: {a: BSD}}}", "TRN-004", "line 3, sources.ema.licences: BSD is no known"),
        (LEAST + "collect: {processes: 0}", "TRN-004", "greater than or equal to 1"),
        (LEAST + "collect: {processes: true}", "TRN-004", "valid integer"),
        (LEAST + "collect: {on_error: ignore}", "TRN-004", "'continue' or 'stop'"),
        (LEAST + "dataset:\n  mix:\n    label: 60\n", "TRN-004", "line 4, dataset.mix: the shares must be 0 or more"),
        (LEAST + "dataset:\n  mix: {label: 110, table: -10}", "TRN-004", "the shares must be 0 or more"),
        (LEAST + "dataset:\n  mix: {labels: 100}", "TRN-004", "line 4, dataset.mix.labels: input should be 'label'"),
        (LEAST + "dataset: {split: {test: 0.9}}", "TRN-004", "split.test: input should be less"),
        (
            LEAST + "dataset:\n  replay:\n  - {file: a, licence: my own}",
            "TRN-004",
            "line 5, dataset.replay.0.licence: my",
        ),
        (LEAST + "work: 2024-05-01", "TRN-003", "“work” is there twice"),
        (LEAST + "dataset: {examples: 1e3, seed: -1}", "TRN-004", "(1 more)"),
        (LEAST + "dataset: !!binary aGVq", "TRN-004", "holds something that is neither"),
        ("a: &x [1]\nb: *x\n", "TRN-003", "in line 1: & and * are not allowed"),
        ("a: &x [1]\n", "TRN-003", "& and * are not allowed"),
        ("a: !!python/object/apply:os.system [ls]", "TRN-003", "could not determine a constructor"),
        ("version: 1\nwork: w\nversion: 1", "TRN-003", "in line 3: “version” is there twice"),
        ("[" * 200, "TRN-003", "it is nested too deep"),
        ("a: [1", "TRN-003", "in line 1"),
        ("a: 1\n\tb: 2", "TRN-003", "in line 2"),
        ("? [a]\n: b", "TRN-003", "unhashable"),
        ("a: 1\n---\nb: 2", "TRN-003", "in line 2"),
        ("a: \x01", "TRN-003", "is no plain YAML"),
        (b"a: \xff", "TRN-002", "not UTF-8"),
        (b"a" * 1_100_000, "TRN-002", "larger than 1 MB"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(tmp_path: Path, text: str | bytes, code: str, words: str) -> None:
    refusal = refused(tmp_path, text)
    assert refusal.code == code
    assert words in refusal.message


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(InputError) as refusal:
            load(place)
        assert refusal.value.code == "TRN-002"


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.name)
def test_shipped_configurations_are_read_and_fit_the_schema(file: Path) -> None:
    assert isinstance(load(file), Config)
    jsonschema.validate(yaml.safe_load(file.read_text(encoding="utf-8")), schema())
    assert not file.stat().st_mode & stat.S_IXUSR


def test_there_are_shipped_configurations() -> None:
    assert CONFIGS


def test_every_field_is_described_and_nothing_else_is_allowed() -> None:
    whole = json.loads(json.dumps(schema()))
    for part in [whole, *whole["$defs"].values()]:
        if part.get("type") == "object":
            _described(whole, part)


def _described(whole: dict[str, Any], part: dict[str, Any]) -> None:
    assert part["additionalProperties"] is False
    assert part["description"]
    for name, field in part["properties"].items():
        assert field.get("description") or whole["$defs"][field["$ref"].rpartition("/")[2]]["description"], name


def test_what_looks_like_a_day_stays_text(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("version: 1\nwork: 2024-05-01\n")
    assert load(tmp_path / "my.yaml").work == "2024-05-01"
