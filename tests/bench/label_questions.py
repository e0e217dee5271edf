"""Questions as a pharmacist would type them, over three real labels, with words that only an answering sentence holds.

Several wordings that answer are separated by " / "; a quote answers where it holds one of them, whatever the case.
"""

WRITTEN = """
what's the usual starting dose of lipitor for high cholesterol | recommended starting dose of LIPITOR is 10 or 20 mg / usual starting dose
max dose lipitor per day adults | dosage range of LIPITOR is 10 to 80 mg
can lipitor be taken in the evening with food? | at any time of the day, with or without food
maximum atorvastatin dose for a 14 year old with heterozygous FH | maximum recommended dose is 20 mg/day
does lipitor need dose adjustment in renal failure | dosage adjustment in patients with renal dysfunction is not necessary / Renal disease does not affect / Renal disease has no influence
patient on clarithromycin, how much lipitor is allowed | limited to 20 mg / doses above 20 mg / dose of LIPITOR exceeding 20 mg / not exceed 20 mg / Do not exceed 20 mg
can lipitor be combined with ciclosporin / cyclosporine | with cyclosporine should be avoided / cyclosporine should be avoided / therapy with LIPITOR should be avoided / Avoid
should a breastfeeding mother take atorvastatin | should not breastfeed / should not breast-feed / not to breastfeed / Do not breast-feed / should not use Lipitor / advised not to nurse
grapefruit juice and lipitor | grapefruit juice
gemfibrozil plus lipitor interaction | with gemfibrozil should be avoided
how should rifampin and lipitor be timed | simultaneous co-administration of LIPITOR with rifampin is recommended
do birth control pills interact with lipitor | oral contraceptive increased AUC / selecting an oral contraceptive
does lipitor change INR in patients on warfarin | no clinically significant effect on prothrombin time
colchicine with atorvastatin: what is the risk | Cases of myopathy, including rhabdomyolysis, have been reported with atorvastatin co-administered with colchicine
is dialysis useful in lipitor overdose | hemodialysis is not expected
elimination half life of lipitor | half-life of LIPITOR in humans is approximately 14 hours
protein binding of atorvastatin | bound to plasma proteins
does lipitor raise blood sugar | HbA1c
caution with lipitor in the elderly | prescribed with caution in the elderly
usual viagra dose and when to take it before sex | 50 mg taken, as needed, approximately 1 hour
how often can viagra be taken | maximum recommended dosing frequency is once per day
maximum viagra dose | maximum recommended dose of 100 mg
viagra starting dose for patients older than 65 | starting dose of 25 mg
patient takes nitroglycerin, is viagra allowed | contraindicated / never take VIAGRA with / Do not take VIAGRA if
viagra with alpha blockers e.g. doxazosin, what to do | stable on alpha-blocker / lowest dose / Use caution when co-administering alpha-blockers
max sildenafil dose with ritonavir | 25 mg of VIAGRA in a 48 hour / 25 mg in a 48 / dose for ritonavir-treated patients is 25 mg
does alcohol increase the blood pressure drop of sildenafil | did not potentiate the hypotensive effect of alcohol
severe renal impairment viagra dose | starting dose of 25 mg
viagra dose in liver cirrhosis | starting dose of 25 mg
erection lasting more than 4 hours after viagra, what should the patient do | seek immediate medical / get medical help right away / seek emergency
sudden hearing loss on viagra | stop taking PDE5 inhibitors / sudden decrease or loss of hearing / hearing
treatment of viagra overdose, does dialysis help | dialysis is not expected to accelerate
sildenafil oral bioavailability | bioavailability of 41%
half life of sildenafil | half lives of about 4 hours
dose of humira in rheumatoid arthritis | 40 mg administered every other week / 40 mg every week
humira induction dose for crohn's disease | 160 mg initially
humira dose for plaque psoriasis | initial dose of 80 mg
can humira and anakinra be given together | HUMIRA and anakinra is not recommended / anakinra
is humira safe in heart failure | caution when using HUMIRA in patients who have heart failure / worsening congestive heart failure / worsening CHF
live vaccines during humira treatment | live vaccines
does humira pass into breast milk | present in low levels in human milk
hepatitis B carrier starting humira, what to check | prior evidence of HBV infection / hepatitis B
highest adalimumab dose tolerated in trials (overdose) | Doses up to 10 mg/kg
monitoring warfarin when humira is started or stopped | narrow therapeutic index
"""


def label_questions() -> list[tuple[str, tuple[str, ...]]]:
    """(question, wordings of which an answering quote holds one)."""
    pairs = (line.rsplit(" | ", 1) for line in WRITTEN.strip().splitlines())
    return [(question, tuple(words.split(" / "))) for question, words in pairs]
