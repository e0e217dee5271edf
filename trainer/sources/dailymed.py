"""DailyMed: US drug labels as structured product labels. Read by `trainer.collect`."""

from lumen_desktop.formats import spl
from trainer.sources import Source

SOURCE = Source(
    name="dailymed",
    title="DailyMed, structured product labels",
    publisher="US National Library of Medicine (DailyMed); text by the labels' manufacturers",
    licence="LicenseRef-DailyMed",
    how=(
        "Open the page, take the full releases you want (human prescription labels come in parts, OTC, homeopathic "
        "and others apart), later the monthly, weekly or daily updates. Leave the zips as they are: each holds one "
        "zip for each label. Compare the MD5 sums listed beside them."
    ),
    url="https://dailymed.nlm.nih.gov/dailymed/spl-resources-all-drug-labels.cfm",
    size="more than 154,000 labels (140,232 in August 2021); with their pictures many gigabytes",
    endings=(".xml",),
    read=spl.documents,
)
