"""Every source, in the order in which they are listed.

A reader's module is added to the tuple by hand, so that what can be read is seen here.
"""

from trainer.sources import (
    Source,
    dailymed,
    drugbank,
    drugsfda,
    ecfr,
    ema,
    feedback,
    guidance,
    letters,
    medmcqa,
    medqa,
    medquad,
    openfda,
    pmc,
    pubmed,
    pubmedqa,
)

ALL: tuple[Source, ...] = tuple(
    module.SOURCE
    for module in (
        dailymed, openfda, drugsfda, ema, pubmed, pmc, ecfr, guidance, letters, medquad, pubmedqa, medmcqa, medqa,
        drugbank, feedback,
    )
)  # fmt: skip
