"""From downloaded files to records: every source's files are read once, in parallel, and the newest version stays.

`inputs` finds the files and cuts them into units, `reading` turns a unit into parts on the disk, `newest` decides which
version of a document stays and lays the parts out for the next step, `run` does it all. Knows no format: a source's
reader does. The work folder::

    WORK/parts/<source>/        what was read, a unit at a time, with what is needed to go on after a kill
    WORK/collected/<source>/    the records that stay: hard links to parts, or copies without what fell away
    WORK/collected/rejects.jsonl, inputs.json, summary.json (written last: without it a collection is not whole)
"""

from trainer.collect.inputs import Choice, InputFile, Unit, chosen, found, units
from trainer.collect.run import Shard, Stop, Summary, collect, shard

__all__ = ["Choice", "InputFile", "Shard", "Stop", "Summary", "Unit", "chosen", "collect", "found", "shard", "units"]
