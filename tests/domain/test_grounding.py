"""When there is evidence, which sentences lead, and which of a model's sentences are struck."""

import pytest

from lumen_desktop.domain import grounding
from lumen_desktop.domain.grounding import Candidate, Checked, Quote
from lumen_desktop.domain.library import Currency, Kind, Passage, Span
from lumen_desktop.domain.sentences import content_words, sentences

DRUGS = {"warfarin", "metformin", "zelboraxib"}


def passage(text: str, *, number: int = 1, header: str = "SOP 7 — Cleaning", paged: bool = False, spans: tuple[Span, ...] = ()) -> Passage:  # fmt: skip  # noqa: E501
    return Passage(
        id=number, document_id=number, document="SOP 7", kind=Kind.SOURCE, subject="", edition="3",
        currency=Currency.IN_FORCE, paged=paged, header=header, section="Cleaning", text=text,
        spans=spans or (Span(1, 0, len(text)),),
    )  # fmt: skip


def drugs_in(text: str) -> frozenset[str]:
    return frozenset(drug for drug in DRUGS if drug in text.lower())


def anything(passage: Passage, sentence: str) -> bool:
    return True


def weights(*texts: str) -> dict[str, float]:
    return {word: 1.0 for text in texts for word in content_words(text)}


# --- evidence ---


def test_evidence_grows_with_meaning_and_with_shared_words() -> None:
    question = "How is shared equipment cleaned?"
    good, other = "Shared equipment is cleaned with hot water.", "The canteen opens at noon."
    known = weights(good, other)

    def likely(text: str, cosine: float | None) -> float:
        candidates = [Candidate(passage(text, header=""), 1.0, cosine)]
        return grounding.evidence(question, candidates, known)

    assert likely(good, 0.8) > likely(good, 0.4) > likely(good, None)
    assert likely(good, 0.5) > likely(other, 0.5)
    assert likely(good, 0.8) > grounding.EVIDENCE_THRESHOLD > likely(other, 0.1)
    assert 0 <= likely(other, -1.0) < likely(good, 1.0) <= 1


@pytest.mark.parametrize("question", ["", "the of and", "???"])
def test_a_question_without_content_has_no_evidence(question: str) -> None:
    assert grounding.evidence(question, [Candidate(passage("Text."), 1.0, 1.0)], {}) == 0.0


def test_nothing_found_is_no_evidence() -> None:
    assert grounding.evidence("How is it cleaned?", [], {}) == 0.0


def test_the_words_count_in_one_of_the_first_three_passages_and_the_cosine_in_all() -> None:
    texts = ["Nothing of it.", "Shared tanks.", "Shared equipment.", "Shared equipment is cleaned."]
    candidates = [Candidate(passage(text, header=""), 1.0, 0.1 * n) for n, text in enumerate(texts)]
    nearest, covered = grounding.signs("How is shared equipment cleaned?", candidates, weights(*texts))
    assert [nearest, covered] == pytest.approx([0.3, 2 / 3])
    assert grounding.signs("How is it cleaned?", [], {}) == (0.0, 0.0)


# --- quotes ---


def quoted(question: str, *passages: Passage, most: int = 8) -> list[str]:
    candidates = [Candidate(p, 1.0 - 0.1 * n, 0.5) for n, p in enumerate(passages)]
    known = weights(*(p.text for p in passages))
    found = grounding.shortlist(question, candidates, known, most=most, may_quote=anything)
    return [quote.sentence.text for quote in found]


def test_the_sentence_with_the_questions_words_comes_first() -> None:
    text = "The canteen opens at noon today. Shared equipment is cleaned with hot water. Nobody knows why it is so."
    assert quoted("How is shared equipment cleaned?", passage(text))[0] == "Shared equipment is cleaned with hot water."


@pytest.mark.parametrize("text", ["Too short here.", "1 2 3 4 5 6", "— — — — —", "The equipment must be as follows:"])
def test_what_says_nothing_by_itself_is_not_quoted(text: str) -> None:
    assert quoted("What about the equipment?", passage(text)) == []


def test_a_sentence_over_the_end_of_a_page_is_not_quoted() -> None:
    text = "This one stands on page four. This one begins on page four and ends on page five. This one is on five."
    cut = text.index("ends on")
    spans = (Span(4, 0, cut - 1), Span(5, 0, len(text) - cut))
    found = quoted("page", passage(text, paged=True, spans=spans))
    assert "This one stands on page four." in found
    assert "This one is on five." in found
    assert not any("begins" in sentence for sentence in found)


def test_a_sentence_that_may_not_be_quoted_is_left_out() -> None:
    text = "The dose of warfarin is 5 mg. The dose of metformin is 500 mg."
    found = grounding.shortlist(
        "What is the dose?", [Candidate(passage(text), 1.0, 0.5)], {}, most=5,
        may_quote=lambda _, sentence: "warfarin" not in sentence,
    )  # fmt: skip
    assert [quote.sentence.text for quote in found] == ["The dose of metformin is 500 mg."]


def test_the_shortlist_has_its_length() -> None:
    many = passage(" ".join(f"Sentence number {n} says something." for n in range(30)))
    assert len(quoted("What does it say?", many, most=7)) == 7


def quotes(*scored: tuple[str, float]) -> list[Quote]:
    made = []
    for number, (text, score) in enumerate(scored, start=1):
        (sentence,) = sentences(text)
        made.append(Quote(passage(text, number=number), sentence, score))
    return made


