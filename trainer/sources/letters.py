"""FDA's complete response and warning letters, from PDFs and from openFDA's list."""

from lumen_desktop.formats import letters
from trainer.sources import Source

SOURCE = Source(
    name="letters",
    title="FDA complete response and warning letters",
    publisher="US Food and Drug Administration",
    licence="",  # a PDF that does not show that the FDA wrote it is refused
    how=(
        "Download the list of complete response letters (JSON, zipped) from openFDA's downloads, or save letters as PDF"
        " from Drugs@FDA (other action letters) and from the FDA's page of warning letters. Letters name people:"
        " they are taken out when the dataset is made."
    ),
    url="https://open.fda.gov/data/downloads/",
    size="392 complete response letters in the list (2026); 30 to 250 KB a PDF.",
    endings=(".json", ".pdf"),
    read=letters.documents,
)
