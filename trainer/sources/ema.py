"""EMA: EU package leaflets. Read by `trainer.collect`."""

from lumen_desktop.formats import ema
from trainer.sources import Source

SOURCE = Source(
    name="ema",
    title="EMA package leaflets",
    publisher="European Medicines Agency",
    licence="LicenseRef-EMA-Reuse",
    how=(
        "Take the FHIR bundles (JSON) of the electronic product information that the portal and its interface give "
        "out, a file for each document and language, or leaflets as JSON lines {product, ema_id, lang, sections: "
        "[{title, text}]}, as open collections of them have (github.com/joofio/test-epi-composition). There is no "
        "single bulk file."
    ),
    url="https://epi.ema.europa.eu/",
    size="16 kB a leaflet as text (150 counted in 2026); the electronic form began in 2023 with 25 medicines",
    endings=(".jsonl", ".ndjson", ".json"),
    read=ema.documents,
)
