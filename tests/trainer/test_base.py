"""Whatever form a base comes in, it becomes the same folder; what cannot be trained is one sentence."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lumen_desktop.errors import InputError
from tests.trainer.tiny_base import configured
from trainer.base import Prepared, prepare, template, tiny, tokenizer
from trainer.base.sentencepiece import is_hub_form
from trainer.config import Config
from trainer.recipe import TINY


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as a publisher's folder."""
    folder = tmp_path_factory.mktemp("published") / "model"
    tiny.write(folder)
    return folder


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(published, tmp_path / "model"))


def over(base: Path, place: Path, **fields: str) -> Config:
    """A configuration with this folder as its base."""
    return configured(place / "run", base={"model": str(base), **fields})


def refused(base: Path, place: Path, **fields: str) -> InputError:
    """Why it is not taken; nothing is left of it."""
    config = over(base, place, **fields)
    with pytest.raises(InputError) as error:
        prepare(config)
    assert not (config.work_folder / "base" / "tiny").exists()
    return error.value


def settings(folder: Path, change: Callable[[dict[str, object]], object], name: str = "tokenizer_config.json") -> None:
    """Changes a file of settings."""
    fields = json.loads((folder / name).read_bytes())
    change(fields)
    (folder / name).write_text(json.dumps(fields))


def gone(folder: Path, *names: str) -> None:
    """Files are not there."""
    for name in names:
        (folder / name).unlink()


def test_the_tiny_model_is_made_once(tmp_path: Path) -> None:
    config = configured(tmp_path)
    assert config.base.model == TINY
    told: list[str] = []
    one = prepare(config, told=lambda stage, *_: told.append(stage))
    assert told
    again = prepare(config, told=lambda *_: pytest.fail("it is made again"))
    assert one == again
    assert one.folder == tmp_path / "work" / "base" / "tiny"
    assert one.template == template.MISTRAL
    assert "Rows are filled with <unk>: the base names none." in one.notes
    assert is_hub_form(one.folder / "tokenizer.json")
    assert not list((tmp_path / "work" / "base").glob("*.part"))


def test_a_folder_becomes_what_it_was_made_of(folder: Path, tmp_path: Path, published: Path) -> None:
    prepared = prepare(over(folder, tmp_path, revision="abc"))
    assert (prepared.name, prepared.revision, prepared.licence) == ("tiny", "abc", "Apache-2.0")
    for name in ("config.json", "tokenizer.json", "tokenizer.model", "model.safetensors"):
        assert (prepared.folder / name).read_bytes() == (published / name).read_bytes()
    assert (prepared.folder / "model.safetensors").is_symlink()
    assert "chat_template" not in json.loads((prepared.folder / "tokenizer_config.json").read_bytes())


def test_a_folder_that_changed_is_brought_again(folder: Path, tmp_path: Path) -> None:
    config = over(folder, tmp_path)
    before = prepare(config)
    settings(folder, lambda fields: fields.update(pad_token="</s>"))
    assert prepare(config).notes == ("Rows are filled with <unk>: the base fills them with its end.",)
    (folder / "model.safetensors").rename(tmp_path / "elsewhere")
    with pytest.raises(InputError):
        prepare(config)
    assert before.folder.is_dir()  # what was there is not lost to a refusal


def test_a_tokenizer_json_is_made_where_there_is_none(folder: Path, tmp_path: Path, published: Path) -> None:
    (folder / "tokenizer.json").unlink()
    prepared = prepare(over(folder, tmp_path))
    assert (prepared.folder / "tokenizer.json").read_bytes() == (published / "tokenizer.json").read_bytes()
    assert "tokenizer.json was made from tokenizer.model." in prepared.notes


