"""From collected sections to conversations to learn from: deterministic builders, one module a kind of source.

`build.examples` is called by the command line, with the records of one document at a time; it knows no file. Words are
taken from the text as they stand: a builder chooses a question and the sentences that answer it, it writes none. What
a question sounds like stands in ``wordings/*.yaml``.
"""

FAMILIES = {
    "label": "questions on a label, answered from the passages shown; some that they do not answer",
    "dosing": "doses, intervals, adjustments",
    "interaction": "what happens with another medicine, food or drink",
    "contraindication": "who must not have a medicine, and what to watch",
    "table": "a cell of a table",
    "patient": "a patient's question, answered from the leaflet",
    "consumer": "health questions of the public",
    "pubmed": "yes, no or maybe from an abstract, with the reason; what a study found",
    "regulation": "citing a section, evidence for a requirement, a finding's clause, a gap in a procedure",
    "narrative": "a GMP text from typed facts",
    "mcq": "multiple choice with the reason",
    "refusal": "what is refused, and look-alikes that are answered",
    "feedback": "answers that the app's users corrected, by consent",
    "replay": "general conversation, against forgetting",
}
