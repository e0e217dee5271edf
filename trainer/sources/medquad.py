"""MedQuAD as a source: consumer health questions with answers of US health institutes."""

from lumen_desktop.formats import medquad
from trainer.sources import Source

SOURCE = Source(
    name="medquad",
    title="MedQuAD, questions and answers of NIH pages",
    publisher="Asma Ben Abacha and Dina Demner-Fushman (US National Library of Medicine)",
    licence=medquad.LICENCE,
    how=(
        "Download the repository as a zip and name the zip or the unpacked folder. Three of its twelve collections "
        "hold questions without answers; those are counted and left out."
    ),
    url="https://github.com/abachaa/MedQuAD",
    size="47,441 pairs of which 16,407 are answered (2019)",
    endings=(".xml", ".jsonl"),
    read=medquad.documents,
)
