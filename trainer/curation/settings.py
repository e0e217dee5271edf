"""What curation is asked to do: every limit, each with the value it has where the configuration does not say.

Knows no file. The command line fills it from the configuration; every step takes its own part of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Quality:
    """What an example must hold to be learnt from.

    Attributes:
        answer_words: fewest and most words of an answer.
        most_characters: of the whole conversation.
        symbols: largest share of an answer's characters that are neither letters, digits nor spaces.
        repeated: largest share of an answer's word triples that stand in it before.
        in_span: smallest share of an answer's words that its origins or the passages shown hold.
        free: families whose answers are not words of a source, so that the last two checks do not apply.
    """

    answer_words: tuple[int, int] = (1, 1500)
    most_characters: int = 32_000
    symbols: float = 0.35
    repeated: float = 0.5
    in_span: float = 0.7
    free: frozenset[str] = frozenset({"refusal", "replay"})


@dataclass(frozen=True, slots=True)
class Duplicates:
    """When two examples say the same.

    Attributes:
        jaccard: share of common word groups from which they do.
        words: of a group.
        buckets: of MinHash; more find more.
        rows: hashes a bucket; more look at fewer pairs. 20 buckets of 6 miss 0.2 % of the pairs at 0.8.
    """

    jaccard: float = 0.8
    words: int = 5
    buckets: int = 20
    rows: int = 6


@dataclass(frozen=True, slots=True)
class Caps:
    """Most examples of one kind; None is no limit.

    Attributes:
        ingredient: of one group that begins with "drug:".
        labeler: of one labeler.
        template: of one wording of a family.
    """

    ingredient: int | None = 1000
    labeler: int | None = 20_000
    template: int | None = 40_000


@dataclass(frozen=True, slots=True)
class Split:
    """How examples are parted.

    Attributes:
        validation: share of the examples.
        test: share of the examples.
        timed: beginnings of groups that are parted by time: the newest are held out.
        largest: share of the examples up to which a set of connected groups is held out whole; beyond it the set is
            parted between its groups, and the examples that stand on both sides are left out.
    """

    validation: float = 0.05
    test: float = 0.05
    timed: tuple[str, ...] = ("document:pubmed:", "document:pmc:", "document:pubmedqa:", "article:")
    largest: float = 0.2


@dataclass(frozen=True, slots=True)
class Mix:
    """How many examples, of which families.

    Attributes:
        examples: in all three parts together; None takes what there is.
        families: share of each; empty takes families as they come. One that is not named gets none.
    """

    examples: int | None = None
    families: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it.

    Attributes:
        seed: decides every choice, together with an example's own digest.
        personal: words in the name of a source (what stands before the colon of a document id) whose examples are
            de-identified.
        contaminated: share of a test item's words from which an example that holds them is left out.
    """

    seed: int = 0
    quality: Quality = Quality()
    duplicates: Duplicates = Duplicates()
    caps: Caps = Caps()
    split: Split = Split()
    mix: Mix = field(default_factory=Mix)
    personal: tuple[str, ...] = ("letter", "feedback")
    contaminated: float = 0.5
