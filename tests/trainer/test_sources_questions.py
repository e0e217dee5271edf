"""Question sets, DrugBank and feedback as sources: what models are evaluated on does not get in."""

import io
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats.document import Fault, PublicDocument
from trainer.licences import LICENCES
from trainer.sources import Source, drugbank, feedback, medmcqa, medqa, medquad, pubmedqa
from trainer.sources.pubmedqa_held_out import TEST_PMIDS

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SOURCES = [module.SOURCE for module in (medquad, pubmedqa, medmcqa, medqa, drugbank, feedback)]
MEDQA = {"question": "Which?", "options": {"A": "Alpha", "B": "Beta"}, "answer_idx": "B", "answer": "Beta"}
MEDMCQA = {"id": "m1", "question": "Which?", "opa": "1", "opb": "2", "opc": "3", "opd": "4", "cop": 4}
MIRAGE = {"medqa": {"7": {"question": "Which?", "options": {"A": "Alpha", "B": "Beta"}, "answer": "A"}}}
PUBMEDQA = {"QUESTION": "Does it?", "CONTEXTS": ["It was tried."], "LONG_ANSWER": "It does.", "final_decision": "yes"}


def read(source: Source, text: Any, name: str) -> list[PublicDocument | Fault]:
    return list(source.read(io.BytesIO(json.dumps(text).encode()), name))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_each_says_what_a_user_must_know(source: Source) -> None:
    assert source.licence in LICENCES
    assert source.how.endswith(".")
    assert source.url.startswith("https://") or source is feedback.SOURCE
    assert all(ending.startswith(".") for ending in source.endings)
    assert pickle.loads(pickle.dumps(source)).name == source.name  # noqa: S301 - as a process pool hands it on


def test_only_drugbank_is_off_and_it_forbids_selling() -> None:
    assert [source.name for source in SOURCES if not source.on] == ["drugbank"]
    assert drugbank.SOURCE.terms
    assert not LICENCES[drugbank.SOURCE.licence].commercial
    assert [source.name for source in SOURCES if not LICENCES[source.licence].commercial] == ["drugbank"]


def test_the_test_half_of_pubmedqa_is_refused_whatever_its_file_is_called() -> None:
    # From the published ground truth, one or two of each decision.
    for pmid in ("12377809", "25699562", "24577079", "28196511", "18284441", "26134053"):
        kept, refused = read(pubmedqa.SOURCE, {"1": PUBMEDQA, pmid: PUBMEDQA}, "my_train_set.json")
        assert isinstance(kept, PublicDocument)
        assert isinstance(refused, Fault)
        assert (refused.where, refused.reason) == (pmid, "for-evaluation")


def test_the_list_of_the_test_half_is_whole() -> None:
    assert len(TEST_PMIDS) == 500
    assert all(pmid.isdigit() for pmid in TEST_PMIDS)


def test_the_real_development_half_stays() -> None:
    path = SHARED / "pubmedqa" / "pubmedqa_dev_500.json"
    if not path.is_file():
        pytest.skip("no ../shared/data/pubmedqa")
    with path.open("rb") as stream:
        found = list(pubmedqa.SOURCE.read(stream, path.name))
    assert len(found) == 500
    assert all(isinstance(one, PublicDocument) for one in found)


@pytest.mark.parametrize(
    "name",
    [
        "test.jsonl",
        "dev.json",
        "phrases_no_exclude_test.jsonl",
        "questions/US/Validation-set.jsonl",
        "C:\\data\\val.json",
        "data_clean.zip!questions/US/dev.jsonl",
        "medqa-test.zip!data.jsonl",
    ],
)
@pytest.mark.parametrize(("source", "item"), [(medqa.SOURCE, MEDQA), (medmcqa.SOURCE, MEDMCQA)])
def test_a_split_for_evaluation_is_refused_by_its_name(source: Source, item: dict[str, Any], name: str) -> None:
    with pytest.raises(InputError, match="evaluated on") as caught:
        read(source, item, name)
    assert caught.value.code == "FMT-030"


@pytest.mark.parametrize(
    "name", ["train.jsonl", "/home/tester/test-run/train.json", "x.zip!dev/train.jsonl", "latest.json"]
)
@pytest.mark.parametrize(("source", "item"), [(medqa.SOURCE, MEDQA), (medmcqa.SOURCE, MEDMCQA)])
def test_a_training_split_is_read(source: Source, item: dict[str, Any], name: str) -> None:
    (found,) = read(source, item, name)
    assert isinstance(found, PublicDocument)
    assert found.kind == "mcq"


@pytest.mark.parametrize("source", [medqa.SOURCE, medmcqa.SOURCE])
def test_mirage_is_refused_by_its_form(source: Source) -> None:
    with pytest.raises(InputError, match="MIRAGE") as caught:
        read(source, MIRAGE, "train.json")
    assert caught.value.code == "FMT-031"


def test_the_other_set_is_counted_not_taken() -> None:
    assert [one.reason for one in read(medqa.SOURCE, MEDMCQA, "train.json") if isinstance(one, Fault)] == ["wrong-form"]
    assert [one.reason for one in read(medmcqa.SOURCE, MEDQA, "train.json") if isinstance(one, Fault)] == ["wrong-form"]


def test_a_fault_of_the_form_is_passed_on() -> None:
    (found,) = read(medmcqa.SOURCE, {**MEDMCQA, "cop": 1}, "train.json")
    assert isinstance(found, Fault)
    assert found.reason == "no-answer"


def test_the_real_questions_for_evaluation_are_refused() -> None:
    path = SHARED / "mcq" / "mcq_dev_200.json"
    if not path.is_file():
        pytest.skip("no ../shared/data/mcq")
    for name in (path.name, "train.json"):
        with path.open("rb") as stream, pytest.raises(InputError) as caught:
            list(medmcqa.SOURCE.read(stream, name))
        assert caught.value.code in ("FMT-030", "FMT-031")
