"""The model's commentary: below the quotes, checked sentence by sentence, its layout kept, all of it stored."""

from collections.abc import Sequence

import pytest

from lumen_desktop import app
from lumen_desktop.domain.chat import Status
from lumen_desktop.engine.protocol import Turn
from lumen_desktop.services.chat import UNVERIFIED, Commentary, EvidenceFound
from lumen_desktop.settings import Settings
from tests.rehearsal import CHAT
from tests.services.conftest import DOSE_QUESTION, RECALL_QUESTION, Scripted, ask, exchange, says


def test_quotes_come_before_the_models_first_word(site: app.Site) -> None:
    events, answer = ask(site, RECALL_QUESTION, prose=True)
    kinds = [type(event) for event in events]
    assert kinds[0] is EvidenceFound
    assert Commentary in kinds
    assert answer.status is Status.GROUNDED
    assert answer.text.index(answer.citations[0].quote) < answer.text.index(UNVERIFIED)
    assert answer.text.endswith(f"{UNVERIFIED}\n{answer.commentary}")
    timing = answer.timing
    assert timing.first_evidence_s and timing.first_token_s  # noqa: PT018 - one fact
    assert timing.first_evidence_s < timing.first_token_s
    assert timing.answer_tokens > 0
    assert (answer.build_id, answer.build_sha256) == (CHAT.id, CHAT.sha256)


def test_everything_to_replay_prose_is_stored(site: app.Site) -> None:
    _, one = ask(site, RECALL_QUESTION, prose=True)
    _, two = ask(site, RECALL_QUESTION, prose=True)
    first, second = exchange(site, one), exchange(site, two)
    assert len(first.prompt_sha256) == 64
    assert first.prompt_sha256 == second.prompt_sha256
    assert '"seed": 0' in first.sampling
    assert first.passage_ids == second.passage_ids != "[]"
    assert one.commentary == two.commentary


@pytest.mark.parametrize(
    ("sentence", "struck"),
    [
        ("Use 80 mg twice a week.", "2 time"),
        ("The dose is 40 mcg once daily [1].", "40 mcg"),
        ("The dose is 4.0 mg once daily [1].", "4 mg"),
        ("This follows 21 CFR 211.165 closely.", "211.165"),
        ("Warfarin is given as well.", "warfarin"),
        ("The dose stands in another source [9].", "[9]"),
    ],
)
def test_prose_that_states_what_the_passages_do_not_is_struck(site: app.Site, sentence: str, struck: str) -> None:
    says(site, f"The recommended dose of zelboraxib is 40 mg once daily [1]. {sentence} That is all it says.")
    events, answer = ask(site, DOSE_QUESTION, prose=True)
    shown = [event.text for event in events if isinstance(event, Commentary)]
    assert shown[0] == "The recommended dose of zelboraxib is 40 mg once daily [1]."
    assert "struck" in shown[1]
    assert sentence not in answer.text
    assert any(struck in note and "no cited passage" in note for note in answer.notes)
    assert shown[2] == " That is all it says."
    assert "".join(shown) == answer.commentary


def test_a_table_of_the_model_stays_a_table(site: app.Site) -> None:
    said = "## What is told\n\n| what | who |\n|---|---|\n| the dose | the label |\n\n- once\n- daily\n\nThat is all."
    says(site, said)
    events, answer = ask(site, DOSE_QUESTION, prose=True)
    assert answer.commentary == said
    assert "".join(event.text for event in events if isinstance(event, Commentary)) == said


def test_a_drug_of_the_sites_own_is_struck_like_any_other(site: app.Site) -> None:
    says(site, "Zelboraxib is recalled within 5 business days.")
    _, answer = ask(site, RECALL_QUESTION, collection="Rules", prose=True)
    assert "zelboraxib" in " ".join(answer.notes)
    assert "Zelboraxib" not in answer.text


def test_prose_that_reaches_its_longest_length_says_so(site: app.Site) -> None:
    site.settings = Settings(answer_tokens=5)
    _, answer = ask(site, RECALL_QUESTION, prose=True)
    assert answer.timing.answer_tokens == 5
    assert any("longest length" in note for note in answer.notes)


def test_passages_that_do_not_fit_are_left_out_from_the_end(site: app.Site) -> None:
    site.settings = Settings(context_tokens=130, answer_tokens=10)
    seen: list[Sequence[Turn]] = []

    class Counting(Scripted):
        def count_tokens(self, turns: Sequence[Turn]) -> int:
            seen.append(turns)
            return super().count_tokens(turns)

    says(site, "Fine.", Counting)
    _, answer = ask(site, RECALL_QUESTION, prose=True)
    sizes = [turns[-1].text.count("\n\n[") + turns[-1].text.count("Sources:\n\n[") for turns in seen]
    assert answer.status is Status.GROUNDED
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0]
    assert "5 business days" in seen[-1][-1].text
