"""Questions on GMP that name no drug: some written by hand, the rest made from templates; used by the drugs bench."""

import random

WRITTEN = """
Which batches must an investigation extend to when a batch fails its specification?
How long must batch production records be kept after the expiry date?
Who may release a finished batch for distribution?
What does 21 CFR 211.192 require when a yield is out of range?
When does a field alert report have to reach the agency?
Is a retest allowed to overrule an out-of-specification result?
What are the four recall depths and who decides on them?
What must an audit trail record under Part 11?
May two people share one electronic signature?
How often should media fills be repeated for each shift?
What is the particle limit for grade A at rest and in operation?
Which grade surrounds a grade A open filling line?
How is a restricted access barrier system qualified?
What temperature must a hot water-for-injection loop hold?
Does Annex 1 accept reverse osmosis for water for injection?
What is a contamination control strategy?
How many consecutive batches does process validation need?
What is continued process verification?
How do I justify a bracketing design in stability studies?
What storage conditions apply to long term stability in climatic zone IVb?
When is skip-lot testing of components acceptable?
Which containers of a shipment must be sampled?
What must the label of a quarantined material show?
How are returned goods handled and when may they be resold?
Who has to sign the master production record?
What counts as a critical deviation?
When must a CAPA be checked for effectiveness?
What is the difference between correction and corrective action?
How should complaints about broken tamper-evident seals be investigated?
What training records does an inspector ask for?
Which changes to a validated HPLC method need revalidation?
How do we set alert and action limits for bioburden?
What are the ALCOA+ principles?
Can a spreadsheet be used for GMP calculations without validation?
What does ICH Q9 say about the formality of risk management?
What belongs in a quality agreement with a contract manufacturer?
How is a hold time for cleaned equipment established?
How are swab recovery factors determined?
What is a health-based exposure limit and who calculates it?
Is visual inspection enough to verify cleaning?
How is a rinse sample compared with the acceptance limit?
What does the qualified person certify under Annex 16?
How long are reserve samples of an active ingredient retained?
How many units does a retention sample need?
What is the Knapp test for visual inspection?
Which defects are classed as critical in an AQL inspection?
How are freeze dryers leak tested?
What is the minimum F0 for an overkill sterilisation cycle?
Where do thermocouples go in an autoclave load mapping?
What does a biological indicator for steam contain?
How is vaporised hydrogen peroxide decontamination of an isolator validated?
Should 70% isopropanol used in grade A be sterile?
What is the limit for total organic carbon in purified water?
How is conductivity of purified water tested in stages?
Which filters need an integrity test after use?
What is the bubble point test?
What happens when a HEPA filter fails the leak test?
What air velocity is expected under unidirectional flow?
How is pressure cascade between rooms documented?
How should gowning qualification be carried out?
What may operators wear in the aseptic core?
How are environmental isolates identified to species level?
What does ICH Q7 require for the expiry or retest date?
How is recovered solvent controlled?
When may reprocessing be done without a deviation?
What is a site master file?
How does FDA classify recalls?
What is the deadline for answering a Form 483?
What does a warning letter trigger for pending applications?
How are suppliers of printed packaging qualified?
Which checks must a packaging line clearance cover?
How is label reconciliation done with roll labels?
What is serialisation under the Drug Supply Chain Security Act?
What is a temperature excursion and who assesses it?
How are shipping lanes qualified for cold chain products?
What is the mean kinetic temperature?
How do I calculate the standard deviation of content uniformity results?
Which system suitability parameters are required for chromatography?
How is an outlier test used in an OOS investigation?
When can a laboratory error invalidate a result?
What is the role of the quality unit in reviewing data?
What must a periodic review of a computerised system cover?
How should backups be tested under Annex 11?
Which records fall under predicate rules?
How does GAMP 5 categorise software?
What is computer software assurance?
What should the annual product review contain?
How are process capability indices interpreted?
What do ICH Q10 enablers mean?
When is a parametric release permitted?
How is nitrosamine risk assessed for the portfolio?
What is the permitted daily exposure for class 2 residual solvents?
Are elemental impurities controlled by ICH Q3D or by batch testing?
Who approves a protocol amendment during validation?
What is the acceptance criterion for endotoxin in a depyrogenation study?
How should nitrogen overlay of bulk solution be monitored?
Do excipients such as lactose and magnesium stearate need full testing on receipt?
Should silicone tubing be replaced after each campaign?
How are pest control contractors supervised?
What should a mock recall demonstrate?
""".strip().splitlines()

