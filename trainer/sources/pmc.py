"""Full text of PMC's open access subset; each article is taken under the licence that it states itself."""

from lumen_desktop.formats import jats
from trainer.sources import Source

SOURCE = Source(
    name="pmc",
    title="PMC open access articles",
    publisher="US National Library of Medicine",
    licence="",  # an article that states none is refused
    how=(
        "Copy the folder oa_comm/xml (articles whose licence allows commercial use) from the bucket pmc-oa-opendata, or"
        " fetch the oa_comm archives from the FTP server and unpack the .tar.gz files. Other ways of bulk download are"
        " not allowed by PMC."
    ),
    url="https://pmc.ncbi.nlm.nih.gov/tools/openftlist/",
    size="Several million articles, over 100 GB gzipped (2025).",
    endings=(".xml", ".nxml", ".xml.gz", ".nxml.gz"),
    read=jats.documents,
)
