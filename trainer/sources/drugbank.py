"""DrugBank as a source: off, and non-commercial for whatever is built with it."""

from lumen_desktop.formats import drugbank
from trainer.sources import Source

SOURCE = Source(
    name="drugbank",
    title="DrugBank, medicines and their interactions",
    publisher="DrugBank (OMx Personal Health Analytics Inc. and University of Alberta)",
    licence=drugbank.LICENCE,
    how=(
        "Apply for an academic licence with your own account, download drugbank_all_full_database.xml.zip and name it. "
        "A dataset with a single item of it is stamped non-commercial."
    ),
    url="https://go.drugbank.com/releases/latest",
    size="about 20,000 medicines and 1.4 million pairs, 2.4 GB of XML (2026)",
    endings=(".xml",),
    read=drugbank.documents,
    on=False,
    terms=(
        "You hold your own agreement with DrugBank; it forbids commercial use, in-house product development included, "
        "and the model will carry that."
    ),
)
