"""Signing at a terminal: releases, withdrawals and reviews, with components given for the signature itself."""

import json
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest

from lumen_desktop.domain.accounts import Role
from lumen_desktop.services.accounts import NewPerson
from tests.cli.conftest import Here, Result, document, refusal, run_rehearsed
from tests.conftest import HOLDER, PASSWORD, write_documents
from tests.services.people import WORDS, signed_in, who

DEMONSTRATION = "demonstration"
At = Callable[..., Result]


@pytest.fixture
def at(demo: Path, here: Here) -> At:
    """Runs `lumen` at the demonstration as one of its people."""

    def run(user: str, *arguments: object, given: str = "") -> Result:
        return here(*arguments, data=demo, user=user, password=DEMONSTRATION, given=given)

    return run


@pytest.fixture
def brought(at: At, tmp_path: Path) -> int:
    """Number of a document that the demonstration's officer brought; three of its people may sign."""
    for name in ("officer", "reviewer", "approver"):
        assert at(name, "user", "accept", "--yes").returncode == 0
    files = write_documents(tmp_path / "files")
    assert at("officer", "library", "add", files[2]).returncode == 0
    numbers = [it["id"] for it in document(at("officer", "library", "list", "--json")) if it["release"] == "awaiting"]
    assert len(numbers) == 1
    return int(numbers[0])


def test_a_document_is_released_by_two_and_its_record_printed(at: At, brought: int, tmp_path: Path) -> None:
    assert "[not released]" in at("pharmacist", "library", "list").stdout
    assert refusal(at("officer", "library", "release", brought)) == "SIG-001"
    assert refusal(at("pharmacist", "library", "release", brought)) == "ACC-001"
    first = at("reviewer", "library", "release", brought)
    assert first.stdout.startswith("S-000001  Reviewed by Rita Reviewer (reviewer, QA officer) at ")
    assert "digest" in first.stderr
    assert "I read this content" in first.stderr
    signed = document(at("approver", "library", "release", brought, "--json"))
    assert (signed["meaning"], signed["user_name"], signed["flaw"]) == ("approved", "approver", "")
    printed = tmp_path / "record.pdf"
    told = document(at("approver", "library", "record", brought, "--out", printed, "--json"))
    assert told["status"] == "Released"
    assert told["sha256"] == signed["content_sha256"]
    pages = pypdfium2.PdfDocument(printed)
    words = "".join(page.get_textpage().get_text_range() for page in pages)
    pages.close()
    for expected in ("Rita Reviewer", "Abel Approver", signed["content_sha256"], "Release record"):
        assert expected in words
    assert refusal(at("approver", "library", "record", brought, "--out", printed)) == "SIG-012"
    assert "[not released]" not in at("pharmacist", "library", "list").stdout
    assert refusal(at("approver", "library", "release", brought)) == "SIG-001"


def test_a_rejection_and_a_withdrawal_say_why(at: At, brought: int) -> None:
    assert refusal(at("reviewer", "library", "release", brought, "--reject", "--reason", "update")) == "AUD-011"
    assert refusal(at("approver", "library", "withdraw", brought, "--reason", "it is superseded")) == "SIG-001"
    rejected = at("reviewer", "library", "release", brought, "--reject", "--reason", "the scan lacks page 2")
    assert "Rejected by Rita Reviewer" in rejected.stdout
    assert "the scan lacks page 2" in rejected.stdout
    assert "[rejected]" in at("pharmacist", "library", "list").stdout
    assert refusal(at("reviewer", "library", "record", 999)) == "SIG-007"


def test_reviews_are_signed_listed_and_read_again(at: At, brought: int) -> None:
    assert "never reviewed" in at("officer", "audit", "reviews").stdout
    assert refusal(at("admin", "audit", "review", "--finding", "nothing unexpected")) == "ACC-001"
    assert refusal(at("officer", "audit", "review", "--finding", " ")) == "SIG-009"
    assert "Reviewed by Oskar Officer" in at("officer", "audit", "review", "--finding", "nothing unexpected").stdout
    (done,) = document(at("officer", "audit", "reviews", "--json"))
    assert (done["first"], done["reviewer"]) == (1, "officer")
    assert "nothing unexpected" in at("officer", "audit", "reviews", 1).stdout
    assert f"events 1 to {done['last']}" in at("officer", "audit", "reviews").stdout
    assert "Reviewed by" in at("approver", "user", "sign-review", "--finding", "all five are needed").stdout
    assert document(at("admin", "audit", "verify", "--json"))["first_bad"] is None
    assert brought


def test_a_real_site_takes_a_signature_from_standard_input_only(site_folder: Path, rehearsed: object) -> None:
    assert rehearsed
    with signed_in(site_folder) as site:
        site.people.add(_reviewer(), "given by the admin once")
    with signed_in(site_folder, who("anna", "given by the admin once")) as site:
        site.people.choose_password("given by the admin once", WORDS["anna"])
        site.people.accept_accountability()
    with signed_in(site_folder) as site:
        site.people.check_identity("anna", "passport seen")
    review = ("audit", "review", "--finding", "nothing unexpected", "--json")
    env = {"LUMEN_USER": "anna", "LUMEN_PASSWORD": WORDS["anna"]}
    refused = run_rehearsed(*review, data=site_folder, env=env)
    assert refused.returncode == 2
    assert "SIG-005" in refused.stderr
    for given, status, words in (
        (f"{WORDS['anna']}\nanna\n", 2, "KEY-004"),
        (f"{WORDS['anna']}\n{HOLDER.user}\n{WORDS['anna']}\n", 2, "SIG-006"),
        (f"{WORDS['anna']}\nanna\n{PASSWORD}\n", 2, "KEY-001"),
        (f"{WORDS['anna']}\nanna\n{WORDS['anna']}\n", 0, '"reviewed"'),
    ):
        result = run_rehearsed("--user", "anna", "--password-stdin", *review, data=site_folder, given=given)
        assert result.returncode == status, result.stderr
        assert words in result.stdout + result.stderr
        assert WORDS["anna"] not in result.stdout + result.stderr
    assert json.loads(result.stdout)["user_name"] == "anna"


def _reviewer() -> NewPerson:
    return NewPerson("anna", "Anna Person", frozenset({Role.OFFICER}))
