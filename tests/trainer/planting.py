"""Examples with planted faults, drawn from a seed: duplicates, contamination, personal data, licence conflicts.

Shares no list, pattern or function with `trainer.curation`, so that its figures say something: its own words, its own
way to count alike texts, Faker's people of locales chosen here. What it plants, it says.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from faker import Faker

from trainer.records import Example, Message

LOCALES = ("pl_PL", "tr_TR", "vi_VN", "pt_BR", "nl_NL", "fi_FI", "cs_CZ", "en_IN", "zu_ZA", "es_MX", "fr_CA", "en_GB",
           "de_CH", "it_IT", "ro_RO", "id_ID", "sv_SE", "en_US")  # fmt: skip
_ONSETS = "b br c ch d dr f fl g gl h j k l m n p pr qu r s sh sl st t tr v w z".split()
_RHYMES = (
    "ab ack ade alt amp ane ash ate ead eal ell emp end ept est ick ide ift ile imp int ock ode old ond ope ort".split()
)
_GLUE = "the of and to in with for that on as is when after each under from".split()
_ENDINGS = ("umab-x", "exol", "ovane", "irtide", "amex", "otrin")


@dataclass(frozen=True)
class Letter:
    """A text with personal data in it, and what that is: kind, words."""

    text: str
    pieces: tuple[tuple[str, str], ...]


@dataclass
class Planted:
    """Examples, what is wrong with them, and the evaluation set they were contaminated from."""

    examples: list[Example] = field(default_factory=list)
    same: dict[str, int] = field(default_factory=dict)  # id of an example: the number of its set of duplicates
    contaminated: dict[str, str] = field(default_factory=dict)  # id of an example: how
    conflicts: set[str] = field(default_factory=set)
    queries: list[dict[str, str]] = field(default_factory=list)


class Planter:
    """Draws everything from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._people: dict[str, Faker] = {}
        self._words = [self._word() for _ in range(2500)]

    def _word(self) -> str:
        pick = self.random.choice
        return "".join(pick(_ONSETS) + pick(_RHYMES) for _ in range(self.random.randint(1, 2)))

    def sentence(self, words: int) -> str:
        """One sentence of so many words; every third is one of a few."""
        text = [self.random.choice(_GLUE if n % 3 == 1 else self._words) for n in range(words)]
        return " ".join([text[0].capitalize(), *text[1:]]) + "."

    def prose(self, words: int) -> str:
        """Sentences of ten to twenty words, so many words in all or a few more."""
        text: list[str] = []
        while sum(len(part.split()) for part in text) < words:
            text.append(self.sentence(self.random.randint(10, 20)))
        return " ".join(text)

    def example(self, drug: str, question: str, answer: str, **fields: object) -> Example:
        """One example on one drug."""
        plain = Example(
            family=self.random.choice(("label", "dosing", "patient")),
            template=f"t{self.random.randrange(20)}",
            messages=(Message("user", question), Message("assistant", answer)),
            origins=(),
            doc_ids=(f"dailymed:{drug}",),
            groups=(f"drug:{drug}",),
            licences=("CC0-1.0",),
            commercial=True,
            as_of=f"20{self.random.randint(10, 25)}-0{self.random.randint(1, 9)}",
            labeler=f"Maker {self.random.randrange(30)}",
        )
        return replace(plain, **fields)  # type: ignore[arg-type]

    def planted(self, count: int, drugs: int) -> Planted:
        """So many examples and the planted ones among them: a tenth repeated, a twentieth contaminated."""
        made = Planted()
        names = [self._word() + self._word() + self.random.choice(_ENDINGS) for _ in range(drugs)]
        for number in range(count):
            drug = names[number % drugs]
            dose = self.random.randint(1, 900)
            answer = f"{self.prose(self.random.randint(15, 120))} The dose is {dose} mg a day."
            original = self.example(drug, f"{self.sentence(self.random.randint(8, 14))[:-1]} {drug}?", answer)
            made.examples.append(original)
            if number % 10 == 0:
                self._repeat(original, number, made)
            elif number % 10 == 5:  # the same words with another dose say something else
                other = answer.replace(f"{dose} mg", f"{dose + 7} mg")
                made.examples.append(self._changed(original, other))
        self._contaminate(made, names, count // 20)
        self._conflicts(made, names)
        self.random.shuffle(made.examples)
        return made

    @staticmethod
    def _changed(example: Example, answer: str) -> Example:
        return replace(example, messages=(example.messages[0], Message("assistant", answer)))

    def _repeat(self, original: Example, number: int, made: Planted) -> None:
        """One to three near copies; those that are less alike than 0.82 by plain word groups are not counted as any."""
        made.same[original.id] = number
        for _ in range(self.random.randint(1, 3)):
            answer = self.random.choice((self._louder, self._reworded, self._longer, self._turned))(original.answer)
            copy = replace(self._changed(original, answer), as_of="2009-01", labeler="Another maker")
            alike = _likeness(f"{original.question} {original.answer}", f"{copy.question} {copy.answer}")
            if alike >= 0.82 and copy.id not in made.same:
                made.examples.append(copy)
                made.same[copy.id] = number

    def _louder(self, text: str) -> str:
        return (
            text.upper().replace(".", " ;")
            if self.random.random() < 0.3
            else text.replace(".", " !").replace(" the ", ", THE ")
        )

    def _reworded(self, text: str) -> str:
        words = text.split()
        words[self.random.randrange(2, len(words) - 8)] = self._word()
        return " ".join(words)

    def _longer(self, text: str) -> str:
        return f"{text} {self.sentence(self.random.randint(3, 9))}"

    def _turned(self, text: str) -> str:
        parts = text.split(". ")
        return ". ".join([*parts[1:-1], parts[0], parts[-1]])

    def _contaminate(self, made: Planted, names: list[str], count: int) -> None:
        """Test items, half of them copied into examples in five ways; the items are of 4 to 40 words."""
        ways = (self._verbatim, self._inside, self._reordered, self._repunctuated, self._half, self._paraphrased)
        for number in range(count):
            short = number % 3 == 0
            question = f"{self.sentence(self.random.randint(4, 7))[:-1]}?" if short else f"{self.prose(20)}"
            made.queries.append({"_id": f"q{number}", "text": question, "answer": self.prose(30)})
            if number % 2:
                continue
            way, by_question = self.random.choice(ways), self.random.random() < 0.6
            item = question if by_question else made.queries[-1]["answer"]
            where = self._fresh()
            asked = (way(item), where) if by_question else (where, way(item))
            example = self.example(self.random.choice(names), *asked)
            made.examples.append(example)
            kind = way.__name__.strip("_") + (" short" if short and by_question else "")
            made.contaminated[example.id] = kind

    def _fresh(self) -> str:
        return self.prose(25)

    def _verbatim(self, text: str) -> str:
        return text

    def _inside(self, text: str) -> str:
        return f"{self.sentence(9)} {text} {self.sentence(7)}"

    def _reordered(self, text: str) -> str:
        parts = [part.strip() for part in text.split(".") if part.strip()]
        return ". ".join(reversed(parts))

    def _repunctuated(self, text: str) -> str:
        return " - ".join(text.upper().replace(".", "").replace("?", "").split())

    def _half(self, text: str) -> str:
        words = text.split()
        return " ".join(words[: (len(words) + 1) // 2])

    def _paraphrased(self, text: str) -> str:
        return " ".join(self._word() if n % 4 == 2 else word for n, word in enumerate(text.split()))

    def _conflicts(self, made: Planted, names: list[str]) -> None:
        """Examples that say they may be sold and rest on what may not."""
        for licences in (("CC-BY-NC-4.0",), ("CC0-1.0", "LicenseRef-DrugBank"), ("Invented-1.0",)):
            example = self.example(self.random.choice(names), self._fresh(), self._fresh(), licences=licences)
            made.examples.append(example)
            made.conflicts.add(example.id)

    def letters(self, count: int) -> Iterator[Letter]:
        """Letters and reports with people of many countries in them."""
        for number in range(count):
            locale = LOCALES[number % len(LOCALES)]
            faker = self._people[locale] = self._people.get(locale) or Faker(locale)
            faker.seed_instance(self.random.randrange(2**32))
            yield self._letter(faker, self.random.choice(_FORMS))

    def _letter(self, faker: Faker, form: str) -> Letter:
        record = self.random.choice(("A-####-##", "######", "##/####", "KL#####")).replace("#", "{}")
        values = {
            "name": f"{faker.first_name()} {faker.last_name()}",
            "name2": f"{faker.first_name()} {faker.last_name()}",
            "last": faker.last_name(),
            "mail": faker.email(),
            "phone": faker.phone_number(),
            "address": faker.address().replace("\n", ", "),
            "record": record.format(*(self.random.randrange(10) for _ in range(record.count("{}")))),
        }
        pieces = tuple((_KINDS[key], value) for key, value in values.items() if f"{{{key}}}" in form)
        return Letter(form.format(**values), pieces)


_KINDS = {
    "name": "name", "name2": "name", "last": "name", "mail": "mail", "phone": "phone", "address": "address",
    "record": "record",
}  # fmt: skip
_FORMS = (
    (
        "Dear {name},\n\nWe have looked at your submission of 3 March 2021 for NDA 208541. The tablets "
        "hold 20 mg of the substance. Should anything be unclear, please ring {name2}, Project Manager, "
        "on {phone}.\n\nYours sincerely,\n{name2}\nDeputy Director\n{mail}"
    ),
    (
        "Complaint 77 was taken by telephone. The caller, {name}, said that two tablets of 5 mg were "
        "broken. She can be reached at {phone} or {mail} and lives at {address}."
    ),
    (
        "To whom it may concern: Mr {last} took 40 mg twice daily for 14 days. Patient ID: {record}. "
        "His daughter {name} wrote to us from {mail} to say that the rash was gone."
    ),
    (
        "From: {name} <{mail}>\nTo: {name2}\n\nBatch 2231-07 failed its test at 25 degrees. The analyst "
        "{name2} repeated it on 2024-05-06 and found 98.2 %. Tel: {phone}"
    ),
    (
        "Inspection report. Present for the site: {name}, Head of Production, and {name2}, Quality "
        "Manager. Section 211.192 was discussed. Address: {address}. Phone {phone}."
    ),
    (
        "The 63 year old patient {name} (MRN {record}) was given 1,000 mL of saline. Dr. {last} "
        "reported the event on 12 June 2022. You may write to {mail}."
    ),
    "This answer helped me. Regards, {name}, ward pharmacist, mobile {phone}",
    (
        "Feedback: the answer on metformin was too long. I asked my colleague {name}, who agreed. "
        "Please email {mail} if you need more."
    ),
    (
        "Prepared by: {name}\nReviewed by: {name2}\nDeviation 19-004: the pH was 6.8 instead of 7.2 for "
        "3 hours. Contact {phone} during working hours."
    ),
    (
        "Thank you for calling. We have noted that {name} was informed by Prof. {last} and that the "
        "record number {record} is closed."
    ),
)


def _likeness(one: str, other: str) -> float:
    """Common stretches of five words by all, case and marks aside."""
    sets = []
    for text in (one, other):
        words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
        sets.append({tuple(words[n : n + 5]) for n in range(len(words) - 4)})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])
