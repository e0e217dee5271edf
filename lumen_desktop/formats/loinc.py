"""The sections of a US drug label: LOINC code, openFDA's name for the field, and a heading where a label writes none.

In a label's reading order. Knows no file format; `spl` and `openfda` read by it.
Source: the table that FDA's openFDA pipeline maps sections with (github.com/FDA/openfda, spl/data/loinc.csv, US
government work), whose names are written out here; the order is that of 21 CFR 201.56(d), 201.80 and 201.66(c).
"""

UNCLASSIFIED = "42229-5"
BOXED = "34066-1"
WARNINGS = ("34071-1", "43685-7")

_ROWS = """
34066-1|boxed_warning|Boxed Warning
43683-2|recent_major_changes|Recent Major Changes
55106-9|active_ingredient|Active Ingredient
55105-1|purpose|Purpose
34067-9|indications_and_usage|Indications and Usage
50745-9|veterinary_indications|Veterinary Indications
60560-0|intended_use_of_the_device|Intended Use of the Device
34068-7|dosage_and_administration|Dosage and Administration
60562-6|route|Route, Method and Frequency of Administration
43678-2|dosage_forms_and_strengths|Dosage Forms and Strengths
34070-3|contraindications|Contraindications
50570-1|do_not_use|Do Not Use
50569-3|ask_doctor|Ask Doctor
50568-5|ask_doctor_or_pharmacist|Ask Doctor or Pharmacist
50567-7|when_using|When Using
50566-9|stop_use|Stop Use
53414-9|pregnancy_or_breast_feeding|Pregnancy or Breast Feeding
50565-1|keep_out_of_reach_of_children|Keep Out of Reach of Children
43685-7|warnings_and_cautions|Warnings and Precautions
34071-1|warnings|Warnings
54433-8|user_safety_warnings|User Safety Warnings
50742-6|environmental_warning|Environmental Warning
50743-4|food_safety_warning|Food Safety Warning
53412-3|residue_warning|Residue Warning
50741-8|safe_handling_warning|Safe Handling Warning
42232-9|precautions|Precautions
34072-9|general_precautions|General Precautions
34076-0|information_for_patients|Information for Patients
34075-2|laboratory_tests|Laboratory Tests
34074-5|drug_and_or_laboratory_test_interactions|Drug and Laboratory Test Interactions
34084-4|adverse_reactions|Adverse Reactions
34073-7|drug_interactions|Drug Interactions
43684-0|use_in_specific_populations|Use in Specific Populations
42228-7|pregnancy|Pregnancy
34077-8|teratogenic_effects|Teratogenic Effects
34078-6|nonteratogenic_effects|Nonteratogenic Effects
34079-4|labor_and_delivery|Labor and Delivery
34080-2|nursing_mothers|Nursing Mothers
34081-0|pediatric_use|Pediatric Use
34082-8|geriatric_use|Geriatric Use
42227-9|drug_abuse_and_dependence|Drug Abuse and Dependence
34085-1|controlled_substance|Controlled Substance
34086-9|abuse|Abuse
34087-7|dependence|Dependence
34088-5|overdosage|Overdosage
34089-3|description|Description
34090-1|clinical_pharmacology|Clinical Pharmacology
43679-0|mechanism_of_action|Mechanism of Action
43681-6|pharmacodynamics|Pharmacodynamics
43682-4|pharmacokinetics|Pharmacokinetics
49489-8|microbiology|Microbiology
66106-6|pharmacogenomics|Pharmacogenomics
43680-8|nonclinical_toxicology|Nonclinical Toxicology
34083-6|carcinogenesis_and_mutagenesis_and_impairment_of_fertility|Carcinogenesis, Mutagenesis, Impairment of Fertility
34091-9|animal_pharmacology_and_or_toxicology|Animal Pharmacology and Toxicology
34092-7|clinical_studies|Clinical Studies
34093-5|references|References
34069-5|how_supplied|How Supplied
44425-7|storage_and_handling|Storage and Handling
69763-1|disposal_and_waste_handling|Disposal and Waste Handling
51727-6|inactive_ingredient|Inactive Ingredients
53413-1|questions|Questions
60561-8|other_safety_information|Other Safety Information
59845-8|instructions_for_use|Instructions for Use
68498-5|patient_medication_information|Patient Medication Information
42231-1|spl_medguide|Medication Guide
42230-3|spl_patient_package_insert|Patient Package Insert
50744-2|information_for_owners_or_caregivers|Information for Owners or Caregivers
71744-7|health_care_provider_letter|Health Care Provider Letter
69719-3|health_claim|Health Claim
69718-5|statement_of_identity|Statement of Identity
50740-0|guaranteed_analysis_of_feed|Guaranteed Analysis of Feed
60563-4|summary_of_safety_and_effectiveness|Summary of Safety and Effectiveness
69759-9|risks|Risks
69762-3|troubleshooting|Troubleshooting
69761-5|alarms|Alarms
60555-0|accessories|Accessories
69760-7|compatible_accessories|Compatible Accessories
60559-2|components|Components
69758-1|diagram_of_device|Diagram of Device
60556-8|assembly_or_installation_instructions|Assembly or Installation Instructions
60557-6|calibration_instructions|Calibration Instructions
60558-4|cleaning|Cleaning, Disinfecting and Sterilization Instructions
60684-8|cellular_therapy|Cellular Therapy
42229-5|spl_unclassified_section|Other
51945-4|package_label_principal_display_panel|Package Label
"""
_TABLE = tuple(row.split("|") for row in _ROWS.split("\n") if row)

NAMES = {code: name for code, _, name in _TABLE if code != UNCLASSIFIED}
FIELDS = {field: code for code, field, _ in _TABLE}
