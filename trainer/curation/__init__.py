"""From examples as they were built to a dataset that can be learnt from: each step a module, `run` joins them.

In order: normalise, quality, personal (de-identification), contamination, duplicates (exact, near), caps, split, mix.
The first four look at one example and run in any number of shards; the others look at all, by their keys.
"""

from trainer.curation.report import Report
from trainer.curation.run import Job, Progress, begun, curate, finish, match_share, prepare_shards
from trainer.curation.settings import Caps, Duplicates, Mix, Quality, Settings, Split

__all__ = [
    "Caps", "Duplicates", "Job", "Mix", "Progress", "Quality", "Report", "Settings", "Split", "begun", "curate",
    "finish", "match_share", "prepare_shards",
]  # fmt: skip
