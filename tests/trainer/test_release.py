"""A release from end to end on a real tiny model, and everything that it refuses."""

import hashlib
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop.bundle import (
    GOLDEN,
    MODEL,
    BuildBundle,
    Root,
    Signer,
    TrustedKey,
    extract,
    open_part,
    read_manifest,
    seals_of,
    verify,
)
from lumen_desktop.errors import BundleError, InputError
from tests.trainer import judged
from tests.trainer.test_gate import REASON, TODAY, pytestmark, reviewed  # noqa: F401 - the mark skips this module too
from trainer import base, cli, gate, keys
from trainer.config import Config
from trainer.dossier.golden import digest
from trainer.evaluation import statistics
from trainer.evaluation.results import NAME
from trainer.llama import GgufModel
from trainer.ownership import card
from trainer.ownership.verdict import STAMP
from trainer.ownership.work import Work
from trainer.records import Message
from trainer.release import release
from trainer.turns import Turns

PARTS = {
    "model.gguf", "chat_template.jinja", "golden_prompts.jsonl", "evaluation_report.html", "evaluation_report.pdf",
    "model_card.md", "dataset_card.md", "dataset.json", "licences.json", "NOTICE", "ATTRIBUTIONS.txt",
    "LICENSE-Apache-2.0.txt", "evaluation.json", "gate.json", "training_run.json",
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    """Fewer draws of the bootstrap: the same intervals, a little rougher."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statistics, "_DRAWS", 1_000)
        yield


@pytest.fixture(scope="module")
def qa() -> Signer:
    return Signer.new("qa")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, qa: Signer, quick: None) -> Path:
    """A work folder of a good build that passed its gate, a person's review with it."""
    folder = tmp_path_factory.mktemp("gated")
    shutil.copytree(judged.whole(tmp_path_factory.getbasetemp()) / "work", folder / "work")
    config = judged.configured(folder, qa)
    reviewed(config, qa)
    gate.gate(config, today=TODAY)
    return folder


@pytest.fixture
def configure(template: Path, tmp_path: Path, qa: Signer) -> Callable[..., Config]:
    """A configuration over a copy of it; the model, which nothing changes, is a link."""
    shutil.copytree(template / "work", tmp_path / "work", copy_function=os.link)
    return lambda **sections: judged.configured(tmp_path, qa, **sections)


def changed(path: Path, change: Callable[[Any], None]) -> None:
    """Changes a copy of a linked file."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    judged.spoilt(path, change)


def refused(config: Config, *, today: date = TODAY) -> tuple[str, str]:
    with pytest.raises(InputError) as error:
        release(config, today=today)
    assert not list(Work(config.work_folder).released.glob("*.lumenbuild"))
    return error.value.code, error.value.message


def test_a_release_holds_everything_and_verifies_once_two_have_sealed_it(
    configure: Callable[..., Config], tmp_path: Path
) -> None:
    config = configure(release={"prose": True, "expires": "2027-11-23"})
    one, two = Signer.new("one"), Signer.new("two")
    path = release(config, today=TODAY)
    before = read_manifest(path)
    for signer in (one, two):
        assert release(config, today=TODAY + timedelta(days=1), key=signer) == path
    assert path.name == "tiny-1-q8_0.lumenbuild"
    assert read_manifest(path) == before
    assert {part.name for part in before.parts} == PARTS
    assert not path.with_suffix(".parts").exists()
    root = Root(1, tuple(TrustedKey(s.name, s.public) for s in (one, two)), 2, date(2030, 1, 1))
    root = root.sealed_by(one).sealed_by(two)
    verified = verify(path, root, today=TODAY, app_version="0.1.0")
    assert verified.sealed_by == ("one", "two")
    facts = verified.manifest
    assert (facts.gate, facts.prose, facts.non_commercial, facts.licence) == ("PASS", True, False, "Apache-2.0")
    assert (facts.architecture, facts.vocabulary, facts.quantisation) == ("llama", 2_048, "Q8_0")
    result = gate.last(config)
    assert result is not None
    assert facts.evaluation_sha256 == result.evaluation_sha256
    extract(path, MODEL, tmp_path / "out.gguf")
    assert (tmp_path / "out.gguf").read_bytes() == (Work(config.work_folder).exported / judged.FILE).read_bytes()


def test_golden_prompts_are_what_the_sealed_model_answers(configure: Callable[..., Config], tmp_path: Path) -> None:
    config = configure(release={"golden": 5})
    path = release(config, today=TODAY)
    with open_part(path, GOLDEN) as part:
        content = part.read()
    assert hashlib.sha256(content).hexdigest() == read_manifest(path).golden_sha256
    lines = [json.loads(line) for line in content.decode().splitlines()]
    assert len(lines) == 5
    assert {one["family"] for one in lines} == {"label", "refusal"}
    prepared = base.prepare(config)
    turns = Turns(prepared, base.tokenizer(prepared))
    extract(path, MODEL, tmp_path / "out.gguf")
    with GgufModel(tmp_path / "out.gguf", context_tokens=2_048, threads=1) as model:
        for line in lines:
            ids = turns.prompt([Message(**one) for one in line["messages"]])
            assert digest(ids) == line["prompt_sha256"]
            answer = list(model.greedy(ids, most=line["most"]))
            assert (answer, digest(answer)) == (line["expected"], line["expected_sha256"])


def test_the_notice_names_the_base_that_was_trained(configure: Callable[..., Config]) -> None:
    with open_part(release(configure(), today=TODAY), "NOTICE") as part:
        text = part.read().decode()
    assert "tiny-mistral, by its authors" in text
    assert "BioMistral" not in text
    assert text.count("A model trained on it") == 1


def test_without_a_gate_or_with_a_failed_one_nothing_is_released(configure: Callable[..., Config], qa: Signer) -> None:
    config = configure()
    folder = Work(config.work_folder).gated
    (folder / "review.json").unlink()
    gate.gate(config, today=TODAY)
    assert refused(config) == ("TRN-103", "The gate did not pass: checks 12.")
    assert refused(configure(release={"prose": True}))[0] == "TRN-107"
    assert refused(configure(release={"prose": True, "development": True}))[0] == "TRN-107"
    (folder / "gate.json").unlink()
    assert refused(config)[0] == "TRN-100"


def test_a_failed_gate_is_sealed_for_development_only_and_marked(configure: Callable[..., Config]) -> None:
    config = configure(release={"development": True})
    (Work(config.work_folder).gated / "review.json").unlink()
    gate.gate(config, today=TODAY)
    facts = read_manifest(release(config, today=TODAY))
    assert (facts.gate, facts.prose, facts.waivers) == ("FAIL", False, ())


def test_waivers_stand_in_the_manifest(configure: Callable[..., Config], qa: Signer) -> None:
    config = configure()
    (Work(config.work_folder).gated / "review.json").unlink()
    gate.gate(config, today=TODAY)
    gate.waive(config, 12, by="qa", reason=REASON, key=qa, today=TODAY)
    facts = read_manifest(release(config, today=TODAY))
    assert facts.gate == "WAIVED"
    assert [(one.check, one.by, one.reason) for one in facts.waivers] == [("Human review", "qa", REASON)]


def test_a_gate_that_was_edited_is_asked_again(configure: Callable[..., Config]) -> None:
    config = configure()
    folder = Work(config.work_folder).gated
    (folder / "review.json").unlink()
    gate.gate(config, today=TODAY)

    def whitewash(fields: dict[str, Any]) -> None:
        fields["checks"][12]["outcome"] = "PASS"

    changed(folder / "gate.json", whitewash)
    assert refused(config) == ("TRN-104", "The gate's result is not what the gate says of these files now.")


def test_a_gate_of_another_export_or_evaluation_is_refused(configure: Callable[..., Config]) -> None:
    config = configure()
    work = Work(config.work_folder)
    changed(work.evaluated / judged.BUILD / NAME, lambda fields: fields["speed"].update(memory_gb=0.9))
    code, words = refused(config)
    assert (code, "another evaluation" in words) == ("TRN-104", True)


def test_a_model_that_changed_after_the_gate_is_refused(configure: Callable[..., Config]) -> None:
    config = configure()
    path = Work(config.work_folder).exported / judged.FILE
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.unlink()
    path.write_bytes(content)
    assert refused(config) == ("TRN-104", f"{judged.FILE} is not the file that was judged.")


def test_a_day_of_expiry_that_is_past_is_refused(configure: Callable[..., Config]) -> None:
    config = configure(release={"expires": "2026-11-22"})
    assert refused(config) == ("TRN-105", "release.expires, 2026-11-22, is past.")
    assert release(configure(release={"expires": "2026-11-23"}), today=TODAY).exists()


def test_a_build_needs_a_higher_number_than_the_last(configure: Callable[..., Config], qa: Signer) -> None:
    def numbered(number: int) -> Config:
        config = configure(release={"build": number})
        gate.gate(config, today=TODAY)
        return config

    release(numbered(5), today=TODAY)
    for number in (4, 5):
        config = numbered(number)
        if number == 5:  # the same build is sealed on, another one of its number is not
            assert release(config, today=TODAY).exists()
            config = configure(
                release={"build": number}, gate={"review_accepted": 0.5, "approvers": {"qa": qa.public.hex()}}
            )
            gate.gate(config, today=TODAY)
        with pytest.raises(InputError, match="released already") as error:
            release(config, today=TODAY)
        assert error.value.code == "TRN-106"
    assert release(numbered(6), today=TODAY).name == "tiny-6-q8_0.lumenbuild"


def test_a_non_commercial_build_says_so_everywhere(configure: Callable[..., Config]) -> None:
    config = configure(base={"licence": "CC-BY-NC-4.0"})
    gate.gate(config, today=TODAY)
    path = release(config, today=TODAY)
    facts = read_manifest(path)
    assert (facts.non_commercial, facts.licence) == (True, "LicenseRef-Non-Commercial")
    for name in ("NOTICE", "model_card.md", "evaluation_report.html"):
        with open_part(path, name) as part:
            assert STAMP in part.read().decode()


def test_a_non_commercial_dataset_without_its_stamp_is_refused(configure: Callable[..., Config]) -> None:
    config = configure(release={"development": True})
    dataset = Work(config.work_folder).dataset
    changed(dataset / "licences.json", lambda fields: fields["verdict"].update(commercial=False))
    gate.gate(config, today=TODAY)
    assert refused(config) == ("TRN-108", "dataset_card.md lacks the stamp that a non-commercial build must carry.")
    stamped = (dataset / card.NAME).read_text(encoding="utf-8") + STAMP
    (dataset / card.NAME).unlink()
    (dataset / card.NAME).write_text(stamped, encoding="utf-8")
    gate.gate(config, today=TODAY)
    assert read_manifest(release(config, today=TODAY)).non_commercial


def test_an_unknown_base_licence_is_refused(configure: Callable[..., Config]) -> None:
    assert refused(configure(base={"licence": "Somebodys-1.0"}))[0] == "TRN-108"


def test_one_key_seals_once(configure: Callable[..., Config]) -> None:
    config, signer = configure(), Signer.new("one")
    path = release(config, today=TODAY, key=signer)
    sealed = path.read_bytes()
    with pytest.raises(BundleError, match="sealed the file already"):
        release(config, today=TODAY, key=signer)
    assert path.read_bytes() == sealed


PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs a command whose standard input holds a passphrase."""

    def command(*arguments: object, given: str = PASSPHRASE) -> int:
        monkeypatch.setattr(sys, "stdin", io.StringIO(given + "\n"))
        return cli.run([*map(str, arguments)])

    return command


def test_the_commands_lead_from_review_to_a_sealed_bundle(
    configure: Callable[..., Config], typed: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = keys.make("anna", PASSPHRASE, tmp_path / "keys")
    config = configure(gate={"approvers": {"Anna": made.key}})
    work, where = Work(config.work_folder), ("--config", config.file)
    sign = ("--sign", made.private, "--password-stdin")
    shutil.rmtree(work.gated)
    assert typed("gate", *where) == 1
    assert "12  FAIL     hard  Human review" in capsys.readouterr().out
    assert typed("release", *where) == 2
    assert "TRN-103" in capsys.readouterr().err
    assert typed("gate", *where, "--waive", 12, "--by", "Anna", "--reason", REASON, *sign) == 0
    assert "tiny: WAIVED." in capsys.readouterr().out
    assert typed("review", *where) == 0

    def accept(sheet: dict[str, Any]) -> None:
        for one in sheet["items"]:
            one["verdict"] = "accept"

    judged.spoilt(work.gated / "review-sheet.json", accept)
    assert typed("review", *where, *sign) == 2
    assert typed("review", *where, "--by", "Anna", *sign, given="wrong " + PASSPHRASE) == 2
    assert typed("review", *where, "--by", "Anna", *sign) == 0
    assert typed("gate", *where) == 0
    assert "tiny: PASS." in capsys.readouterr().out
    assert typed("release", *where, *sign, "--json") == 0
    path = Path(json.loads(capsys.readouterr().out)["bundle"])
    assert read_manifest(path).gate == "PASS"
    with BuildBundle(path) as bundle:
        assert [one.key.hex() for one in seals_of(bundle)] == [made.key]
