"""Whether a build may go out: the table of checks, what each looks at, and who may let one pass that failed.

``WORK/gated/``::

    gate.json                the `GateResult`, canonical JSON
    waivers/<number>.json    signed, each for one check of one set of measurements
    review-sheet.json        answers drawn for a person to judge
    review.json              the same, judged and signed

======= =================================================================
code    meaning
======= =================================================================
TRN-100 nothing that could be gated, or no gate to release by
TRN-101 a waiver that is not allowed
TRN-102 a signed file was changed, or is signed by nobody who may
TRN-103 the gate did not pass
TRN-104 the gate was of other files
TRN-105 the day of expiry is past
TRN-106 the build's number is not above the last one's
TRN-107 prose without a passed gate
TRN-108 a non-commercial licence without its stamp
TRN-109 the review's sheet is not filled in
======= =================================================================
"""
