"""Curation from end to end: one dataset from any number of shards, resumed, refused, and on planted faults."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lumen_desktop.errors import InputError, IntegrityError, Stopped
from trainer.curation import Caps, Job, Mix, Progress, Report, Settings, Split, curate, finish, prepare_shards, split
from trainer.curation.keys import Key
from trainer.curation.prepare import lines
from trainer.curation.texts import tokens
from trainer.records import Example

pytest.importorskip("faker", reason="Faker is not installed")
from tests.trainer.planting import Planted, Planter

ROOT = Path(__file__).resolve().parents[2]
FILES = ("train.jsonl", "validation.jsonl", "test.jsonl", "rejects.jsonl")
SETTINGS = Settings(seed=5, split=Split(0.1, 0.1), caps=Caps(60, None, None), mix=Mix(300))


@pytest.fixture(scope="module")
def planted() -> Planted:
    return Planter(11).planted(400, 12)


@pytest.fixture(scope="module")
def parts(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two files of examples, with a line that is none."""
    folder = tmp_path_factory.mktemp("examples")
    rows = [example.as_line() for example in planted.examples]
    (folder / "a.jsonl").write_text(
        "\n".join([*rows[:150], '{"family": 1}', "", *rows[150:300]]) + "\n", encoding="utf-8"
    )
    (folder / "b.jsonl").write_text("\n".join(rows[300:]) + "\n", encoding="utf-8")
    return [folder / "a.jsonl", folder / "b.jsonl"]


