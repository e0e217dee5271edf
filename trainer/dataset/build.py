"""From documents to examples: the one entrance of this package."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from trainer.dataset import (
    choices,
    consumer,
    feedback,
    labels,
    letters,
    literature,
    narratives,
    refusals,
    rules,
    tables,
)
from trainer.records import Example, Record, Reject

Builder = Callable[[Sequence[Record], int], Iterator[Example] | Iterator[Example | Reject]]


def _questions(document: Sequence[Record], seed: int) -> Iterator[Example]:
    """Two sets of questions share a kind: one has types of questions, the other an expert's decision."""
    return (consumer.examples if "qtype" in document[0].facts else literature.judged)(document, seed)


_BUILDERS: Mapping[str, tuple[Builder, ...]] = {
    "label": (labels.examples, tables.examples, refusals.examples),
    "leaflet": (labels.examples, tables.examples, refusals.examples),
    "interaction": (labels.pairs,),
    "qa": (_questions,),
    "abstract": (literature.told,),
    "article": (literature.told, tables.examples),
    "regulation": (rules.examples, narratives.examples, tables.examples, refusals.examples),
    "guidance": (rules.examples, narratives.examples, tables.examples, refusals.examples),
    "letter": (letters.examples,),
    "mcq": (choices.examples,),
    "feedback": (feedback.examples,),
}


def examples(
    documents: Iterable[Sequence[Record]], *, seed: int, families: frozenset[str] | None = None
) -> Iterator[Example | Reject]:
    """Examples of documents, each from its own records alone, so that documents can be shared out in any way.

    Args:
        documents: the records of one document at a time, all of them, in reading order.
        seed: decides wordings, passages shown beside and which questions are left unanswered.
        families: those wanted, of `trainer.dataset.FAMILIES`; None is all.

    Yields:
        Examples, and a reject for each document that gives none.
    """
    for document in documents:
        if document[0].language != "en":
            yield Reject("examples", document[0].doc_id, "language", "The wordings of questions are English.")
            continue
        count = 0
        for builder in _BUILDERS.get(document[0].kind, ()):
            for made in builder(document, seed):
                if isinstance(made, Reject) or families is None or made.family in families:
                    count += 1
                    yield made
        if not count and families is None:
            yield Reject("examples", document[0].doc_id, "no-example", "Nothing in it answers a question by itself.")
