"""The starter library tells only what is known, with its clause, and marks what was not re-read.

Reads the Markdown files under resources/library as plain text; knows nothing of the application.
"""

import datetime as dt
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "resources" / "library"
MINIMUM_TEXTS = 40
REQUIRED_KEYS = ("title", "subject", "edition", "as_of", "currency", "basis", "sources")
CHECK = "check the current text"
BASES = {"verified", "professional knowledge", "mixed"}
WORDS_IN_SENTENCE = range(6, 61)
WORDS_IN_TEXT = range(220, 651)
SECTIONS_IN_TEXT = range(2, 7)

REFERENCE = re.compile(
    r"(?:draft )?(?:EU GMP )?(?:Annex|Chapter) \d+(?: sections? \d+(?:\.\d+)*(?:\([a-z]+\))?)?"
    r"|EU GMP \d+\.\d+(?:\([a-z]+\))*"
    r"|ICH Q\d+(?:\(R\d+\))?(?: (?:sections? )?\d+(?:\.\d+)*)?"
    r"|PI \d{3}-\d(?: sections? \d+(?:\.\d+)*)?"
    r"|FDA data integrity questions? \d+"
    r"|21 CFR [Pp]art \d+"
    r"|(?:21 CFR )?\b\d{1,3}\.\d{1,3}(?:\.\d+)*(?:\([a-z0-9]{1,5}\))*",
)
DOSE = re.compile(r"\b\d[\d.,]*\s?(?:mg|mcg|µg|μg|g|kg|mL|ml|IU|mmol|milligrams?|millilit(?:re|er)s?)\b")
UNANCHORED = re.compile(r"^(?:It|They|This|That|These|Those|He|She|Such|The above|The latter)\b")
OWN_VOICE = re.compile(r"\bpractice\b|\bLumen\b")
DRAFTS = re.compile(r"Annex 22|4\.2[345]\b")


@dataclass(frozen=True, slots=True)
class StarterText:
    """One file: its front matter and its body."""

    name: str
    matter: dict[str, str]
    body: str

    @property
    def sentences(self) -> list[str]:
        """Sentences of all paragraphs and bullets, headings left out."""
        blocks = (line.removeprefix("- ").strip() for line in self.body.splitlines() if not line.startswith("#"))
        return [part for block in blocks if block for part in re.split(r"(?<=[.!?])\s+(?=[A-Z0-9(])", block)]

    @property
    def verified(self) -> list[str]:
        """References that may be stated without asking the reader to check them."""
        return [entry.strip() for entry in self.matter.get("verified", "").split(";") if entry.strip()]


def read_text(path: Path) -> StarterText:
    """Split one file into front matter and body."""
    _, matter, body = path.read_text(encoding="utf-8").split("---\n", 2)
    pairs = (line.split(": ", 1) for line in matter.splitlines())
    return StarterText(path.stem, {key: value.strip() for key, value in pairs}, body)


def covers(entry: str, reference: str) -> bool:
    """Whether a verified entry is the reference or the clause above it (211.22 covers 211.22(a), not 211.225)."""
    short, wanted = (text.removeprefix("21 CFR ").replace("sections ", "section ") for text in (entry, reference))
    return wanted == short or (wanted.startswith(short) and not wanted[len(short)].isalnum())


TEXTS = [read_text(path) for path in sorted(LIBRARY.glob("*.md"))]
each_text = pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.name)


def test_there_are_enough_texts() -> None:
    """The starter library is a library."""
    assert len(TEXTS) >= MINIMUM_TEXTS


@each_text
def test_front_matter_is_complete(text: StarterText) -> None:
    """Every text says what it summarises, as of when and on what basis."""
    allowed = {*REQUIRED_KEYS, "verified"}
    assert set(REQUIRED_KEYS) <= set(text.matter) <= allowed
    assert all(text.matter.values())
    assert dt.date.fromisoformat(text.matter["as_of"])
    assert text.matter["basis"] in BASES
    assert bool(text.verified) == (text.matter["basis"] != "professional knowledge")