_TEMPLATES = (
    "What does {rule} require for {topic}?",
    "Who is responsible for {topic} in {area}?",
    "How often must {topic} be reviewed under {rule}?",
    "Which records of {topic} have to be kept in {area}?",
    "How should {topic} be documented when {event}?",
    "What happens to the batch when {event} in {area}?",
    "Is {topic} mandatory before {step}?",
    "What acceptance criteria apply to {topic} during {step}?",
    "May {role} approve {topic} alone?",
    "Which training does {role} need for {step}?",
    "what limit applies to {measure} in {area}",
    "How is {measure} trended and who reads the trend?",
    "Does {rule} say anything on {measure}?",
    "When {event}, must {role} stop {step}?",
)
_WORDS = {
    "rule": (
        "21 CFR 211.100",
        "21 CFR 211.165",
        "21 CFR 820",
        "Part 11",
        "Annex 1",
        "Annex 11",
        "Annex 15",
        "Annex 16",
        "EU GMP Chapter 4",
        "EU GMP Chapter 8",
        "ICH Q7",
        "ICH Q9(R1)",
        "ICH Q10",
        "ICH Q2(R2)",
        "ICH Q12",
        "USP <1116>",
        "USP <797>",
        "PIC/S PI 041",
        "the MHRA data integrity guidance",
        "WHO TRS 986",
        "Schedule M",
        "ISO 14644-1",
        "Ph. Eur. 2.6.1",
        "the GDP guideline",
        "ANVISA RDC 658",
    ),
    "topic": (
        "deviation handling",
        "change control",
        "the audit trail review",
        "line clearance",
        "supplier qualification",
        "the stability programme",
        "cleaning validation",
        "equipment calibration",
        "media fill qualification",
        "the hold time study",
        "self-inspection",
        "complaint handling",
        "the master batch record",
        "vendor audits",
        "the validation master plan",
        "document control",
        "out-of-trend evaluation",
        "reworking",
        "reprocessing",
        "sampling of starting materials",
        "label reconciliation",
        "the technical agreement",
        "data backup",
        "access rights",
        "the impurity profile",
        "filter integrity testing",
        "smoke studies",
        "requalification",
        "the annual product quality review",
        "risk assessment",
        "environmental monitoring",
        "gowning",
        "sterility testing",
        "container closure integrity",
        "process performance qualification",
        "preventive maintenance",
    ),
    "area": (
        "the weighing booth",
        "a grade B room",
        "the lyophilisation suite",
        "the microbiology laboratory",
        "the warehouse",
        "the tablet compression area",
        "secondary packaging",
        "the granulation suite",
        "the sampling room",
        "the airlock",
        "the purified water loop",
        "an isolator",
        "the blow-fill-seal line",
        "the visual inspection room",
        "the quality control laboratory",
        "a contract site",
        "the cold store",
        "a biologics facility",
    ),
    "event": (
        "a glove is torn",
        "the differential pressure drops",
        "a power failure occurs",
        "an entry is overwritten",
        "a result is out of specification",
        "mould is recovered",
        "the mixer stops early",
        "the wrong leaflet is found",
        "a balance fails its daily check",
        "the yield is too low",
        "a seal leaks",
        "the data logger loses its signal",
        "a peak is integrated by hand",
        "an unknown peak appears",
        "the raw data are missing",
        "a label is misprinted",
        "metal particles are detected",
        "the temperature exceeds the range",
    ),
    "step": (
        "aseptic filling",
        "granulation",
        "blending",
        "compression",
        "film coating",
        "terminal sterilisation",
        "lyophilisation",
        "depyrogenation",
        "crystallisation",
        "milling",
        "packaging",
        "release",
        "dispatch",
        "dispensing",
        "steam sterilisation",
        "ultrafiltration",
        "chromatographic purification",
        "technology transfer",
    ),
    "role": (
        "the qualified person",
        "the head of production",
        "an analyst",
        "the responsible pharmacist",
        "an operator",
        "the quality unit",
        "the microbiologist",
        "a contract giver",
        "the validation engineer",
        "a line supervisor",
        "the responsible person for distribution",
    ),
    "measure": (
        "total organic carbon",
        "bioburden",
        "endotoxin",
        "conductivity",
        "viable particles",
        "non-viable particles",
        "relative humidity",
        "loss on drying",
        "content uniformity",
        "tablet hardness",
        "friability",
        "disintegration time",
        "dissolution",
        "pH",
        "osmolality",
        "residual solvents",
        "elemental impurities",
        "microbial count",
        "fill volume",
        "headspace oxygen",
        "residual moisture",
        "particulate matter",
        "colony forming units",
        "assay",
        "turbidity",
        "leachables",
        "air changes",
        "sieve analysis",
        "bulk density",
        "viscosity",
        "rinse water residues",
    ),
}


def questions(count: int, seed: int) -> list[str]:
    """Return `count` different questions: all that were written by hand, then made ones."""
    source = random.Random(seed)
    found = dict.fromkeys(WRITTEN)
    while len(found) < count:
        template = source.choice(_TEMPLATES)
        found[template.format(**{slot: source.choice(words) for slot, words in _WORDS.items()})] = None
    return list(found)[:count]
