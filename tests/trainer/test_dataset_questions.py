"""Examples of question sets, abstracts and feedback; paraphrase and replay."""

import json
import re
from dataclasses import replace

import pytest

from lumen_desktop.domain.grounding import ABSTENTION
from lumen_desktop.errors import InputError
from lumen_desktop.formats.document import Entity
from tests.trainer.making import asked, built, over_seeds, record, rejected
from trainer.dataset import replay
from trainer.dataset.paraphrase import paraphrased
from trainer.records import Example, Message, Record, Reject


def pair(answer: str, qtype: str = "information", focus: str = "Gallbladder cancer") -> Record:
    facts = {"question": "raw", "answer": answer, "qtype": qtype, "focus": focus}
    return record(answer, qtype.capitalize(), kind="qa", code=qtype, title=focus, entity=Entity(), facts=facts)


def test_a_health_question_is_answered_by_its_pages_first_sentences() -> None:
    text = "Summary : Gallbladder cancer is a rare disease. Gallstones raise the risk of it. See the NIH web site."
    made = [one for one in over_seeds([pair(text)], "information", range(30)) if one.answerable is not False]
    alone = [one for one in made if one.template.endswith("alone")]
    over_page = [one for one in made if not one.template.endswith("alone")]
    assert {one.answer for one in over_page} == {
        "Gallbladder cancer is a rare disease [1]. Gallstones raise the risk of it [1]."
    }
    assert {one.answer for one in alone} == {"Gallbladder cancer is a rare disease. Gallstones raise the risk of it."}
    assert {len(one.messages) for one in alone} == {1 + 1}
    assert {one.groups for one in made} == {("topic:gallbladder cancer",)}


def test_things_that_are_many_are_asked_in_the_plural() -> None:
    page = pair("Kidney stones are hard pieces that form in the kidneys.", focus="Kidney Stones")
    asks = {asked(one) for one in over_seeds([page], "information", range(30))}
    assert "What are Kidney Stones?" in asks
    assert not any("What is" in one for one in asks)


@pytest.mark.parametrize(
    "page",
    [
        pair("The Human Phenotype Ontology provides the following list of signs. Cancer is one."),
        pair("It is a disease. They are rare."),
        pair("Gallbladder cancer is rare.", focus="Cancer: what you should know"),
        pair("Gallbladder cancer is rare.", qtype="considerations"),
        pair("Smoking harms the lungs of many people."),
    ],
)
def test_a_page_that_does_not_answer_its_question_gives_no_answer(page: Record) -> None:
    assert not [one for seed in range(10) for one in built(page, seed=seed) if one.answerable is not False]


def test_a_question_of_another_kind_is_left_unanswered() -> None:
    made = [
        one for one in over_seeds([pair("Gallbladder cancer is a tumor.")], "", range(80)) if one.answerable is False
    ]
    assert made
    assert {one.answer for one in made} == {ABSTENTION}
    assert not any(one.template.startswith("information") for one in made)


def study(decision: str = "yes") -> list[Record]:
    facts = {"question": "Does zelboraxib lower pain?", "final_decision": decision}
    texts = (
        ("BACKGROUND", "Pain after surgery is common in adults of any age."),
        ("RESULTS", "Zelboraxib lowered pain after surgery in 40 of 50 adults. Sleep was better on most nights."),
        ("CONCLUSION", "Zelboraxib lowers pain after surgery in adults. More trials are welcome everywhere."),
    )
    return [
        record(
            text,
            code.capitalize(),
            number=n,
            kind="qa",
            code=code,
            title=facts["question"],
            entity=Entity(),
            facts=facts,
        )
        for n, (code, text) in enumerate(texts, start=1)
    ]


@pytest.mark.parametrize(("decision", "word"), [("yes", "Yes"), ("no", "No"), ("maybe", "Maybe")])
def test_an_experts_decision_comes_with_a_reason_that_is_shown(decision: str, word: str) -> None:
    made = over_seeds(study(decision), "judged", range(40))
    answers = {one.answer for one in made}
    assert answers == {
        f"{word} [2]. Zelboraxib lowered pain after surgery in 40 of 50 adults [2].",
        f"{word} [3]. Zelboraxib lowers pain after surgery in adults [3].",
        ABSTENTION,
    }
    for one in made:
        assert ("Zelboraxib lowers pain" in one.question) == (answers and one.answer.startswith(f"{word} [3]"))
        assert one.answerable == ("Results" in one.question)


