"""Every source, in the order in which they are listed.

A reader's module is added to the tuple by hand, so that what can be read is seen here.
"""

from trainer.sources import Source

ALL: tuple[Source, ...] = ()
