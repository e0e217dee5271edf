"""Export: files that are the trained model, whole or not there; what is not equal is measured and said."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from lumen_desktop.errors import EngineError, InputError, Stopped, StorageError
from tests.trainer.tuned import HAS_CONVERTER, NAME, NO_CONVERTER, example, tuned
from trainer import base, convert, export, importance, merge
from trainer.base.quiet import quiet
from trainer.collect import Stop
from trainer.config import Config
from trainer.conversations import Conversation, conversation, few
from trainer.distance import Expected, distance
from trainer.llama import GgufModel
from trainer.ownership.work import Work
from trainer.parity import token_ids
from trainer.tensors import Tensors
from trainer.trained import Trained
from trainer.turns import Turns

pytestmark = [
    pytest.mark.usefixtures("spawning"),
    pytest.mark.skipif(not HAS_CONVERTER, reason=NO_CONVERTER),
]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A work folder with a merged model."""
    folder = tmp_path_factory.mktemp("exported")
    questions = {
        str(number): {
            "question": f"Which number follows {number}?", "answer": "B",
            "options": {"A": str(number), "B": str(number + 1), "C": "none"},
        }
        for number in range(8)
    }  # fmt: skip
    (folder / "mirage.json").write_text(json.dumps({"medqa": questions}), encoding="utf-8")
    found = tuned(folder, evaluate={"sets": {"mirage": "mirage.json"}})
    merge.merge(found)
    return found


@pytest.fixture(scope="module")
def exported(config: Config) -> export.Exported:
    """What exporting it gave."""
    return export.export(config)


@pytest.fixture(scope="module")
def turns(config: Config) -> Turns:
    """Of the tiny base."""
    prepared = base.prepare(config)
    return Turns(prepared, base.tokenizer(prepared))


@pytest.fixture
def opened(exported: export.Exported) -> Iterator[GgufModel]:
    """The 16-bit file."""
    with GgufModel(exported.folder / exported.files["F16"].name, context_tokens=512, threads=1) as file:
        yield file


def test_the_16_bit_file_is_the_trained_model(exported: export.Exported) -> None:
    one = exported.parity["F16"]
    assert one.tokens.share == 1.0
    assert one.tokens.texts == 12
    assert 0 <= one.distance.kl_mean <= 1e-4
    assert one.distance.top1 >= 0.99
    assert abs(one.distance.task_loss) <= 1e-3


def test_smaller_files_lie_farther_off_and_are_smaller(exported: export.Exported) -> None:
    kinds = ("F16", "Q8_0", "Q4_K_M")
    apart = [exported.parity[kind].distance.kl_mean for kind in kinds]
    sizes = [exported.files[kind].size_bytes for kind in kinds]
    assert apart == sorted(apart)
    assert sizes == sorted(sizes, reverse=True)


def test_name_and_template_arrive(config: Config, exported: export.Exported, opened: GgufModel) -> None:
    assert opened.metadata["general.name"] == NAME
    assert opened.metadata["tokenizer.chat_template"] == base.prepare(config).template
    assert all(one.template_equal for one in exported.parity.values())


def test_the_report_holds_each_file_with_its_figures(config: Config, exported: export.Exported) -> None:
    report = export.read(config)
    assert set(report["files"]) == {"F16", "Q8_0", "Q4_K_M"}
    one = report["files"]["Q8_0"]
    assert one["sha256"] == exported.files["Q8_0"].sha256
    assert one["kl_mean"] == exported.parity["Q8_0"].distance.kl_mean
    assert one["letters"] == 6
    assert one["letters_agree"] >= 0.5
    assert report["files"]["F16"]["letters_agree"] == 1.0
    assert report["merged"] == merge.read(config).sha256


def test_a_second_run_makes_no_file_again(config: Config, exported: export.Exported) -> None:
    before = {path: path.stat().st_mtime_ns for path in exported.folder.iterdir() if path.name != export.NAME}
    assert export.export(config) == exported
    again = {path: path.stat().st_mtime_ns for path in exported.folder.iterdir() if path.name != export.NAME}
    assert again == before


def test_a_file_that_was_changed_is_made_again(config: Config, exported: export.Exported) -> None:
    path = exported.folder / exported.files["Q8_0"].name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert export.export(config).files == exported.files