def test_without_a_decision_or_a_conclusion_there_is_no_example() -> None:
    undecided = [replace(one, facts={"question": "Does it?"}) for one in study()]
    assert [one.reason for one in rejected(*undecided)] == ["no-example"]
    assert built(*study()[:2]) == []


def abstract(kind: str = "abstract", title: str = "Zelboraxib after surgery.") -> list[Record]:
    above = ("Abstract",) if kind == "article" else ()
    texts = (
        ("OBJECTIVE", "To determine whether zelboraxib lowers pain after surgery."),
        ("METHODS", "We conducted a randomised trial in two hospitals. A total of 50 adults were enrolled in spring."),
        ("RESULTS", "Pain fell in 40 of 50 adults who had zelboraxib."),
        ("CONCLUSIONS", "Zelboraxib lowers pain after surgery in adults."),
    )
    return [
        record(text, *above, code.capitalize(), number=n, kind=kind, code=code, title=title, entity=Entity())
        for n, (code, text) in enumerate(texts, start=1)
    ]


@pytest.mark.parametrize("kind", ["abstract", "article"])
def test_an_abstract_is_asked_for_aim_methods_results_and_conclusion(kind: str) -> None:
    made = [one for seed in range(6) for one in built(*abstract(kind), seed=seed)]
    answers = {re.sub(r"-\d", "", one.template): one.answer for one in made
               if one.answerable}  # fmt: skip
    assert answers["aim"] == "To determine whether zelboraxib lowers pain after surgery [1]."
    assert answers["methods"].startswith("We conducted a randomised trial in two hospitals [2].")
    assert answers["results"] == "Pain fell in 40 of 50 adults who had zelboraxib [3]."
    assert answers["conclusion"] == "Zelboraxib lowers pain after surgery in adults [4]."


def test_a_title_that_asks_is_the_question_itself() -> None:
    asks = {asked(one) for one in over_seeds(abstract(title="Does zelboraxib lower pain?"), "conclusion", range(12))}
    assert asks == {"Does zelboraxib lower pain?", "Does zelboraxib lower pain? What do the authors conclude?"}


def test_without_the_section_that_says_it_nothing_is_answered() -> None:
    absent = [one for one in over_seeds(abstract(), "conclusion", range(60)) if not one.answerable]
    assert absent
    assert {one.answer for one in absent} == {ABSTENTION}
    assert not any("lowers pain after surgery in adults" in one.question for one in absent)


def test_an_article_without_an_abstract_is_not_asked() -> None:
    assert built(record("We conclude that it works in adults.", "Discussion", kind="article", entity=Entity())) == []


def choice(explanation: str = "", **changes: object) -> Record:
    facts = {
        "question": "Which drug lowers pain?", "options": {"A": "Zelbor", "B": "Water", "C": "Salt"}, "answer": "A",
        "explanation": explanation, **changes,
    }  # fmt: skip
    return record(
        f"Which drug lowers pain?\nA. Zelbor\nAnswer: A. Zelbor\n{explanation}",
        kind="mcq",
        facts=facts,
        entity=Entity(),
    )


def test_options_are_reordered_and_the_letter_follows() -> None:
    made = over_seeds([choice("Zelbor acts on receptors of pain.")], "mcq", range(20))
    assert len({one.answer[0] for one in made}) == 3
    for one in made:
        letter = one.answer[0]
        assert f"{letter}. Zelbor" in one.question
        assert one.answer == f"{letter}. Zelbor\n\nZelbor acts on receptors of pain."


def test_an_explanation_by_letters_is_left_out_where_the_order_was_drawn() -> None:
    assert built(choice("The answer is A. because water and salt do nothing."))[0].answer.endswith("Zelbor")
    fixed = choice(
        "Option A. is right because all of the others fail.",
        options={"A": "Zelbor", "B": "Water", "C": "None of the above"},
    )
    assert built(fixed)[0].answer == "A. Zelbor\n\nOption A. is right because all of the others fail."


