"""openFDA: US drug labels as JSON partitions. Read by `trainer.collect`."""

from lumen_desktop.formats import openfda
from trainer.sources import Source

SOURCE = Source(
    name="openfda",
    title="openFDA, drug label",
    publisher="US Food and Drug Administration (openFDA)",
    licence="CC0-1.0",
    how=(
        "The page lists the zipped partitions (drug/label in download.json, drug-label-0001-of-00NN.json.zip and so "
        "on). Take all parts of one export: every week all of them are made anew. The labels are those of DailyMed; "
        "where you have its XML, that is the better form."
    ),
    url="https://open.fda.gov/apis/drug/label/download/",
    size="about 13 partitions of up to 20,000 labels, more than 1.5 GB zipped together (145,289 labels in 2019)",
    endings=(".json",),
    read=openfda.documents,
)
