"""The Code of Federal Regulations: title 21 for food and drugs, title 45 for privacy, any other."""

from lumen_desktop.formats import ecfr
from trainer.sources import Source

SOURCE = Source(
    name="ecfr",
    title="Electronic Code of Federal Regulations",
    publisher="US Government Publishing Office and National Archives",
    licence=ecfr.LICENCE,
    how=(
        "Download ECFR-title21.xml from govinfo's bulk data, or a title or part as XML for a day from the versioner"
        " API of ecfr.gov; keep title and day in the file's name (title-21-2024-03-22.xml)."
    ),
    url="https://www.govinfo.gov/bulkdata/ECFR/title-21",
    size="Title 21: 30 to 40 MB of XML, new every day.",
    endings=(".xml", ".xml.gz"),
    read=ecfr.documents,
)