def test_meaning_reorders_the_shortlist() -> None:
    shortlist = quotes(("One sentence about words.", 0.6), ("Another one about meaning.", 0.5))
    chosen = grounding.choose(shortlist, [0.1, 0.9], most=2)
    assert [quote.passage.id for quote in chosen] == [2]  # the other is too far behind
    assert [quote.passage.id for quote in grounding.choose(shortlist, [0.5, 0.5], most=2)] == [1, 2]
    assert [quote.passage.id for quote in grounding.choose(shortlist, [0.5, 0.5], most=1)] == [1]


def test_the_same_words_are_not_quoted_twice() -> None:
    shortlist = quotes(
        ("Equipment is cleaned daily.", 1.0), ("The equipment is cleaned daily!", 0.9), ("Lots are kept apart.", 0.8)
    )
    assert [quote.passage.id for quote in grounding.choose(shortlist, [0, 0, 0], most=3)] == [1, 3]


def test_nothing_to_choose_from_is_nothing() -> None:
    assert grounding.choose([], [], most=3) == []


def test_a_citation_names_its_place() -> None:
    text = "First on page four. Second on page five."
    spans = (Span(4, 10, 29), Span(5, 0, 20))
    where = passage(text, paged=True, spans=spans)
    made = grounding.cite([Quote(where, sentence, 1.0) for sentence in sentences(text)])
    assert [(c.n, c.page, c.quote) for c in made] == [(1, 4, "First on page four."), (2, 5, "Second on page five.")]
    assert made[0].attribution == "SOP 7 (3)"
    assert (made[0].document, made[0].section, made[0].edition, made[0].passage_id) == ("SOP 7", "Cleaning", "3", 1)


def test_a_quote_is_on_one_line_and_a_word_parted_at_its_hyphen_is_whole() -> None:
    (sentence,) = sentences("The back-\nup is made\nevery day - or\nmore often.")
    (made,) = grounding.cite([Quote(passage(sentence.text), sentence, 1.0)])
    assert made.quote == "The back-up is made every day - or more often."


# --- prompt ---


def test_the_prompt_numbers_its_sources_and_ends_with_the_question() -> None:
    system, user = grounding.build_prompt("What now?", [passage("One."), passage("Two.")])
    assert grounding.ABSTENTION in system
    assert user.index("[1] SOP 7 — Cleaning") < user.index("One.") < user.index("[2]") < user.index("Two.")
    assert user.endswith("Question: What now?")


def test_two_questions_on_the_same_sources_share_their_beginning() -> None:
    sources = [passage("One."), passage("Two.")]
    (_, one), (_, two) = (grounding.build_prompt(question, sources) for question in ("First?", "Second?"))
    shared = len(one.removesuffix("First?"))
    assert one[:shared] == two[:shared]


# --- check ---

OFFERED = [
    passage("The dose of warfarin is 5 mg once daily. See 21 CFR 211.192.", number=1),
    passage("The dose of metformin is 500 to 1,000 mg weekly, within 30 days of Annex 15.", number=2),
]


@pytest.mark.parametrize(
    "sentence",
    [
        "The dose is 5 mg [1].",
        "Warfarin is given daily [1].",
        "It is 1000 mg [2].",
        "It follows 211.192 [1].",
        "It follows Annex 15 [2].",
        "Warfarin 5 mg and metformin 500 mg are named [1][2].",
        "Metformin is mentioned.",
        "Between 500 and 1,000 mg are named [2].",
        "One may look at it.",
        "Cleaning stands in the header [1].",
    ],
)
def test_what_the_cited_passages_hold_may_be_said(sentence: str) -> None:
    assert grounding.check(sentence, OFFERED, drugs_in=drugs_in) == Checked(sentence, ())


@pytest.mark.parametrize(
    ("sentence", "struck"),
    [
        ("The dose is 5 mcg [1].", ("5 mcg",)),
        ("The dose is 50 mg [1].", ("50 mg",)),
        ("The dose is 0.5 mg [1].", ("0.5 mg",)),
        ("The dose is 5 mg weekly [1].", ("1 per week",)),
        ("The dose is 500 mg daily [2].", ("1 per day",)),
        ("The dose is 500 mg [1].", ("500 mg",)),
        ("Up to 2,000 mg are given.", ("2000 mg",)),
        ("It is 8 of them.", ("8",)),
        ("It follows 211.165.", ("211.165",)),
        ("It follows 21 CFR 211.192(a) [1].", ("211.192(a)",)),
        ("Annex 15 says so [1].", ("annex15",)),
        ("Zelboraxib is better.", ("zelboraxib",)),
        ("Metformin is named here [1].", ("metformin",)),
        ("The dose is 5 mg [3].", ("[3]",)),
        ("The dose is 5 mg [0].", ("[0]",)),
        ("Take 7 mcg of zelboraxib under Annex 1 [9].", ("[9]", "7 mcg", "annex1", "zelboraxib")),
    ],
)
def test_what_they_do_not_hold_is_struck_and_reported(sentence: str, struck: tuple[str, ...]) -> None:
    checked = grounding.check(sentence, OFFERED, drugs_in=drugs_in)
    assert checked.struck == struck
    assert sentence not in checked.text
    assert "struck" in checked.text


def test_a_reference_is_not_a_number_that_needs_support() -> None:
    assert grounding.check("It is cleaned [2].", OFFERED, drugs_in=drugs_in).struck == ()
    assert grounding.check("It is cleaned in 2 steps.", OFFERED, drugs_in=drugs_in).struck == ("2",)
