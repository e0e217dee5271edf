"""Who acts. People with accounts come with a later increment; until then a site has one holder."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """The person on whose behalf a write happens.

    Attributes:
        name: how the audit trail names them.
        role: in which duty they act.
    """

    name: str
    role: str
