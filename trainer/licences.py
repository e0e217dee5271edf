"""The licences that sources come under, and what each allows for a model trained on them.

Facts about terms, each with where it stands; no legal advice. `collect` refuses a record whose licence is not here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Licence:
    """Terms of a source.

    Attributes:
        id: SPDX identifier, else "LicenseRef-…" as SPDX writes others.
        title: as people call it.
        commercial: whether a model trained on it may be sold.
        attribution: whether its source must be named.
        url: where the terms stand.
        note: what an owner should know; one sentence.
    """

    id: str
    title: str
    commercial: bool
    attribution: bool
    url: str
    note: str


_ALL = (
    Licence(
        "LicenseRef-US-PD", "US government work (public domain)", commercial=True, attribution=False,
        url="https://www.govinfo.gov/about/policies",
        note="17 U.S.C. 105; quoted third-party material in it may still be protected.",
    ),
    Licence(
        "LicenseRef-DailyMed", "Labelling text published by NLM", commercial=True, attribution=True,
        url="https://dailymed.nlm.nih.gov/dailymed/about-dailymed.cfm",
        note="Public labelling written by manufacturers; NLM asks to be named as the source.",
    ),
    Licence(
        "CC0-1.0", "Creative Commons Zero", commercial=True, attribution=False,
        url="https://creativecommons.org/publicdomain/zero/1.0/", note="openFDA adds: not for decisions on care.",
    ),
    Licence(
        "CC-BY-4.0", "Creative Commons Attribution 4.0", commercial=True, attribution=True,
        url="https://creativecommons.org/licenses/by/4.0/", note="Name the authors and say what was changed.",
    ),
    Licence(
        "CC-BY-3.0", "Creative Commons Attribution 3.0", commercial=True, attribution=True,
        url="https://creativecommons.org/licenses/by/3.0/", note="Name the authors and say what was changed.",
    ),
    Licence(
        "CC-BY-2.0", "Creative Commons Attribution 2.0", commercial=True, attribution=True,
        url="https://creativecommons.org/licenses/by/2.0/", note="Name the authors and say what was changed.",
    ),
    Licence(
        "CC-BY-2.5", "Creative Commons Attribution 2.5", commercial=True, attribution=True,
        url="https://creativecommons.org/licenses/by/2.5/", note="Name the authors and say what was changed.",
    ),
    Licence(
        "LicenseRef-CC-BY", "Creative Commons Attribution, version not stated", commercial=True, attribution=True,
        url="https://creativecommons.org/licenses/by/", note="Name the authors; every version allows commercial use.",
    ),
    Licence(
        "CC-BY-SA-4.0", "Creative Commons Attribution ShareAlike 4.0", commercial=True, attribution=True,
        url="https://creativecommons.org/licenses/by-sa/4.0/",
        note="Whether a model is an adaptation that must be shared alike is not settled.",
    ),
    Licence(
        "CC-BY-NC-4.0", "Creative Commons Attribution NonCommercial 4.0", commercial=False, attribution=True,
        url="https://creativecommons.org/licenses/by-nc/4.0/", note="No commercial use.",
    ),
    Licence(
        "LicenseRef-CC-NonCommercial", "Creative Commons, a non-commercial or no-derivatives variant",
        commercial=False, attribution=True, url="https://creativecommons.org/licenses/",
        note="Articles outside PMC's oa_comm set.",
    ),
    Licence(
        "LicenseRef-DrugBank", "DrugBank academic licence (CC BY-NC 4.0)", commercial=False, attribution=True,
        url="https://go.drugbank.com/releases/latest",
        note="Forbids use inside commercial product development, also internally; needs your own agreement.",
    ),
    Licence(
        "LicenseRef-PubMed-Abstract", "PubMed abstract under its publisher's copyright", commercial=True,
        attribution=True, url="https://www.nlm.nih.gov/databases/download/terms_and_conditions.html",
        note="NLM claims nothing, publishers may; decide whether to train on abstracts before you sell the model.",
    ),
    Licence(
        "LicenseRef-EC-Reuse", "European Commission reuse decision 2011/833/EU", commercial=True, attribution=True,
        url="https://eur-lex.europa.eu/eli/dec/2011/833/oj", note="Name the source; EudraLex volume 4.",
    ),
    Licence(
        "LicenseRef-EMA-Reuse", "European Medicines Agency, reuse with acknowledgement", commercial=True,
        attribution=True, url="https://www.ema.europa.eu/en/about-us/about-website/legal-notice",
        note="Reproduction is allowed where the agency is acknowledged as the source.",
    ),
    Licence(
        "LicenseRef-ICH", "ICH guideline", commercial=True, attribution=True,
        url="https://www.ich.org/page/legal-mentions",
        note="May be used and adapted where ICH's copyright is acknowledged; third-party parts are excepted.",
    ),
    Licence(
        "OGL-UK-3.0", "UK Open Government Licence 3.0", commercial=True, attribution=True,
        url="https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
        note="MHRA's own guidance; product information belongs to the licence holders.",
    ),
    Licence(
        "MIT", "MIT licence", commercial=True, attribution=True, url="https://spdx.org/licenses/MIT.html",
        note="Keep the copyright notice with copies of the data.",
    ),
    Licence(
        "Apache-2.0", "Apache License 2.0", commercial=True, attribution=True,
        url="https://www.apache.org/licenses/LICENSE-2.0",
        note="Section 4: copies need the licence, marks of changes and the notices.",
    ),
    Licence(
        "LicenseRef-Consent", "Feedback of the site's own users, by consent", commercial=True, attribution=False,
        url="", note="Holds while the consent holds: a withdrawal takes the examples out of the next build.",
    ),
)  # fmt: skip

LICENCES = {licence.id: licence for licence in _ALL}