def test_torch_files_become_safetensors(folder: Path, tmp_path: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    torch.save(weights, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    prepared = prepare(over(folder, tmp_path))
    read = load_file(prepared.folder / "model.safetensors")
    assert read.keys() == weights.keys()
    assert all(torch.equal(read[name], weights[name]) for name in weights)


def test_a_hub_name_is_found_in_the_cache(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub-home"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    model = tmp_path / "hub-home" / "hub" / "models--Some--Model"
    config = configured(tmp_path / "run", base={"model": "Some/Model", "revision": "c0ffee"})
    with pytest.raises(InputError) as error:
        prepare(config)
    assert (error.value.code, "hf download Some/Model --revision c0ffee" in error.value.hint) == ("TRN-062", True)
    shutil.copytree(folder, model / "snapshots" / "c0ffee")
    assert prepare(config).revision == "c0ffee"
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("c0ffee")
    assert prepare(configured(tmp_path / "other", base={"model": "Some/Model"})).folder.is_dir()
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "empty"))
    with pytest.raises(InputError, match="not on this machine"):
        prepare(configured(tmp_path / "third", base={"model": "Some/Model"}))


def test_a_given_template_replaces_the_base_s_own(folder: Path, tmp_path: Path) -> None:
    words = "{% for m in messages %}{{ '<s>' + m.content + '</s>' }}{% endfor %}\n"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.jinja").write_text(words)
    prepared = prepare(over(folder, tmp_path, template="mine.jinja"))
    assert prepared.template == words
    assert "replaces the base's own" in prepared.notes[0]
    assert tokenizer(prepared).chat_template == words
    assert refused(folder, tmp_path / "b", template="none.jinja").code == "TRN-066"


def test_a_base_without_a_template_takes_the_family_s(folder: Path, tmp_path: Path) -> None:
    settings(folder, lambda fields: fields.pop("chat_template"))
    assert refused(folder, tmp_path / "a").code == "TRN-066"
    assert prepare(over(folder, tmp_path / "b", template="mistral")).template == template.MISTRAL


SPOILT: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no config": (lambda at: (at / "config.json").unlink(), "TRN-063", "holds no config.json"),
    "damaged config": (lambda at: (at / "config.json").write_text("[1"), "TRN-063", "config.json is damaged"),
    "another family": (
        lambda at: settings(at, lambda one: one.update(architectures=["GPT2LMHeadModel"]), "config.json"),
        "TRN-063", "GPT2LMHeadModel, which is not trained",
    ),
    "quantised": (
        lambda at: settings(at, lambda one: one.update(quantization_config={"bits": 4}), "config.json"),
        "TRN-063", "quantised already",
    ),
    "no weights": (lambda at: (at / "model.safetensors").unlink(), "TRN-064", "holds no weights"),
    "cut weights": (
        lambda at: (at / "model.safetensors").write_bytes((at / "model.safetensors").read_bytes()[:-8]),
        "TRN-064", "damaged or cut short",
    ),
    "other weights": (
        lambda at: settings(at, lambda one: one.update(vocab_size=32_000), "config.json"),
        "TRN-064", "have 2,048 tokens, its config.json 32000",
    ),
    "a shard is missing": (
        lambda at: (at / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-1.safetensors"}}'),
        "TRN-064", "lacks model-1.safetensors",
    ),
    "a shard elsewhere": (
        lambda at: (at / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../x.safetensors"}}'),
        "TRN-064", "names files that cannot be",
    ),
    "a broken index": (
        lambda at: (at / "model.safetensors.index.json").write_text('{"weight_map": 3}'), "TRN-064", "is damaged",
    ),
    "a pickle": (
        lambda at: (at / "model.safetensors").rename(at / "pytorch_model.bin"),
        "TRN-064", "not in torch's zip form",
    ),
    "no tokenizer": (
        lambda at: gone(at, "tokenizer.json", "tokenizer.model"), "TRN-065", "has neither",
    ),
    "damaged tokenizer": (lambda at: (at / "tokenizer.json").write_text("{}"), "TRN-065", "tokenizer.json is damaged"),
    "damaged sentencepiece": (
        lambda at: (at / "tokenizer.json").replace(at / "tokenizer.model"),
        "TRN-065", "tokenizer.model is damaged",
    ),
    "no settings": (lambda at: (at / "tokenizer_config.json").unlink(), "TRN-066", "no template"),
    "damaged settings": (lambda at: (at / "tokenizer_config.json").write_text("3"), "TRN-065", "is damaged"),
    "no end": (lambda at: settings(at, lambda one: one.pop("eos_token")), "TRN-065", "names no token that ends"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_a_base_that_cannot_be_trained_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    spoil, code, words = SPOILT[name]
    spoil(folder)
    error = refused(folder, tmp_path)
    assert error.code == code
    assert words in error.message


def test_another_model_s_tokenizer_is_refused(folder: Path, tmp_path: Path) -> None:
    fields = json.loads((folder / "tokenizer.json").read_bytes())
    vocabulary = fields["model"]["vocab"]
    fields["model"]["merges"] = []
    fields["model"]["vocab"] = vocabulary | {"beyond": 2_048}
    (folder / "tokenizer.json").write_text(json.dumps(fields))
    assert "2,049 tokens, the weights 2,048" in refused(folder, tmp_path).message
    fields["model"]["vocab"] = {word: n for word, n in vocabulary.items() if n < 1_000}
    (folder / "tokenizer.json").write_text(json.dumps(fields))
    assert refused(folder, tmp_path).code == "TRN-065"


def test_no_token_to_fill_rows_with_is_refused(folder: Path, tmp_path: Path) -> None:
    """Where even the unknown token is the one that ends a turn."""
    settings(folder, lambda fields: fields.update(eos_token="<unk>"))
    assert refused(folder, tmp_path).code == "TRN-068"


@pytest.mark.parametrize(
    ("model", "code"), [("not-there", "TRN-062"), ("../x/../y", "TRN-062"), ("Some/Model", "TRN-062")]
)
def test_a_base_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, code: str
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(InputError) as error:
        prepare(configured(tmp_path, base={"model": model}))
    assert error.value.code == code


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + b"\xff" * 100, b"not one"])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.gguf").write_bytes(content)
    assert refused(tmp_path / "model.gguf", tmp_path).code in ("TRN-063", "TRN-064")


def test_prepared_says_what_it_is(tmp_path: Path) -> None:
    prepared: Prepared = prepare(configured(tmp_path))
    assert len(prepared.sha256) == 64
    assert {file.name for file in prepared.folder.iterdir()} >= {"config.json", "generation_config.json", "base.json"}