@pytest.fixture(scope="module")
def queries(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The evaluation set that the examples were contaminated from."""
    folder = tmp_path_factory.mktemp("sets") / "planted"
    folder.mkdir()
    (folder / "queries.jsonl").write_text("".join(f"{json.dumps(query)}\n" for query in planted.queries))
    return folder


@pytest.fixture(scope="module")
def whole(parts: list[Path], queries: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    """What one shard in one process makes of them."""
    out = tmp_path_factory.mktemp("whole")
    return out, curate(parts, out, SETTINGS, evaluation=[queries], processes=1, shards=1)


def content(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in FILES}


def examples(file: Path) -> Iterator[Example]:
    return map(Example.from_line, file.read_bytes().splitlines())


IN_TWO_PROCESSES = """
import json, sys
from pathlib import Path
from tests.trainer.test_curation_run import SETTINGS
from trainer.curation import curate
if __name__ == "__main__":
    out, queries, *parts = map(Path, sys.argv[1:])
    report = curate(parts, out, SETTINGS, evaluation=[queries], processes=2, shards=4)
    (out / "report.json").write_text(json.dumps(report.as_json()))
"""


def test_four_shards_in_two_processes_give_the_same_bytes(
    parts: list[Path], queries: Path, whole: tuple[Path, Report], tmp_path: Path
) -> None:
    command = [sys.executable, "-c", IN_TWO_PROCESSES, *map(str, (tmp_path, queries, *parts))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "datatrove's log stays off the terminal"
    assert content(tmp_path) == content(whole[0])
    assert json.loads((tmp_path / "report.json").read_text()) == whole[1].as_json()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*FILES, "report.json"])


def test_shards_prepared_one_by_one_and_a_finish_give_the_same_bytes(
    parts: list[Path], queries: Path, whole: tuple[Path, Report], tmp_path: Path
) -> None:
    job = Job(parts, tmp_path, SETTINGS, evaluation=[queries], shards=3)
    for rank in (2, 0, 1):
        prepare_shards(job, range(rank, rank + 1))
    finish(job)
    assert content(tmp_path) == content(whole[0])


def test_a_stopped_run_goes_on_where_it_was(
    parts: list[Path], queries: Path, whole: tuple[Path, Report], tmp_path: Path
) -> None:
    def stop_after_two(progress: Progress) -> None:
        if progress == Progress("prepare", 2, 3):
            raise Stopped

    with pytest.raises(Stopped):
        curate(parts, tmp_path, SETTINGS, evaluation=[queries], processes=1, shards=3, listener=stop_after_two)
    first = tmp_path / "curation" / "prepared-00000.jsonl"
    made = first.stat().st_mtime_ns
    seen = []

    def look(progress: Progress) -> None:
        seen.append(progress)
        if progress == Progress("prepare", 3, 3):
            assert first.stat().st_mtime_ns == made, "a shard that is done is not done again"

    curate(parts, tmp_path, SETTINGS, evaluation=[queries], processes=1, shards=3, listener=look)
    assert content(tmp_path) == content(whole[0])
    assert {progress.stage for progress in seen} >= {"prepare", "match", "compare", "caps", "split", "mix"}


def test_other_settings_begin_anew(parts: list[Path], whole: tuple[Path, Report], tmp_path: Path) -> None:
    prepare_shards(Job(parts, tmp_path, SETTINGS, shards=1), range(1))
    other = Settings(seed=6, split=Split(0.1, 0.1), caps=Caps(60, None, None), mix=Mix(300))
    curate(parts, tmp_path, other, evaluation=[], processes=1, shards=1)
    assert content(tmp_path) != content(whole[0])


def test_every_example_is_accounted_for(parts: list[Path], planted: Planted, whole: tuple[Path, Report]) -> None:
    out, report = whole
    steps = report.as_json()["steps"]
    assert [step["name"] for step in steps] == [
        "read", "quality", "decontaminate", "exact duplicates", "near duplicates", "caps", "split", "mix",
    ]  # fmt: skip
    assert steps[0] == {"name": "read", "taken": len(planted.examples) + 1, "left": len(planted.examples),
                        "reasons": {"unreadable": 1}}  # fmt: skip
    for step, following in itertools.pairwise(steps):
        assert step["left"] == following["taken"]
        assert step["taken"] - step["left"] == sum(step["reasons"].values())
    kept = sum(1 for name in FILES[:3] for _ in examples(out / name))
    assert steps[-1]["left"] == kept == sum(report.splits[name]["examples"] for name in report.splits)
    rejects = [json.loads(line) for line in (out / "rejects.jsonl").read_text().splitlines()]
    assert len(rejects) + kept == len(planted.examples) + 1
    assert any(reject["where"].startswith("a.jsonl@") for reject in rejects)
    assert json.dumps(report.as_json())


def test_no_drug_of_the_test_is_learnt_and_none_of_its_texts(whole: tuple[Path, Report]) -> None:
    drugs = [{group for example in examples(whole[0] / name) for group in example.groups} for name in FILES[:3]]
    assert all(drugs)
    assert not drugs[0] & drugs[2]
    assert not drugs[0] & drugs[1]
    assert not drugs[1] & drugs[2]
    learnt = {" ".join(tokens(example.answer)) for example in examples(whole[0] / "train.jsonl")}
    assert not any(" ".join(tokens(example.answer)) in learnt for example in examples(whole[0] / "test.jsonl"))


def test_what_was_planted_is_found(planted: Planted, whole: tuple[Path, Report]) -> None:
    gone: dict[str, set[str]] = {}
    for line in (whole[0] / "rejects.jsonl").read_text().splitlines():
        reject = json.loads(line)
        gone.setdefault(reject["step"], set()).add(reject["where"])
    copies = len(planted.same) - len(set(planted.same.values()))
    repeated = gone["exact duplicates"] | gone["near duplicates"]
    assert len(repeated & set(planted.same)) >= 0.98 * copies
    assert len(repeated - set(planted.same)) <= 0.02 * len(repeated)
    assert planted.conflicts <= gone["quality"]
    whole_copies = {one for one, how in planted.contaminated.items() if how.startswith(("verbatim", "inside"))}
    assert whole_copies
    assert whole_copies <= gone["decontaminate"]
    assert gone["decontaminate"] <= set(planted.contaminated)
    assert whole[1].decontamination["planted"]["examples"] == len(gone["decontaminate"])
    assert whole[1].decontamination["planted"]["not_checkable_8"] > 0


def test_a_block_belongs_to_one_shard_and_no_line_is_cut(parts: list[Path]) -> None:
    everything = [line for file in parts for line in file.read_bytes().splitlines(keepends=True) if line.strip()]
    for shards in (1, 3):
        dealt = [line for rank in range(shards) for _, line in lines(parts, rank, shards, block=1000)]
        assert sorted(dealt) == sorted(everything)


def test_more_shards_than_lines(tmp_path: Path) -> None:
    part = tmp_path / "one.jsonl"
    part.write_text(Planter(1).planted(1, 1).examples[0].as_line() + "\n", encoding="utf-8")
    report = curate([part], tmp_path, Settings(), evaluation=[], processes=1, shards=3)
    assert sum(report.splits[name]["examples"] for name in report.splits) == 1


def test_nothing_to_curate_and_a_missing_set_are_refused(parts: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no examples") as caught:
        curate([], tmp_path, SETTINGS, evaluation=[], processes=1)
    assert caught.value.code == "TRN-032"
    with pytest.raises(InputError, match="gone") as caught:
        curate(parts, tmp_path, SETTINGS, evaluation=[tmp_path / "gone"], processes=1)
    assert caught.value.code == "TRN-031"
    assert not (tmp_path / "curation").exists()


def test_a_leak_ends_the_run(parts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def leaky(keys: list[Key], _rules: Split, _seed: int) -> split.Parted:
        return split.Parted({key.id: split.PARTS[n % 3] for n, key in enumerate(keys)})

    monkeypatch.setattr(split, "part", leaky)
    with pytest.raises(IntegrityError) as caught:
        curate(parts, tmp_path, SETTINGS, evaluation=[], processes=1, shards=1)
    assert caught.value.code == "TRN-033"
    assert not (tmp_path / "train.jsonl").exists()
