"""Records as the passages that the app would show of them, and conversations in the app's own prompt form.

The same `domain.grounding.build_prompt` and `domain.library.Passage` as at run time, so that what is learnt and what is
asked cannot drift apart. Knows no question and no format.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lumen_desktop.domain.grounding import ABSTENTION, build_prompt
from lumen_desktop.domain.library import Currency, Kind, Passage, Span
from lumen_desktop.domain.sentences import sentences
from lumen_desktop.formats.document import shown_title
from trainer.dataset.chance import Chance
from trainer.dataset.statements import Statement
from trainer.dataset.subject import groups
from trainer.records import Example, Message, Origin, Record

WHOLE_WORDS = 280  # a section up to here is one passage, as in the app
PART_WORDS = 230
MOST_WORDS = 900  # of all passages of one prompt: with the answer they fit 2,048 tokens
MOST_PASSAGES = 5
LONGEST_HEADER_CHARACTERS = 500  # as `retrieval.passages` has it
_NEAR = 4  # passages before and after the one that answers
_CELL = " | "


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a record's text that is one passage."""

    record: Record
    start: int
    end: int

    @property
    def text(self) -> str:
        """Its words."""
        return self.record.text[self.start : self.end]

    @property
    def words(self) -> int:
        """How many."""
        return len(self.text.split())

    def holds(self, start: int, end: int) -> bool:
        """Whether these characters of the record lie in it."""
        return self.start <= start and end <= self.end


@dataclass(frozen=True, slots=True)
class Said:
    """Statements of one record that answer together."""

    record: Record
    statements: tuple[Statement, ...]

    @property
    def start(self) -> int:
        """Where the first begins."""
        return self.statements[0].start

    @property
    def end(self) -> int:
        """Where the last ends."""
        return self.statements[-1].end

    @property
    def text(self) -> str:
        """All words on one line."""
        return " ".join(statement.text for statement in self.statements)

    @property
    def origins(self) -> tuple[Origin, ...]:
        """The slices of the record that are said."""
        pieces = [piece for statement in self.statements for piece in statement.slices]
        return tuple(Origin(self.record.id, start, end) for start, end in pieces)

    def quoted(self, n: int) -> str:
        """As an answer gives it."""
        parts = [statement.quoted(self.record.text, n) for statement in self.statements]
        return ("\n" if any("\n" in part for part in parts) else " ").join(parts)


def parts(record: Record) -> tuple[Part, ...]:
    """A record as passages: whole up to 280 words, else cut between sentences or rows into even parts."""
    return tuple(Part(record, start, end) for start, end in _cuts(record.text))


