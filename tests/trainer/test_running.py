"""All steps in order: what is done again, what is skipped, and what a stop leaves."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from lumen_desktop.errors import InputError, Stopped
from trainer import running
from trainer.collect import Stop
from trainer.config import Config
from trainer.running import Done, Step, Told


@pytest.fixture
def config(configured: Callable[..., Config]) -> Config:
    made = configured({})
    made.work_folder.mkdir()
    (made.work_folder / "in.txt").write_text("words")
    return made


def _step(name: str, source: str, target: str, *, sections: tuple[str, ...] = ()) -> Step:
    """Writes a file's words in capitals."""

    def work(config: Config, _stop: Stop, told: Told) -> str:
        told("writing", 0, 1)
        words = (config.work_folder / source).read_text()
        (config.work_folder / target).write_text(words.upper() + name)
        return f"{name} wrote {len(words)} letters"

    return Step(
        name, sections, lambda config: [config.work_folder / source], lambda config: [config.work_folder / target], work
    )


CHAIN = (_step("first", "in.txt", "a.txt", sections=("finetune",)), _step("second", "a.txt", "b.txt"))


def _ran(done: list[Done]) -> list[str]:
    return [one.name for one in done if not one.skipped]


def test_a_second_run_does_nothing_and_says_what_the_first_said(config: Config) -> None:
    first, second = (running.run(config, CHAIN) for _ in range(2))
    assert (_ran(first), _ran(second)) == (["first", "second"], [])
    assert [one.words for one in second] == [one.words for one in first]


def test_a_changed_input_does_again_what_rests_on_it(config: Config) -> None:
    running.run(config, CHAIN)
    (config.work_folder / "in.txt").write_text("other words")
    assert dict(running.due(config, CHAIN))["first"]
    assert _ran(running.run(config, CHAIN)) == ["first", "second"]


def test_an_output_changed_by_hand_is_made_again_and_what_did_not_change_is_left(config: Config) -> None:
    running.run(config, CHAIN)
    (config.work_folder / "a.txt").write_text("by hand")
    assert _ran(running.run(config, CHAIN)) == ["first"]  # it became what it was, so the second is still right


def test_an_output_that_is_gone_is_made_again(config: Config) -> None:
    running.run(config, CHAIN)
    (config.work_folder / "b.txt").unlink()
    assert _ran(running.run(config, CHAIN)) == ["second"]


def test_only_the_sections_that_decide_a_step_make_it_due(configured: Callable[..., Config]) -> None:
    config = configured({})
    config.work_folder.mkdir()
    (config.work_folder / "in.txt").write_text("words")
    running.run(config, CHAIN)
    assert _ran(running.run(configured({}, release={"build": 7}), CHAIN)) == []
    assert _ran(running.run(configured({}, finetune={"seed": 7}), CHAIN)) == ["first"]


def test_a_refused_step_ends_the_run_and_the_next_goes_on_from_it(config: Config) -> None:
    refused = InputError("No.", code="TRN-017", hint="Try.")

    def refuse(_config: Config, _stop: Stop, _told: Told) -> str:
        raise refused

    broken = Step("second", (), lambda _: [], lambda config: [config.work_folder / "b.txt"], refuse)
    heard: list[Done] = []
    with pytest.raises(InputError):
        running.run(config, (CHAIN[0], broken), heard=heard.append)
    assert [one.name for one in heard] == ["first"]
    assert _ran(running.run(config, CHAIN)) == ["second"]


def test_a_stop_between_steps_keeps_what_is_done(config: Config) -> None:
    stop = Stop()
    with pytest.raises(Stopped):
        running.run(config, CHAIN, stop=stop, heard=lambda _done: stop.ask())
    assert _ran(running.run(config, CHAIN)) == ["second"]


def test_a_stamp_that_is_damaged_counts_as_none(config: Config) -> None:
    running.run(config, CHAIN)
    (config.work_folder / "steps" / "first.json").write_text("{")
    assert _ran(running.run(config, CHAIN)) == ["first"]


def test_progress_names_the_step(config: Config, tmp_path: Path) -> None:
    told: list[str] = []
    running.run(config, CHAIN, told=lambda stage, _done, _all: told.append(stage))
    assert told == ["first: writing", "second: writing"]


def test_a_step_that_looks_for_itself_is_always_asked(config: Config) -> None:
    looking = dataclasses.replace(CHAIN[0], looks=True)
    running.run(config, (looking, CHAIN[1]))
    assert _ran(running.run(config, (looking, CHAIN[1]))) == ["first"]  # what it left is the same, so the rest stays
    assert dict(running.due(config, (looking, CHAIN[1]))) == {"first": True, "second": False}
