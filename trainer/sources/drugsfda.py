"""Drugs@FDA: approved products and their applications. Read by `trainer.collect`."""

from lumen_desktop.formats import drugsfda
from trainer.sources import Source

SOURCE = Source(
    name="drugsfda",
    title="Drugs@FDA data files",
    publisher="US Food and Drug Administration",
    licence="LicenseRef-US-PD",
    how=(
        "Take the one zip that the page offers and leave it as it is: its tables are read together. It is made anew "
        "each Tuesday."
    ),
    url="https://www.fda.gov/drugs/drug-approvals-and-databases/drugsfda-data-files",
    size="one zip of 5.61 MB with 11 tables (March 2025)",
    endings=(".zip",),
    read=drugsfda.documents,
)