@lru_cache(maxsize=256)  # several builders read one document after the other
def _cuts(text: str) -> tuple[tuple[int, int], ...]:
    words = len(text.split())
    whole = words <= WHOLE_WORDS
    return ((0, len(text)),) if whole else tuple(_filled(text, words / -(-words // PART_WORDS)))


def _filled(text: str, words: float) -> Iterator[tuple[int, int]]:
    begin, at, count, filled = 0, 0, 0, 0.0
    for start, end in _pieces(text):
        length = len(text[start:end].split())
        if count and filled + count + length / 2 > words and not _announces(text, at):
            yield begin, at
            filled += count - words  # what one part has too much, the next has less
            begin, count = start, 0
        at, count = end, count + length
    if count:
        yield begin, at


def _announces(text: str, end: int) -> bool:
    return text[:end].endswith(":")


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Sentences, lists as a whole, and rows of tables: what is not cut."""
    at = 0
    for line in text.split("\n"):
        if _CELL in line:
            yield at, at + len(line)
        else:
            yield from ((at + sentence.start, at + sentence.end) for sentence in sentences(line))
        at += len(line) + 1


def passage(part: Part, number: int = 0) -> Passage:
    """A part as the app holds it after `lumen library add` of the same document.

    Args:
        part: of a record.
        number: the passage's; no prompt shows it.
    """
    record = part.record
    title, path = shown_title(record.kind, record.title, record.entity), " › ".join(record.section_path)
    header = f"{title} — {path}" if path else title
    if len(header) > LONGEST_HEADER_CHARACTERS:
        header = header[: LONGEST_HEADER_CHARACTERS - 1] + "…"
    state = str(record.facts.get("state", ""))
    return Passage(
        id=number, document_id=0, document=title, kind=Kind.SOURCE, subject="", edition=edition(record),
        currency=Currency(state) if state in set(Currency) else Currency.IN_FORCE, paged=False,
        header=header, section=path, text=part.text, spans=(Span(1, part.start, part.end),),
    )  # fmt: skip


def edition(record: Record) -> str:
    """Version and day as a quote's attribution names them."""
    version = f"version {record.version}" if record.version else ""
    return ", ".join(piece for piece in (version, record.as_of) if piece)


def prompt(question: str, shown: Sequence[Part]) -> tuple[Message, Message]:
    """The system's and the user's turn, as the app puts them to the engine."""
    system, user = build_prompt(question, [passage(part, n) for n, part in enumerate(shown, start=1)])
    return Message("system", system), Message("user", user)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, which wording it is and what it teaches."""

    family: str
    template: str
    question: str


def example(
    asked: Asked, shown: Sequence[Part], answer: str, origins: Sequence[Origin], *, answerable: bool = True
) -> Example:
    """A conversation over passages.

    Args:
        asked: the question.
        shown: the passages, in the prompt's order.
        answer: with its sources' numbers.
        origins: the slices that it takes its words from.
        answerable: whether the passages answer.
    """
    return made(asked, [*prompt(asked.question, shown), Message("assistant", answer)], origins,
                [part.record for part in shown], answerable=answerable)  # fmt: skip


def made(
    asked: Asked, messages: Sequence[Message], origins: Sequence[Origin], records: Sequence[Record],
    *, answerable: bool | None = None, synthetic: bool = False,
) -> Example:  # fmt: skip
    """An example with what its records say of themselves; the first record is the one that it is about."""
    answers = {origin.record_id for origin in origins}
    first = next((record for record in records if record.id in answers), records[0])
    return Example(
        family=asked.family,
        template=asked.template,
        messages=tuple(messages),
        origins=tuple(origins),
        doc_ids=tuple(sorted({record.doc_id for record in records})),
        groups=tuple(sorted({group for record in records for group in groups(record)})),
        licences=tuple(sorted({record.licence for record in records})),
        commercial=all(record.commercial for record in records),
        as_of=max(record.as_of for record in records),
        answerable=answerable,
        synthetic=synthetic,
        labeler=first.entity.labeler,
        language=first.language,
    )


def holding(said: Said, offered: Sequence[Part]) -> Part | None:
    """The passage that shows all that is said; None where none does."""
    return next((part for part in offered if part.record is said.record and part.holds(said.start, said.end)), None)


def number(said: Said, shown: Sequence[Part]) -> int:
    """The number in the prompt of the passage that shows what is said.

    Raises:
        ValueError: none of them does.
    """
    return 1 + [holding(said, [part]) is not None for part in shown].index(True)


def beside(said: Said, offered: Sequence[Part], chance: Chance, *, most: int = MOST_PASSAGES) -> list[Part]:
    """The passage that answers among its neighbours in the document, as search would offer them; its place is drawn.

    Returns:
        One to ``most`` passages; none where no passage shows the whole answer.
    """
    right = holding(said, offered)
    if right is None:
        return []
    at = offered.index(right)
    near = [part for part in offered[max(0, at - _NEAR) : at + _NEAR + 1] if part is not right]
    chosen = within([right, *chance.order("beside", near)], most=1 + chance.number("how many", most))
    return chance.order("place", chosen)


def grounded(asked: Asked, shown: Sequence[Part], said: Said) -> Example:
    """A question that one of the passages answers, in its own words."""
    return example(asked, shown, said.quoted(number(said, shown)), said.origins)


def abstaining(asked: Asked, shown: Sequence[Part]) -> Example:
    """A question that no passage answers, with the sentence that the app expects then.

    Its origin is the whole of the first passage: what was read in vain.
    """
    first = shown[0]
    return example(asked, shown, ABSTENTION, [Origin(first.record.id, first.start, first.end)], answerable=False)


def within(parts_: Sequence[Part], *, most_words: int = MOST_WORDS, most: int = MOST_PASSAGES) -> list[Part]:
    """The first of these that fit one prompt together; at least one."""
    kept: list[Part] = []
    for part in parts_:
        if len(kept) < most and (not kept or sum(one.words for one in kept) + part.words <= most_words):
            kept.append(part)
    return kept
