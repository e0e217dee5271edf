"""Guidance of the FDA, the ICH, the European Commission (EudraLex), the EMA, the MHRA and the WHO, from PDFs."""

from lumen_desktop.formats import guidance
from trainer.sources import Source

SOURCE = Source(
    name="guidance",
    title="Guidance of authorities (PDF)",
    publisher="the authority named in each document",
    licence="",  # by the imprint; a PDF of an unknown publisher is refused unless the configuration names its licence
    how=(
        "Save the PDFs that your site works with from the pages of the FDA, ICH, EudraLex volume 4, EMA and MHRA, each"
        " in its current edition. For a PDF whose publisher is not recognised, name its licence in the configuration."
    ),
    url="https://health.ec.europa.eu/medicinal-products/eudralex/eudralex-volume-4_en",
    size="10 KB to 2 MB a document.",
    endings=(".pdf",),
    read=guidance.documents,
)
