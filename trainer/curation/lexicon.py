"""Words that are no person's name: ordinary and medical ones, drugs, and those of offices, products, places and days.

The ordinary ones (``words.txt``) were counted where public labels, leaflets, guidance and articles write them in lower
case, for the app's own word list holds first names too; nothing was learnt from letters. Drugs are those of the app's
dictionary. Used only by `personal`.
"""

import gzip
import re
from functools import cache
from pathlib import Path

_DRUGS = Path(__file__).resolve().parents[2] / "resources" / "drugs" / "names.tsv.gz"


@cache
def ordinary() -> frozenset[str]:
    """Words that public texts write in lower case, and the drugs' names of one word."""
    listed = (Path(__file__).parent / "words.txt").read_text(encoding="ascii").split()
    with gzip.open(_DRUGS, "rt", encoding="utf-8") as lines:
        drugs = [line.partition("\t")[0] for line in lines]
    return frozenset(listed).union(ROLES, PLACES, (name for name in drugs if name.isalpha()))


TITLES = frozenset(
    "dear dr mr mrs ms mx miss prof professor sir madam dame lord lady rev fr herr frau dipl ing mag univ dott dottor "
    "sig signor signora signorina sr sra srta señor señora don doña dom dona mme mlle monsieur madame mevr dhr drs pan "
    "pani bay bayan ông bà cô anh chị quý shri smt kumari hr fru rva doc phdr mudr judr attn attention".split()
)
ROLES = frozenset(
    "director deputy manager officer president vice chief head lead leader associate assistant specialist coordinator "
    "consultant nurse pharmacist physician doctor patient inspector investigator auditor reviewer analyst engineer "
    "scientist secretary chair chairman agent administrator supervisor operator technician representative liaison "
    "applicant sponsor colleague colleagues team all hiring customer service committee staff quality assurance control "
    "regulatory affairs project senior junior medical safety production manufacturing site authorized qualified person "
    "holder authorisation authorization manufacturer marketing tel tlf fax phone mobile email mail subject date "
    "recipient reader owner author editor he she they we you it i who concern whom".split()
)
OFFICES = frozenset(
    "inc incorporated ltd limited llc llp plc corp corporation company co gmbh ag sa nv bv spa srl oy ab kg pty pvt "
    "pharma pharmaceutical pharmaceuticals laboratories laboratory labs biotech therapeutics biosciences healthcare "
    "hospital clinic university college institute school center centre office division department agency ministry "
    "administration commission council bureau branch board foundation society association group holdings industries "
    "study trial test scale score index syndrome disease criteria method system act rule guideline guidance annex "
    "pharmacopoeia pharmacopeia formulary journal module section table figure appendix part chapter article".split()
)
PRODUCTS = frozenset(
    "tablet tablets capsule capsules injection injections solution suspension cream ointment gel patch spray inhaler "
    "syrup drops powder vial vials pen kit hydrochloride sodium potassium calcium acetate sulfate phosphate maleate "
    "tartrate citrate xr er sr cr la hcl plus forte".split()
)
PLACES = frozenset(
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday america american americas europe european africa asia states united kingdom union "
    "england english wales scotland ireland irish britain british france french germany german italy italian spain "
    "spanish portugal poland polish netherlands dutch belgium austria switzerland sweden swedish norway denmark danish "
    "finland iceland greece greek hungary romania bulgaria croatia serbia slovenia slovakia czech estonia latvia "
    "lithuania turkey turkish russia russian ukraine israel india indian china chinese japan japanese korea korean "
    "taiwan singapore malaysia thailand vietnam indonesia philippines australia australian zealand canada canadian "
    "mexico brazil argentina chile colombia peru nigeria kenya egypt alabama alaska arizona arkansas california "
    "carolina colorado connecticut dakota delaware florida georgia hawaii idaho illinois indiana iowa kansas kentucky "
    "louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska nevada hampshire "
    "jersey york ohio oklahoma oregon pennsylvania rhode tennessee texas utah vermont virginia washington wisconsin "
    "wyoming columbia silver spring rockville bethesda london paris berlin dublin amsterdam brussels geneva strasbourg "
    "latin greek federal register english code regulations internet web".split()
)
# Ends of international non-proprietary names. Source: WHO, The use of stems in the selection of INN, 2018.
_STEMS = re.compile(
    r"(?:mab|nib|statin|pril|prilat|sartan|olol|dipine|azole|cillin|mycin|micin|floxacin|cycline|vir|virine|gliptin|"
    r"gliflozin|glutide|tide|parib|ciclib|lukast|setron|triptan|oxetine|azepam|zolam|barbital|caine|curium|curonium|"
    r"sone|solone|olone|onide|profen|fenac|coxib|thiazide|semide|tinib|limus|rubicin|platin|taxel|bine|trexate|mustine|"
    r"parin|gatran|xaban|grel|ase|kinra|cept|stim|poetin|ridone|piprazole|peridol|tadine|zine|amine|idine|orphan|"
    r"morphine|codone|fentanil|fibrate|formin|glitazone|oxacin|penem|bactam|conazole|vudine|amivir|asvir|buvir)$"
)


def substance(word: str) -> bool:
    """Whether a word in lower case ends as names of active substances do."""
    return len(word) > 6 and _STEMS.search(word) is not None  # noqa: PLR2004 - shorter ones are as often people
