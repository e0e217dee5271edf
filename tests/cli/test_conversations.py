"""`lumen conversation`: lists and answers as text and JSON, changes, and refusals of one line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lumen_desktop.app import DEMONSTRATION_NOTICE
from tests.cli.conftest import QUESTION, Result, document, refusal, run_rehearsed
from tests.services.conftest import DOSE_QUESTION, RECALL_QUESTION

Own = Callable[..., Result]


def asked(own: Own, *arguments: object) -> int:
    return int(document(own("ask", *arguments, "--json"))["conversation_id"])


def numbers(own: Own, *arguments: object) -> list[int]:
    return [conversation["id"] for conversation in document(own("conversation", "list", *arguments, "--json"))]


def test_a_conversation_is_listed_and_shown_with_its_answers(demo: Path) -> None:
    listed = document(run_rehearsed("conversation", "list", "--json", data=demo))
    assert [one["title"] for one in listed] == ["What is chocolate?", QUESTION]
    assert set(listed[0]) == {"id", "title", "pinned", "created_utc", "last_utc", "exchanges", "deleted_utc"}
    shown = document(run_rehearsed("conversation", "show", listed[1]["id"], "--json", data=demo))
    (exchange,) = shown.pop("answers")
    assert shown == listed[1]
    assert shown["exchanges"] == 1
    stored = document(run_rehearsed("answer", exchange["record_id"], "--json", data=demo))
    assert exchange == {"question": QUESTION, **stored}
    text = run_rehearsed("conversation", "show", listed[1]["id"], data=demo).stdout
    assert text.startswith(f"{DEMONSTRATION_NOTICE}\n{QUESTION}\n\nQuestion: {QUESTION}\n")
    assert stored["answer"] in text
    assert f"Answer {exchange['record_id']} " in text


def test_the_next_question_may_be_asked_in_it(own: Own) -> None:
    number = asked(own, RECALL_QUESTION)
    assert asked(own, DOSE_QUESTION, "--conversation", number) == number
    shown = own("conversation", "show", number).stdout
    assert shown.index(RECALL_QUESTION) < shown.index(f"Question: {DOSE_QUESTION}")
    line = own("conversation", "list").stdout
    assert RECALL_QUESTION in line
    assert "(2 questions)" in line


def test_conversations_are_found_renamed_and_pinned(own: Own) -> None:
    recall, dose = asked(own, RECALL_QUESTION), asked(own, DOSE_QUESTION)
    assert numbers(own) == [dose, recall]
    assert own("conversation", "pin", recall).stdout == "Pinned.\n"
    assert numbers(own) == [recall, dose]
    assert f"{recall:>6} *" in own("conversation", "list").stdout
    assert own("conversation", "unpin", recall).returncode == 0
    assert own("conversation", "rename", dose, "Dosis für Meier").returncode == 0
    assert numbers(own, "--words", "DOSIS FÜR") == [dose]
    assert numbers(own, "-n", 1) == [dose]
    assert own("conversation", "list", "--words", "nowhere").stdout == "There are no such conversations.\n"


def test_a_deleted_conversation_can_be_restored(own: Own) -> None:
    assert own("conversation", "list").stdout == "There are no conversations yet.\n"
    number = asked(own, RECALL_QUESTION)
    assert f"conversation restore {number}" in own("conversation", "delete", number).stdout
    assert numbers(own) == []
    assert numbers(own, "--deleted") == [number]
    listed, how = own("conversation", "list", "--deleted").stdout.splitlines()
    assert f"Z  {RECALL_QUESTION}" in listed
    assert " deleted 20" in listed
    assert "30 days" in how
    assert refusal(own("ask", RECALL_QUESTION, "--conversation", number)) == "ASK-004"
    assert own("conversation", "restore", number).returncode == 0
    assert numbers(own) == [number]
    assert document(own("audit", "verify", "--json"))["whole"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", 99), "CHT-001"), (("show", 2**64), "CHT-001"), (("rename", 99, "x"), "CHT-001"),
        (("pin", 99), "CHT-001"), (("unpin", 99), "CHT-001"), (("delete", 99), "CHT-001"),
        (("restore", 99), "CHT-001"), (("rename", 1, " "), "CHT-002"), (("rename", 1, "x" * 201), "CHT-003"),
        (("show", "one"), "CLI-001"), (("list", "-n", "0"), "CLI-001"), (("nothing",), "CLI-001"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line(own: Own, arguments: tuple[object, ...], code: str) -> None:
    assert refusal(own("conversation", *arguments)) == code


@pytest.mark.parametrize("number", [99, 2**63])
def test_nobody_asks_in_a_conversation_that_there_is_not(own: Own, number: int) -> None:
    assert refusal(own("ask", RECALL_QUESTION, "--conversation", number)) == "CHT-001"
