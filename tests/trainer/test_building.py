"""From a collection to a finished dataset: whole, resumable, the same bytes whatever the shards; and its refusals."""

import hashlib
import json
from pathlib import Path

import pytest

from lumen_desktop.errors import InputError, Stopped
from trainer import building, cli
from trainer.collect import Shard, Stop, collect
from trainer.config import Config, load
from trainer.ownership import manifest
from trainer.ownership.work import Work

pytestmark = pytest.mark.usefixtures("spawning")

DRUGS = ("zelboraxine", "quintomabine", "ferrolide", "ossaprine", "tellurimide", "vandorex", "mirabole", "cantovir")


_WARNED = (
    "Do not take {0} if you are allergic to it.\nDo not take {0} with grapefruit juice."
    " {0} is not recommended during pregnancy."
)


def leaflet(name: str, number: int) -> str:
    title, maximum = name.title(), 2 * number
    sections = [
        (f"1. What {name} is and what it is used for", f"{title} is used to treat high pressure in adults."),
        (f"2. What you need to know before you take {name}", _WARNED.format(title)),
        (f"3. How to take {name}", f"The usual dose is {number} mg once a day. The maximum is {maximum} mg a day."),
        (f"5. How to store {name}", f"Store {title} below {number} °C."),
    ]
    fields = {
        "product": name, "ema_id": f"EU/1/{number}/001", "lang": "en",
        "sections": [{"title": heading, "text": text} for heading, text in sections],
    }  # fmt: skip
    return json.dumps(fields)


