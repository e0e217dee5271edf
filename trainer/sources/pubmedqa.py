"""PubMedQA as a source: grounded yes, no or maybe; its public test half is left out item by item."""

from collections.abc import Iterator
from typing import BinaryIO

from lumen_desktop.formats import pubmedqa
from lumen_desktop.formats.document import Fault, PublicDocument
from trainer.sources import Source
from trainer.sources.pubmedqa_held_out import TEST_PMIDS


def _read(stream: BinaryIO, name: str) -> Iterator[PublicDocument | Fault]:
    """All items but the 500 of the test half, whichever file they stand in and whatever it is called.

    The published list of PMIDs decides: a copy under another name is refused just so, and a file that mixes the halves
    gives its development half.
    """
    for found in pubmedqa.documents(stream, name):
        if isinstance(found, PublicDocument) and found.id in TEST_PMIDS:
            yield Fault(found.id, "for-evaluation", "The item is of PubMedQA's test half, which is evaluated on.")
        else:
            yield found


SOURCE = Source(
    name="pubmedqa",
    title="PubMedQA, yes, no or maybe from abstracts",
    publisher="Qiao Jin and others (PubMedQA)",
    licence=pubmedqa.LICENCE,
    how=(
        "Download ori_pqal.json from the repository, and ori_pqaa.json and ori_pqau.json from where its readme says. "
        "The questions come under MIT; the abstracts in them keep their publishers' copyright, as in PubMed."
    ),
    url="https://github.com/pubmedqa/pubmedqa",
    size="1,000 items decided by experts, 211,000 made, 61,000 undecided (2019)",
    endings=(".json",),
    read=_read,
)
