"""Questions in other words by a real model: flagged, checked, and the answers as they were."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lumen_desktop import paths
from lumen_desktop.errors import InputError
from tests.trainer.test_building import config, written
from trainer import building
from trainer.collect import collect
from trainer.config import Config
from trainer.dataset.rewording import UNTOUCHED, Rewording, rewriter
from trainer.ownership.work import Work
from trainer.records import Example

__all__ = ["config"]
pytestmark = pytest.mark.usefixtures("spawning")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    rewriter.cache_clear()


@pytest.fixture
def starter() -> Path:
    model = paths.models() / "smollm2-135m-instruct-q8_0.gguf"
    if not model.is_file():
        pytest.skip("the starter model is not installed")
    return model


def _examples(made: Config) -> dict[str, Example]:
    folder = made.work_folder / "examples"
    lines = [line for path in sorted(folder.rglob("*.jsonl")) for line in path.read_bytes().splitlines()]
    return {example.id: example for example in map(Example.from_line, lines)}


@pytest.mark.model
def test_a_real_model_rewords_a_share_and_what_fails_stays(config: Config, tmp_path: Path, starter: Path) -> None:
    collect(config)
    building.build(config, processes=1)
    before = _examples(config)
    reworded = written(tmp_path, paraphrase={"model": str(starter), "share": 0.3})
    built = building.build(reworded, processes=1)
    after = _examples(reworded)
    assert built.made == built.files  # other words are other examples
    assert sum(built.reworded.values()) > 0
    assert len(after) <= len(before)
    changed = [example for key, example in after.items() if key not in before]
    assert len(changed) == built.reworded.get("reworded", 0)
    for example in changed:
        assert example.synthetic
        assert example.template.endswith("-synthetic")
        assert any(example.answer == other.answer and example.origins == other.origins for other in before.values())
    assert building.build(reworded, processes=1).made == 0


def test_only_the_share_is_asked_and_people_s_own_words_never(config: Config) -> None:
    collect(config)
    building.build(config, processes=1)
    examples = list(_examples(config).values())
    asked: list[str] = []

    def note(question: str) -> str:
        asked.append(question)
        return question

    everything = Rewording(note, share=1.0, seed=1)
    assert list(everything(examples)) == examples  # the same words are no other words
    assert len(asked) == sum(example.family not in UNTOUCHED for example in examples)
    assert everything.counts == {"same-words": len(asked)}
    nothing = Rewording(note, share=0.0, seed=1)
    assert list(nothing(examples)) == examples
    assert not nothing.counts


def test_a_model_that_is_not_there_is_refused_with_its_name(config: Config, tmp_path: Path) -> None:
    collect(config)
    with pytest.raises(InputError) as refused:
        building.build(written(tmp_path, paraphrase={"model": "none.gguf"}), processes=1)
    assert refused.value.code == "TRN-027"
    assert "none.gguf" in refused.value.message
    assert not (Work(config.work_folder).dataset / "train.jsonl").exists()
