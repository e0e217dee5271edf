"""A dataset's file becomes tokens once, rows anew; what is left out is counted."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from lumen_desktop.errors import InputError
from tests.trainer.tiny_base import configured
from trainer import rows as rows_module
from trainer.base import Prepared, prepare, tokenizer
from trainer.config import Config
from trainer.lines import LinesFile
from trainer.records import Example, Message, Origin
from trainer.rows import Rows, rows, tokenise
from trainer.turns import Turns


def example(question: str, answer: str) -> Example:
    """A conversation of one question."""
    return Example(
        family="label", template="t", messages=(Message("user", question), Message("assistant", answer)),
        origins=(Origin("r", 0, 1),), doc_ids=("d",), groups=("g",), licences=("MIT",), commercial=True,
    )  # fmt: skip


def examples(count: int) -> list[Example]:
    """Of many lengths."""
    return [
        example(f"Question {n}? " + "word " * (n * 7 % 40), f"Answer {n}. " + "so " * (n % 9)) for n in range(count)
    ]


def dataset(config: Config, split: str, made: Sequence[Example]) -> Path:
    """A file of the work folder."""
    path = config.work_folder / "dataset" / f"{split}.jsonl"
    with LinesFile(path) as file:
        for one in made:
            file.write(one.as_line())
    return path


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(configured(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(scope="module")
def turns(prepared: Prepared) -> Turns:
    return Turns(prepared, tokenizer(prepared))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return configured(tmp_path, finetune={"row_tokens": 256, "example_tokens": 60})


def test_rows_hold_every_example_once_as_it_is_learnt(config: Config, turns: Turns) -> None:
    made = examples(120)
    dataset(config, "train", made)
    told: list[tuple[str, int, int]] = []
    found = rows(config, turns, "train", told=lambda *now: told.append(now))
    kept = {one.id: turns.learnt(one.messages) for one in made if len(turns.learnt(one.messages).ids) <= 60}
    packs = [found[number] for number in range(len(found))]
    assert sorted(name for pack in packs for name in pack.examples) == sorted(kept)
    for pack in packs:
        assert sum(len(one.ids) for one in pack.documents) <= 256
        for name, one in zip(pack.examples, pack.documents, strict=True):
            assert (one.ids.tolist(), one.learn.tolist()) == (kept[name].ids, kept[name].learn)
    counts = found.tokens.counts
    assert (counts.examples, counts.too_long) == (len(kept), 120 - len(kept))
    assert counts.tokens == found.token_count == sum(len(one.ids) for one in kept.values())
    assert counts.learnt == sum(sum(one.learn) for one in kept.values())
    assert 0 < counts.too_long < 120
    assert 0.9 < found.efficiency < 1
    assert found.padding_share == pytest.approx(1 - found.efficiency)
    assert told[0] == ("tokens: train", 0, 120)


def test_tokens_are_made_once_and_again_when_something_changes(config: Config, turns: Turns) -> None:
    path = dataset(config, "train", examples(20))
    one = tokenise(config, turns, "train", longest=100)
    folder = next((config.work_folder / "finetuned" / "tokens").iterdir())
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    again = tokenise(config, turns, "train", longest=100)
    assert before == {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert np.array_equal(one.ids, again.ids)
    assert tokenise(config, turns, "train", longest=99).digest != one.digest
    dataset(config, "train", examples(21))
    assert tokenise(config, turns, "train", longest=100).counts.examples > one.counts.examples
    assert path.is_file()


def test_what_a_killed_run_left_is_written_over(config: Config, turns: Turns) -> None:
    dataset(config, "train", examples(20))
    whole = tokenise(config, turns, "train", longest=100).ids.copy()
    folder = next((config.work_folder / "finetuned" / "tokens").iterdir())
    left = folder.rename(folder.with_name(folder.name + ".part"))
    (left / "ids").write_bytes(b"\1\2\3")
    assert np.array_equal(tokenise(config, turns, "train", longest=100).ids, whole)


def test_the_seed_decides_what_lies_together_and_what_is_taken(config: Config, turns: Turns) -> None:
    dataset(config, "train", examples(120))
    tokens = tokenise(config, turns, "train", longest=100)
    one, same, other = (Rows(tokens, room=256, seed=seed) for seed in (1, 1, 2))
    names = [[pack.examples for pack in map(found.__getitem__, range(len(found)))] for found in (one, same, other)]
    assert names[0] == names[1] != names[2]
    few = Rows(tokens, room=256, seed=1, most=10)
    assert sum(len(few[n].documents) for n in range(len(few))) == few.documents == 10


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_part_whose_examples_all_are_too_long_is_named(config: Config, turns: Turns, split: str) -> None:
    short = config.model_copy(update={"finetune": config.finetune.model_copy(update={"example_tokens": 3})})
    dataset(config, split, examples(5))
    with pytest.raises(InputError, match=f"part {split} is left: 5 are longer") as error:
        rows(short, turns, split)
    assert error.value.code == "TRN-069"


def test_a_dataset_of_another_template_is_refused(
    config: Config, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the model would be asked is not what it learnt after: here because a prompt never fits."""
    dataset(config, "train", [example("Q", "A")] * 3)
    pieces = turns._pieces
    other = (Message("user", "other"),)
    monkeypatch.setattr(turns, "_pieces", lambda said, **how: pieces(other if how["answer_next"] else said, **how))
    with pytest.raises(InputError, match="3 of 3 examples do not begin with their prompt") as error:
        tokenise(config, turns, "train", longest=100)
    assert error.value.code == "TRN-067"
    assert not list((config.work_folder / "finetuned" / "tokens").glob("*[0-9a-f]"))


def test_a_missing_or_damaged_file_is_a_sentence(config: Config, turns: Turns) -> None:
    with pytest.raises(InputError) as error:
        rows(config, turns, "train")
    assert error.value.code == "TRN-017"
    path = dataset(config, "train", examples(3))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError) as error:
        rows(config, turns, "train")
    assert error.value.code == "TRN-009"


def test_counts_are_what_the_folder_says(config: Config, turns: Turns) -> None:
    dataset(config, "train", examples(4))
    counts = tokenise(config, turns, "train", longest=100).counts
    folder = next((config.work_folder / "finetuned" / "tokens").iterdir())
    written = json.loads((folder / "counts.json").read_bytes())
    assert written == {name: getattr(counts, name) for name in rows_module.Counts.__slots__}
