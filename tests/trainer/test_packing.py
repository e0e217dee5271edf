"""Rows are full, and what shares one does not touch: packed documents say what each says alone."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from tests.trainer.tiny_base import configured
from trainer.base import load, prepare
from trainer.packing import NOT_LEARNT, Document, Pack, best_fit, collate, collate_to_learn


def document(generator: random.Random, length: int) -> Document:
    """Random tokens, the latter half learnt."""
    ids = np.array([generator.randrange(3, 2_000) for _ in range(length)])
    return Document(ids, np.arange(length) >= length // 2)


@pytest.mark.parametrize("seed", range(5))
def test_every_document_is_in_one_row_and_no_row_is_too_full(seed: int) -> None:
    generator = random.Random(seed)
    lengths = [generator.randint(1, 100) for _ in range(500)]
    rows = best_fit(lengths, 128)
    assert sorted(number for row in rows for number in row) == list(range(500))
    assert all(sum(lengths[number] for number in row) <= 128 for row in rows)
    assert len(rows) <= 11 / 9 * sum(lengths) / 128 + 1  # never worse: Johnson 1973


def test_the_fullest_row_with_room_is_chosen() -> None:
    assert best_fit([6, 5, 4, 3, 2], 10) == [[0, 2], [1, 3, 4]]
    assert best_fit([7, 6, 3], 10) == [[0, 2], [1]]
    assert best_fit([], 10) == []


@pytest.mark.parametrize("length", [0, 11])
def test_a_document_that_fits_no_row_is_an_error(length: int) -> None:
    with pytest.raises(ValueError, match="fits no row"):
        best_fit([3, length], 10)


def test_documents_of_real_lengths_fill_their_rows() -> None:
    generator = np.random.default_rng(1)
    lengths = np.clip(generator.lognormal(6, 0.7, 50_000).astype(int), 1, 8_192)
    rows = best_fit(lengths.tolist(), 8_192)
    assert lengths.sum() / (len(rows) * 8_192) > 0.97


def test_a_batch_says_where_documents_begin() -> None:
    one, two = (Document(np.array(ids), np.array(learn)) for ids, learn in (([5, 6, 7], [1, 1, 0]), ([8, 9], [0, 1])))
    batch = collate([Pack(0, (one,)), Pack(1, (two,))])
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8, 9]]
    assert batch["labels"].tolist() == [[-100, 6, -100, -100, 9]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    assert batch["cu_seq_lens_q"].tolist() == batch["cu_seq_lens_k"].tolist() == [0, 3, 5]
    assert (batch["max_length_q"], batch["max_length_k"]) == (3, 3)
    assert batch["use_cache"] is False
    assert batch["cu_seq_lens_q"].dtype == torch.int32
    assert {batch[name].dtype for name in ("input_ids", "labels", "position_ids")} == {torch.int64}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PreTrainedModel:
    config = configured(tmp_path_factory.mktemp("tiny"))
    return load(prepare(config), precision="fp32", compute="fp32")


def whole(model: PreTrainedModel, documents: list[Document]) -> torch.Tensor:
    """Logits of one row with these documents."""
    batch = collate([Pack(0, tuple(documents))])
    batch.pop("labels")
    logits: torch.Tensor = model(**batch).logits[0]
    return logits


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_packed_logits_are_those_of_each_document_alone(model: PreTrainedModel, *, training: bool) -> None:
    generator = random.Random(3)
    documents = [document(generator, length) for length in (40, 7, 1, 93, 22)]
    model.train(training)
    with torch.no_grad():
        packed = whole(model, documents)
        alone = torch.cat([model(torch.from_numpy(one.ids)[None]).logits[0] for one in documents])
        joined = model(torch.from_numpy(np.concatenate([one.ids for one in documents]))[None]).logits[0]
    model.eval()
    assert (packed - alone).abs().max() <= 1e-4
    assert (joined - alone).abs().max() > 1e-2  # the test would see it


def test_a_packed_loss_is_the_mean_over_learnt_tokens(model: PreTrainedModel) -> None:
    documents = [document(random.Random(4), length) for length in (31, 12)]
    with torch.no_grad():
        packed = model(**collate([Pack(0, tuple(documents))])).loss
        apart, tokens = 0.0, 0
        for one in documents:
            batch = collate([Pack(0, (one,))])
            count = int((batch["labels"] != -100).sum())
            apart, tokens = apart + float(model(**batch).loss) * count, tokens + count
    assert packed.item() == pytest.approx(apart / tokens, abs=1e-5)


@pytest.mark.parametrize("divisor", [None, 7])
def test_scores_only_where_something_is_learnt_give_the_same_loss_and_gradients(
    model: PreTrainedModel, divisor: int | None
) -> None:
    pack = Pack(0, tuple(document(random.Random(5), length) for length in (23, 40)))
    whole_row, learnt = collate([pack]), collate_to_learn([pack])
    made = []
    for batch in (whole_row, learnt):
        model.zero_grad()
        out = model(**batch, num_items_in_batch=divisor)
        out.loss.backward()
        made.append((out, model.model.layers[0].self_attn.q_proj.weight.grad.clone()))
    model.zero_grad()
    assert made[0][0].logits.shape[1] == 63
    assert made[1][0].logits.shape[1] == int((whole_row["labels"] != NOT_LEARNT).sum())
    torch.testing.assert_close(made[1][0].loss, made[0][0].loss)
    torch.testing.assert_close(made[1][1], made[0][1], atol=1e-7, rtol=1e-4)


def test_tiny_is_the_same_wherever_it_is_made(tmp_path: Path) -> None:
    one, two = (prepare(configured(tmp_path / name)) for name in "ab")
    assert one.sha256 == two.sha256