@each_text
def test_draft_texts_call_themselves_drafts(text: StarterText) -> None:
    """A consultation text is never presented as law, and the word and the mark agree."""
    named = "draft" in f"{text.matter['title']} {text.matter['edition']}".lower()
    assert text.matter["currency"] in {"in_force", "draft"}
    assert named == (text.matter["currency"] == "draft")


@each_text
def test_body_has_sections_of_sentences(text: StarterText) -> None:
    """Two to six sections, no page title, every line a full sentence, a length that is a summary."""
    assert not re.search(r"^# ", text.body, flags=re.MULTILINE)
    assert len(re.findall(r"^## \S", text.body, flags=re.MULTILINE)) in SECTIONS_IN_TEXT
    assert len(text.body.split()) in WORDS_IN_TEXT
    lines = [line for line in text.body.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not line.endswith((".", "?"))] == []


@each_text
def test_sentences_stand_alone(text: StarterText) -> None:
    """A sentence is quoted without its neighbours: bounded length, subject named."""
    assert [s for s in text.sentences if len(s.split()) not in WORDS_IN_SENTENCE] == []
    assert [s for s in text.sentences if UNANCHORED.match(s)] == []


@each_text
def test_text_cites_clauses(text: StarterText) -> None:
    """A regulatory text without a clause cannot be checked by its reader."""
    assert REFERENCE.search(text.body)


@each_text
def test_every_sentence_is_verified_or_marked(text: StarterText) -> None:
    """What was not re-read asks for the current text; what is stated flatly names a verified reference."""
    wrong = []
    for sentence in text.sentences:
        if CHECK in sentence:
            continue
        references = REFERENCE.findall(sentence)
        unknown = [ref for ref in references if not any(covers(entry, ref) for entry in text.verified)]
        named = any(entry.removeprefix("21 CFR ") in sentence for entry in text.verified)
        own = not references and OWN_VOICE.search(sentence)
        if unknown or not (named or own):
            wrong.append((sentence, unknown))
    assert wrong == []


@each_text
def test_marked_sentences_say_what_to_check(text: StarterText) -> None:
    """`check the current text` is useless without the name of the text."""
    named = re.compile(rf"{REFERENCE.pattern}|FDA|FD&C|ICH|MHRA|EMA|EU |PIC/S|USP|AI Act")
    assert [s for s in text.sentences if CHECK in s and not named.search(s)] == []


@each_text
def test_basis_agrees_with_the_marks(text: StarterText) -> None:
    """`verified` has nothing left to check; the other two have."""
    assert (CHECK in text.body) == (text.matter["basis"] != "verified")


@each_text
def test_verified_references_are_used(text: StarterText) -> None:
    """The list of verified references grants nothing that the text does not cite."""
    assert [entry for entry in text.verified if entry.removeprefix("21 CFR ") not in text.body] == []


@each_text
def test_no_quantity_of_a_drug(text: StarterText) -> None:
    """Drug facts come from imported labels, never from the starter library."""
    assert DOSE.findall(text.body) == []


@each_text
def test_draft_annexes_are_called_drafts(text: StarterText) -> None:
    """A sentence about draft text, quoted alone, still says that the text is a draft."""
    assert [s for s in text.sentences if DRAFTS.search(s) and "draft" not in s.lower()] == []


def test_titles_are_unique() -> None:
    """Two texts with one name could not be told apart in a citation."""
    names = Counter((text.matter["subject"], text.matter["title"]) for text in TEXTS)
    assert [name for name, count in names.items() if count > 1] == []


def test_sentences_are_unique() -> None:
    """A quote leads to one text."""
    where = defaultdict(list)
    for text in TEXTS:
        for sentence in text.sentences:
            where[sentence].append(text.name)
    assert {sentence: names for sentence, names in where.items() if len(names) > 1} == {}


def test_the_batches_of_an_investigation_are_answered_in_one_sentence() -> None:
    """The question of the first demonstration has its answer in one quotable sentence."""
    text = next(text for text in TEXTS if text.matter["subject"] == "21 CFR 211.192")
    needed = ("211.192", "other batches of the same product", "other products", "associated with the failure")
    assert any(all(words in sentence for words in needed) for sentence in text.sentences)