def label(name: str, number: int) -> dict[str, object]:
    return {
        "set_id": f"{name}-set", "id": f"{name}-1", "version": "1", "effective_time": "20240501",
        "indications_and_usage": [f"{name.title()} is indicated for the treatment of high pressure in adults."],
        "dosage_and_administration": [
            f"The recommended dose is {number} mg once daily. The maximum dose is {2 * number} mg daily."
        ],
        "contraindications": [f"{name.title()} is contraindicated in patients with a known allergy to {name}."],
        "openfda": {"brand_name": [name.title()], "generic_name": [name], "substance_name": [name.upper()]},
    }  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> Config:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    lines = [leaflet(name, 10 + n) for n, name in enumerate(DRUGS[:4])]
    (inputs / "leaflets.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    labels = [label(name, 20 + n) for n, name in enumerate(DRUGS[4:])]
    found = {"meta": {"disclaimer": "Do not rely on it.", "results": {"total": len(labels)}}, "results": labels}
    (inputs / "labels.json").write_text(json.dumps(found), encoding="utf-8")
    return written(tmp_path)


def written(folder: Path, **dataset: object) -> Config:
    fields = {
        "version": 1, "work": "work", "collect": {"processes": 1},
        "sources": {"ema": {"files": ["inputs/leaflets.jsonl"]}, "openfda": {"files": ["inputs/labels.json"]}},
        "dataset": {"examples": 1000, "split": {"validation": 0.2, "test": 0.2}, **dataset},
    }  # fmt: skip
    (folder / "build.yaml").write_text(json.dumps(fields), encoding="utf-8")  # JSON is YAML
    return load(folder / "build.yaml")


def digests(config: Config) -> dict[str, str]:
    files = sorted(p for p in Work(config.work_folder).dataset.rglob("*") if p.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_dataset_is_made_whole_with_its_papers(config: Config) -> None:
    collect(config)
    stages: list[str] = []
    built = building.build(config, processes=1, told=lambda stage, _done, _all: stages.append(stage))
    assert built.made == built.files == 2
    assert set(built.families) >= {"label", "dosing"}
    assert stages[0] == "examples"
    assert "papers" in stages
    assert {"train.jsonl", "card.md", "NOTICE", "licences.json", "manifest.json", "report.html"} <= digests(
        config
    ).keys()
    assert built.verdict is not None
    assert built.verdict.commercial
    assert manifest.verify(Work(config.work_folder).dataset) == ()
    sides: dict[str, set[str]] = {}
    for split, example in Work(config.work_folder).examples():
        for group in example.groups:
            sides.setdefault(group, set()).add(split)
    assert sides
    assert all(len(where) == 1 for where in sides.values())
    assert {split for where in sides.values() for split in where} == {"train", "validation", "test"}


def test_a_second_run_makes_nothing_again_and_leaves_the_same_bytes(config: Config) -> None:
    collect(config)
    building.build(config, processes=1)
    first = digests(config)
    again = building.build(config, processes=1)
    assert (again.made, again.files) == (0, 2)
    assert digests(config) == first


def test_shards_and_processes_give_the_same_bytes(config: Config, tmp_path: Path) -> None:
    collect(config)
    building.build(config, processes=1)
    whole = digests(config)
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / "inputs").rename(other / "inputs")
    sharded = written(other)
    collect(sharded)
    for number in (1, 2):
        shard = building.build(sharded, only=Shard(number, 2), processes=1)
        assert (shard.files, shard.made, shard.verdict) == (1, 1, None)
    for number in (2, 1, 3):
        building.build(sharded, only=Shard(number, 3), step=building.Step.PREPARE, processes=1)
    for number in (2, 1):
        building.build(sharded, only=Shard(number, 2), step=building.Step.MATCH, processes=1)
    assert building.build(sharded, processes=2).made == 0
    assert digests(sharded) == whole


def test_a_share_of_curation_waits_for_all_examples(config: Config) -> None:
    collect(config)
    building.build(config, only=Shard(1, 2), processes=1)
    with pytest.raises(InputError) as refused:
        building.build(config, only=Shard(1, 2), step=building.Step.PREPARE, processes=1)
    assert refused.value.code == "TRN-017"


def test_looking_for_duplicates_waits_for_all_shards(config: Config) -> None:
    collect(config)
    building.build(config, only=Shard(1, 1), processes=1)
    building.build(config, only=Shard(1, 2), step=building.Step.PREPARE, processes=1)
    with pytest.raises(InputError) as refused:
        building.build(config, only=Shard(1, 2), step=building.Step.MATCH, processes=1)
    assert refused.value.code == "TRN-034"


def test_two_processes_make_the_same_examples(config: Config) -> None:
    collect(config)
    assert building.build(config, processes=2).made == 2


def test_examples_of_records_that_are_gone_go_too(config: Config, tmp_path: Path) -> None:
    collect(config)
    building.build(config, processes=1)
    (tmp_path / "inputs" / "labels.json").write_text('{"meta": {"disclaimer": ""}, "results": []}', encoding="utf-8")
    collect(config)
    assert building.build(config, processes=1).files == 1
    assert len(list((config.work_folder / "examples").rglob("*.jsonl"))) == 1


def test_a_stop_leaves_no_half_dataset_and_the_next_run_goes_on(config: Config) -> None:
    collect(config)
    stop = Stop()
    with pytest.raises(Stopped):
        building.build(config, processes=1, stop=stop, told=lambda *_: stop.ask())
    assert "train.jsonl" not in digests(config)
    assert building.build(config, processes=1).made == 1


def test_without_a_collection_it_is_refused(config: Config) -> None:
    with pytest.raises(InputError) as refused:
        building.build(config)
    assert refused.value.code == "TRN-017"


def test_the_command_says_what_was_done(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    collect(config)
    file = str(config.file)
    assert cli.run(["dataset", "--config", file, "--shard", "1/2", "--processes", "1"]) == 0
    assert "examples, shard 1 of 2: 1 of 1 files made" in capsys.readouterr().out
    assert cli.run(["dataset", "--config", file, "--processes", "1"]) == 0
    words = capsys.readouterr().out
    assert "A model trained on it may be sold." in words
    assert "train" in words
    assert cli.run(["dataset", "--config", file, "--processes", "1", "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)
    assert fields["made"] == 0
    assert fields["verdict"]["commercial"] is True
    assert cli.run(["dataset", "--config", file, "--shard", "3/2"]) == 2
    assert "TRN-015" in capsys.readouterr().err


def test_conversations_of_ones_own_join_under_the_licence_stated(config: Config, tmp_path: Path) -> None:
    talk = {
        "messages": [{"role": "user", "content": "Good morning!"}, {"role": "assistant", "content": "Good morning."}]
    }
    (tmp_path / "talk.jsonl").write_text(f"{json.dumps(talk)}\nnot a conversation\n", encoding="utf-8")
    talking = written(tmp_path, replay=[{"file": "talk.jsonl", "licence": "CC-BY-NC-4.0"}])
    collect(talking)
    built = building.build(talking, processes=1)
    assert built.families["replay"] == 1
    assert built.verdict is not None
    assert not built.verdict.commercial
    rejects = (Work(talking.work_folder).dataset / "rejects.jsonl").read_text(encoding="utf-8")
    assert '"wrong-form"' in rejects
    assert cli.run(["licence", "--work", str(talking.work_folder)]) == 1
    with pytest.raises(InputError) as refused:
        written(tmp_path, replay=[{"file": "talk.jsonl", "licence": "mine"}])
    assert refused.value.code == "TRN-004"
