"""PubMed's citations with abstracts: baseline and update files."""

from lumen_desktop.formats import pubmed
from trainer.sources import Source

SOURCE = Source(
    name="pubmed",
    title="PubMed abstracts",
    publisher="US National Library of Medicine",
    licence="LicenseRef-PubMed-Abstract",
    how=(
        "Fetch the baseline (folder baseline, one set a year) and then every file of updatefiles, each .xml.gz with its"
        " .md5, and keep NLM's names: their order says which version of a citation is the last."
    ),
    url="https://ftp.ncbi.nlm.nih.gov/pubmed/",
    size="About 1,270 files, 37 million citations, 45 GB gzipped (2025); some 30,000 citations a file.",
    endings=(".xml", ".xml.gz"),
    read=pubmed.documents,
)