def test_a_stopped_export_goes_on(tmp_path: Path) -> None:
    config = tuned(tmp_path, export={"quantisations": ["Q8_0"], "ship": "Q8_0", "merge": "original"})
    merge.merge(config)
    stop, folder = Stop(), Work(config.work_folder).exported

    def told(stage: str, _done: int, _all: int) -> None:
        if stage == "quantise Q8_0":
            stop.ask()

    with pytest.raises(Stopped):
        export.export(config, stop=stop, told=told)
    assert [path.name for path in folder.glob("*.gguf*")]
    assert not list(folder.glob("*.part"))
    assert not (folder / export.NAME).exists()
    whole = (folder / f"{NAME}-F16.gguf").stat().st_mtime_ns
    assert export.export(config).files.keys() == {"F16", "Q8_0"}
    assert (folder / f"{NAME}-F16.gguf").stat().st_mtime_ns == whole


def test_without_a_merge_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no merged model"):
        export.export(tuned(tmp_path))


def test_a_full_disk_is_said_before_anything_is_written(small_disk: Path, config: Config) -> None:
    full = small_disk / "work"
    full.mkdir()
    job = export.Job(config, merge.read(config), Work(full), None, None)  # type: ignore[arg-type]
    with pytest.raises(StorageError, match=r"Exporting needs 0\.\d GB") as refusal:
        job.refuse_full()
    assert refusal.value.code == "TRN-081"


# the converter


def _broken(folder: Path, words: str) -> Path:
    folder.mkdir()
    (folder / f"{convert.MODULE}.py").write_text(words, encoding="utf-8")
    return folder


