"""`lumen ask`, `chat` and `answer`: shapes, labels and exit statuses."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop.app import DEMONSTRATION_NOTICE
from lumen_desktop.services.chat import UNVERIFIED
from tests.cli.conftest import QUESTION, Here, Result, document, refusal, run_rehearsed
from tests.conftest import AS_HOLDER, PASSWORD, ROOT, lumen_command, lumen_environment
from tests.services.conftest import RECALL_QUESTION

Own = Callable[..., Result]

ANSWER = {"status": str, "answer": str, "citations": list, "build": dict, "record_id": int, "timing": dict}
CITATION = {
    "n": int, "document": str, "kind": str, "edition": str, "page": int | None, "section": str, "quote": str,
    "passage_id": int,
}  # fmt: skip
TIMING = {
    "retrieval_s": float, "first_evidence_s": float, "first_token_s": float | None, "total_s": float,
    "prompt_tokens": int, "answer_tokens": int,
}  # fmt: skip


def has_shape(value: dict[str, object], shape: Mapping[str, Any]) -> bool:
    return all(name in value and isinstance(value[name], kind) for name, kind in shape.items())


def test_the_document_has_the_promised_shape(demo: Path) -> None:
    result = run_rehearsed("ask", QUESTION, "--json", data=demo)
    answer = document(result)
    assert has_shape(answer, ANSWER)
    assert answer["status"] == "grounded"
    assert answer["citations"]
    assert all(has_shape(citation, CITATION) for citation in answer["citations"])
    assert has_shape(answer["timing"], TIMING)
    assert answer["timing"]["first_token_s"] is None
    assert set(answer["build"]) == {"id", "sha256"}
    assert answer["demonstration"] == DEMONSTRATION_NOTICE
    assert result.stderr == DEMONSTRATION_NOTICE + "\n"
    again = document(run_rehearsed("answer", answer["record_id"], "--json", data=demo))
    assert again == answer


def test_an_abstention_is_done(own: Own) -> None:
    answer = document(own("ask", "What is the maximum daily dose of metformin?", "--json"))
    assert answer["status"] == "no_evidence"
    assert answer["citations"] == []
    assert answer["timing"]["first_evidence_s"] is None
    assert "demonstration" not in answer


def test_text_shows_quotes_places_and_the_notice(here: Here, demo: Path) -> None:
    result = here("ask", QUESTION, data=demo)
    assert result.returncode == 0
    assert result.stdout.startswith(DEMONSTRATION_NOTICE)
    assert "“" in result.stdout
    assert "not its wording" in result.stdout
    assert "rehearsal-embedding" in result.stdout
    assert UNVERIFIED not in result.stdout


def test_prose_stands_below_the_quotes_and_is_labelled(own: Own) -> None:
    result = own("ask", RECALL_QUESTION, "--prose")
    assert result.returncode == 0
    assert result.stdout.index("5 business days.” [1]") < result.stdout.index(UNVERIFIED)
    assert "DEMONSTRATION" not in result.stdout + result.stderr
    answer = document(own("ask", RECALL_QUESTION, "--prose", "--json"))
    assert answer["commentary"]
    assert UNVERIFIED in answer["answer"]
    assert isinstance(answer["timing"]["first_token_s"], float)
    assert answer["build"]["id"] == "rehearsal-chat"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ask", ""], "ASK-001"),
        (["ask", "x" * 100_000], "ASK-002"),
        (["ask", "What?", "--collection", "None"], "LIB-020"),
        (["answer", "999"], "ASK-003"),
    ],
)
def test_what_cannot_be_answered_is_refused(here: Here, site_folder: Path, arguments: list[str], code: str) -> None:
    assert refusal(here(*arguments, data=site_folder, password=PASSWORD)) == code


def test_a_model_that_crashes_leaves_the_quotes_and_a_failed_document(own: Own) -> None:
    result = own("ask", RECALL_QUESTION, "--prose", "--json", engines={"chat": {"crash_after": 75}})
    answer = document(result, status=2)
    assert answer["status"] == "failed"
    assert answer["citations"]
    assert result.stderr.startswith("ENG-002: ")
    assert result.stderr.count("\n") == 1
    shown = own("ask", RECALL_QUESTION, "--prose", engines={"chat": {"crash_after": 75}})
    assert shown.returncode == 2
    assert "5 business days.” [1]" in shown.stdout
    assert "Note: The rehearsal engine ended unexpectedly. (ENG-002)" in shown.stdout


def test_a_conversation_goes_on_after_a_refusal_until_it_is_quit(own: Own) -> None:
    lines = ["/help", "", "x" * 5000, RECALL_QUESTION, "/prose", RECALL_QUESTION, "/prose", "/quit", RECALL_QUESTION]
    result = own("chat", given="\n".join(lines))
    assert result.returncode == 0
    assert result.stdout.count("Ctrl+C stops an answer") == 2
    assert "Commentary is on." in result.stdout
    assert "Commentary is off." in result.stdout
    assert result.stdout.count("5 business days.” [1]") == 2
    assert result.stdout.count(UNVERIFIED) == 1
    assert result.stderr.startswith("ASK-002: ")
    first, second = (
        document(own("answer", number, "--json"))
        for number in re.findall(r"^Answer (\d+)", result.stdout, re.MULTILINE)
    )
    assert first["conversation_id"] == second["conversation_id"]


def test_a_stored_answer_is_shown_again(here: Here, demo: Path) -> None:
    result = here("answer", 1, data=demo)
    assert result.returncode == 0
    assert result.stdout.startswith(DEMONSTRATION_NOTICE)
    assert "Answer 1 · rehearsal-embedding" in result.stdout


def test_a_question_that_is_no_text_is_only_a_question(own: Own) -> None:
    assert document(own("ask", "Which \udce9 batches of chocolate?", "--json"))["status"] == "no_evidence"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_ctrl_c_stops_the_commentary_and_keeps_the_rest(site_folder: Path) -> None:
    process = subprocess.Popen(
        lumen_command("ask", RECALL_QUESTION, "--prose", data=site_folder, rehearsal=True),
        env=lumen_environment(
            {"LUMEN_CHEAP_KEYS": "1", **AS_HOLDER}, {"chat": {"pace_s": 0.1}}
        ),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    seen = ""
    while UNVERIFIED not in seen:
        seen += process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Stopped: the answer is incomplete." in out
    assert err == ""
    number = int(out.rsplit("Answer ", 1)[1].split()[0])
    again = run_rehearsed("answer", number, "--json", data=site_folder, env={**AS_HOLDER})
    assert json.loads(again.stdout)["status"] == "stopped"
    assert json.loads(again.stdout)["commentary"]