@pytest.mark.parametrize(
    "changes", [{"answer": "D"}, {"options": {}}, {"question": ""}, {"options": {"A": "x", "B": "x"}}]
)
def test_a_question_without_a_clear_answer_is_rejected(changes: dict[str, object]) -> None:
    assert rejected(choice("", **changes))[0].reason == "no-choice"


def item(
    correction: str, rating: str = "wrong", passage: str = "The dose of Zelbor is 40 mg once daily."
) -> list[Record]:
    facts = {"question": "What is the dose of Zelbor?", "rating": rating}
    texts = (("answer", "The dose is 40 mg [1]."), ("correction", correction), ("passage", passage))
    return [
        record(text, code, number=n, kind="feedback", code=code, entity=Entity(), facts=facts)
        for n, (code, text) in enumerate(texts, start=1) if text
    ]  # fmt: skip


def test_a_users_correction_is_learnt_where_its_passages_hold_it() -> None:
    (one,) = built(*item("It is 40 mg once daily."))
    assert (one.family, one.template, one.answer) == ("feedback", "corrected", "It is 40 mg once daily [1].")
    assert built(*item("", rating="right"))[0].answer == "The dose is 40 mg [1]."
    assert rejected(*item("It is 80 mg once daily."))[0].reason == "not-grounded"
    assert rejected(*item("", rating="wrong"))[0].reason == "no-correction"
    assert rejected(*item("It is 40 mg.", passage=""))[0].reason == "no-correction"


QUESTION = "Is the maximum recommended dose of atorvastatin tablets in grown adults 80 mg, or is it lower than that?"


def example(question: str = QUESTION) -> Example:
    turns = (Message("user", f"Sources:\n\n[1] x\n\nQuestion: {question}"), Message("assistant", "80 mg [1]."))
    return Example("dosing", "maximum-1", turns, (), (), (), (), commercial=True)


def test_a_paraphrase_is_marked_and_changes_the_question_alone() -> None:
    made = paraphrased(example(), lambda _: "Is 80 mg the maximum recommended dose of\natorvastatin in adults?")
    assert isinstance(made, Example)
    assert made.synthetic
    assert (
        made.question
        == "Sources:\n\n[1] x\n\nQuestion: Is 80 mg the maximum recommended dose of atorvastatin in adults?"
    )
    assert (made.answer, made.template) == ("80 mg [1].", "maximum-1-synthetic")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "same-words"),
        (QUESTION.upper(), "same-words"),
        ("Dose?", "length"),
        ("Is 40 mg the maximum dose of atorvastatin tablets in adults?", "numbers"),
        ("Is 80 mcg the maximum dose of atorvastatin tablets in adults?", "numbers"),
        ("Is 80 mg the maximum dose of atorvastatin under 21 CFR 211.22?", "numbers"),
        ("Is 80 mg the maximum dose of simvastatin tablets in adults?", "medicines"),
        ("Tell me of 80 mg, of ships that sail the atorvastatin sea", "another-question"),
    ],
)
def test_a_paraphrase_that_changes_what_is_asked_is_rejected(said: str, reason: str) -> None:
    made = paraphrased(example(), lambda _: said)
    assert isinstance(made, Reject)
    assert made.reason == reason


def test_a_question_of_several_lines_is_not_paraphrased() -> None:
    made = paraphrased(example("one\ntwo"), lambda _: "x")
    assert isinstance(made, Reject)
    assert made.reason == "not-one-line"


def test_conversations_of_the_users_own_are_replayed() -> None:
    good = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
    ]
    empty = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": " "}]
    bad: list[object] = [[], good[:2], [*good, good[1]], empty,
                         [{"role": 1, "content": "Hi"}], "text"]  # fmt: skip
    lines = [json.dumps({"messages": turns}) for turns in [good, *bad]] + ["{", "[]"]
    made = list(replay.examples(lines, name="own", licence="CC-BY-NC-4.0"))
    one, *others = made
    assert isinstance(one, Example)
    assert (one.family, one.commercial, one.doc_ids, len(one.messages)) == ("replay", False, ("own:1",), 3)
    assert [isinstance(other, Reject) and other.reason for other in others] == ["wrong-form"] * 8


def test_replay_wants_a_licence_that_is_known() -> None:
    with pytest.raises(InputError) as refused:
        list(replay.examples([], name="own", licence="mine"))
    assert refused.value.code == "TRN-020"