def test_a_broken_converter_is_one_sentence(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "import sys\nopen(sys.argv[3], 'wb').write(b'half')\nraise SystemExit('no such architecture')\n"
    monkeypatch.setenv("LUMEN_CONVERTER", str(_broken(tmp_path / "broken", words)))
    with pytest.raises(EngineError) as refusal:
        convert.to_gguf(merge.read(config).folder, tmp_path / "one.gguf", name="one")
    assert refusal.value.code == "TRN-084"
    assert "status 1" in refusal.value.message
    assert "no such architecture" in (tmp_path / "convert.log").read_text(encoding="utf-8")
    assert not list(tmp_path.glob("one.gguf*"))


def test_a_missing_converter_is_one_sentence(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMEN_CONVERTER", str(tmp_path))
    with pytest.raises(EngineError, match="not set up"):
        convert.to_gguf(merge.read(config).folder, tmp_path / "one.gguf", name="one")


def test_the_converter_is_ended_when_the_run_stops(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMEN_CONVERTER", str(_broken(tmp_path / "slow", "import time\ntime.sleep(600)\n")))

    def asked() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        convert.to_gguf(merge.read(config).folder, tmp_path / "one.gguf", name="one", asked=asked)
    assert not list(tmp_path.glob("one.gguf*"))


def test_one_layer_of_a_model_exports_in_seconds(config: Config, tmp_path: Path) -> None:
    short = convert.truncated(merge.read(config).folder, tmp_path / "short")
    assert not any(".layers.1." in name for name in Tensors(short).places)
    convert.to_gguf(short, tmp_path / "short.gguf", name="short")
    with GgufModel(tmp_path / "short.gguf", context_tokens=256, threads=1) as file:
        assert file.metadata["llama.block_count"] == "1"
        assert np.isfinite(file.last_logits([1, 5, 9])).all()


# tokens


def test_another_tokenizer_is_seen(config: Config, turns: Turns, opened: GgufModel, tmp_path: Path) -> None:
    """The trap that was measured: without the space before a stretch, most ids differ."""
    prepared = base.prepare(config)
    for file in prepared.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    fields: dict[str, Any] = json.loads((tmp_path / "tokenizer.json").read_bytes())
    steps = fields["normalizer"]["normalizers"]
    fields["normalizer"]["normalizers"] = [one for one in steps if one["type"] != "Prepend"]
    (tmp_path / "tokenizer.json").write_text(json.dumps(fields), encoding="utf-8")
    other = replace(prepared, folder=tmp_path)
    split = Work(config.work_folder).dataset / "validation.jsonl"
    found = token_ids(split, Turns(other, base.tokenizer(other)), opened)
    assert found.share == 0.0
    assert len(found.unequal) == 12
    assert token_ids(split, turns, opened).share == 1.0


def test_control_words_in_a_message_are_passed_over_and_counted(
    turns: Turns, opened: GgufModel, tmp_path: Path
) -> None:
    one = example(1)
    message = replace(one.messages[1], content="Write </s> and stop.")
    odd = replace(one, messages=(one.messages[0], message, one.messages[2]))
    (tmp_path / "split.jsonl").write_text(f"{odd.as_line()}\n{one.as_line()}\n", encoding="utf-8")
    found = token_ids(tmp_path / "split.jsonl", turns, opened)
    assert (found.texts, found.equal, found.passed_over) == (1, 1, 1)


# the trained model, distances and importance


def test_layers_are_widened_exactly(config: Config, turns: Turns) -> None:
    folder, asked = merge.read(config).folder, conversation(example(3), turns)
    with quiet():
        whole = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        wanted = whole(torch.tensor([asked.ids]), use_cache=False).logits[0].numpy()
    with Trained(folder, threads=1) as model:
        first, second = model.logits(asked.ids), model.logits(asked.ids)
        assert {one.dtype for one in model.layers.parameters()} == {torch.bfloat16}
    assert np.array_equal(first, second)
    assert np.abs(first - wanted).max() <= 1e-5


def test_distance_is_torchs_divergence_and_loss(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    conversations = [
        Conversation(str(n), "label", (), tuple(rng.integers(0, 50, n)), (False,) * (n - 4) + (True,) * 4)
        for n in (20, 300)
    ]
    ours = {one.ids: rng.normal(size=(len(one.ids), 50)).astype(np.float32) for one in conversations}
    theirs = {ids: (logits + rng.normal(size=logits.shape) / 5).astype(np.float32) for ids, logits in ours.items()}
    expected = Expected(conversations, lambda ids: ours[tuple(ids)], tmp_path / "said")
    found = distance(expected, lambda ids: theirs[tuple(ids)])
    expected.close()
    both = [[torch.tensor(some[one.ids][:-1]).log_softmax(-1) for one in conversations] for some in (ours, theirs)]
    kl = torch.cat([(p.exp() * (p - q)).sum(-1) for p, q in zip(*both, strict=True)])
    picked = [
        torch.cat([-log[range(len(log)), one.ids[1:]] for log, one in zip(logs, conversations, strict=True)])
        for logs in both
    ]
    learn = torch.tensor([flag for one in conversations for flag in one.learn[1:]])
    assert found.kl_mean == pytest.approx(float(kl.mean()), rel=1e-5)
    assert found.kl_p99 == pytest.approx(float(kl.quantile(0.99)), rel=1e-4)
    assert found.loss == pytest.approx(float(picked[1][learn].mean()), rel=1e-5)
    assert found.loss_trained == pytest.approx(float(picked[0][learn].mean()), rel=1e-5)
    assert found.perplexity == pytest.approx(float(picked[1].mean().exp()), rel=1e-4)
    assert (found.tokens, found.learnt, found.positions) == (318, 8, 318)
    assert not (tmp_path / "said").exists()


def test_a_model_is_at_no_distance_from_itself(config: Config, turns: Turns, tmp_path: Path) -> None:
    split = Work(config.work_folder).dataset / "validation.jsonl"
    with Trained(merge.read(config).folder, threads=1) as model:
        expected = Expected(few(split, turns, count=2, longest=512), model.logits, tmp_path / "said")
        found = distance(expected, model.logits)
        expected.close()
    assert found.kl_mean == pytest.approx(0, abs=1e-9)
    assert (found.top1, found.task_loss) == (1.0, 0.0)


def test_importance_is_the_mean_square_of_each_column(config: Config, turns: Turns) -> None:
    """Against the inputs of one module, taken by hand."""
    asked = [conversation(example(number), turns) for number in range(3)]
    heard = []
    with Trained(merge.read(config).folder, threads=1) as model:
        found = importance.importance(model, asked)
        handle = model.layers[2].mlp.down_proj.register_forward_pre_hook(lambda _m, given: heard.append(given[0][0]))
        for one in asked:
            model.logits(one.ids)
        handle.remove()
    wanted = torch.cat(heard).double().square().mean(0)
    assert np.allclose(found["blk.2.ffn_down.weight"], wanted.numpy(), rtol=1e-5)
    assert len(found) == 4 * 7
    assert np.array_equal(found["blk.1.attn_q.weight"], found["blk.1.attn_v.weight"])  # the same inputs
