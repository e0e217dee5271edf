"""Answers that users of the app corrected, or found right, over the passages they were shown; by their consent."""

import re
from collections.abc import Iterator, Sequence

from lumen_desktop.domain.grounding import check
from trainer.dataset.shown import Asked, example, parts, passage, within
from trainer.dataset.subject import drugs
from trainer.records import Example, Origin, Record, Reject

_RIGHT = "right"


def examples(document: Sequence[Record], seed: int) -> Iterator[Example | Reject]:
    """The user's correction as the answer, or the answer shown where the user found it right.

    It is held against its passages as the app would hold it: one that states what they do not is left out.
    """
    del seed
    by = {code: [record for record in document if record.section_code == code]
          for code in ("answer", "correction", "passage")}  # fmt: skip
    facts = document[0].facts
    kept = by["correction"] or (by["answer"] if facts.get("rating") == _RIGHT else [])
    shown = within([parts(record)[0] for record in by["passage"]])
    if not kept or not shown or not facts.get("question"):
        yield Reject("examples", document[0].doc_id, "no-correction", "It has no answer to learn from, or no passage.")
        return
    answer = kept[0].text
    cited = answer if re.search(r"\[\d{1,2}\]", answer) else f"{answer.rstrip('.')} [1]."
    passages = [passage(part) for part in shown]
    if check(cited, passages, drugs_in=drugs().ingredients).struck:
        yield Reject("examples", document[0].doc_id, "not-grounded", "The answer states what its passages do not.")
        return
    asked = Asked("feedback", "corrected" if by["correction"] else "right", str(facts["question"]))
    yield example(asked, shown, cited, [Origin(kept[0].id, 0, len(answer))])
