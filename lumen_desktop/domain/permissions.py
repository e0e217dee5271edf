"""Which duty allows which act: one table, read by `services.authority` for every act and denied by default.

A cell says how far a duty reaches: not at all, one's own records, or anybody's. Where duties of one person
differ, the furthest reach counts. What a person cannot do because of who they are (sign what they wrote,
change their own roles) stands with the act itself, not here.

Source: 21 CFR 11.10(d), (g); EU GMP Annex 11 draft 2025 clause 11; FDA Data Integrity Q&A 2018, question 4.
"""

from enum import IntEnum, StrEnum

from lumen_desktop.domain.accounts import Profile, Role


class Act(StrEnum):
    """What a person may want to do."""

    ASK = "ask"
    KEEP_CONVERSATIONS = "keep conversations"  # list, read, rename, pin, delete, restore
    READ_LIBRARY = "read the library"  # list, search, open sources
    ADD_DOCUMENTS = "add documents"
    REMOVE_DOCUMENTS = "remove documents"
    RELEASE_DOCUMENTS = "release documents"
    READ_AUDIT = "read the audit trail"
    EXPORT_AUDIT = "export the audit trail"
    REVIEW_AUDIT = "review the audit trail"
    EXPLAIN_CLOCK = "explain the clock"
    READ_PEOPLE = "read the list of people"
    MANAGE_PEOPLE = "manage people"
    REVIEW_ACCESS = "review access"
    CHANGE_POLICY = "change the site's policy"
    ROTATE_KEY = "rotate the key"
    RUN_SELF_TEST = "run the self-test"
    SIGN_AS_AUTHOR = "sign as author"
    SIGN_AS_REVIEWER = "sign as reviewer"
    SIGN_AS_APPROVER = "sign as approver"
    OWN_ACCOUNT = "keep one's own account"  # password, second factor, accountability


class Reach(IntEnum):
    """Whose records an act may touch."""

    NONE = 0
    OWN = 1
    ANY = 2


_COLUMNS = (Role.CLINICIAN, Role.OFFICER, Role.APPROVER, Role.ADMIN)
_N, _O, _A = Reach.NONE, Reach.OWN, Reach.ANY

_GMP: dict[Act, tuple[Reach, Reach, Reach, Reach]] = {
    #                       clinician officer approver admin
    Act.ASK:                   (_O, _O, _O, _N),
    Act.KEEP_CONVERSATIONS:    (_O, _O, _O, _N),
    Act.READ_LIBRARY:          (_A, _A, _A, _A),
    Act.ADD_DOCUMENTS:         (_A, _A, _N, _N),
    Act.REMOVE_DOCUMENTS:      (_N, _A, _N, _N),
    Act.RELEASE_DOCUMENTS:     (_N, _N, _A, _N),
    Act.READ_AUDIT:            (_O, _A, _A, _A),
    Act.EXPORT_AUDIT:          (_N, _A, _A, _A),
    Act.REVIEW_AUDIT:          (_N, _A, _A, _N),
    Act.EXPLAIN_CLOCK:         (_N, _N, _N, _A),
    Act.READ_PEOPLE:           (_N, _A, _A, _A),
    Act.MANAGE_PEOPLE:         (_N, _N, _N, _A),
    Act.REVIEW_ACCESS:         (_N, _A, _A, _N),
    Act.CHANGE_POLICY:         (_N, _N, _N, _A),
    Act.ROTATE_KEY:            (_N, _N, _N, _A),
    Act.RUN_SELF_TEST:         (_A, _A, _A, _A),
    Act.SIGN_AS_AUTHOR:        (_O, _A, _N, _N),
    Act.SIGN_AS_REVIEWER:      (_N, _A, _A, _N),
    Act.SIGN_AS_APPROVER:      (_N, _N, _A, _N),
    Act.OWN_ACCOUNT:           (_O, _O, _O, _O),
}  # fmt: skip

# At a clinical site, often one person's, documents need no second pair of eyes and the admin may stand for quality.
_CLINICAL: dict[Act, tuple[Reach, Reach, Reach, Reach]] = {
    **_GMP,
    Act.REMOVE_DOCUMENTS:      (_A, _A, _A, _N),
    Act.RELEASE_DOCUMENTS:     (_A, _A, _A, _N),
    Act.REVIEW_ACCESS:         (_N, _A, _A, _A),
    Act.REVIEW_AUDIT:          (_N, _A, _A, _A),
}  # fmt: skip

TABLE: dict[Profile, dict[Act, dict[Role, Reach]]] = {
    profile: {act: dict(zip(_COLUMNS, cells, strict=True)) for act, cells in rows.items()}
    for profile, rows in ((Profile.GMP, _GMP), (Profile.CLINICAL, _CLINICAL))
}


def reach(roles: frozenset[Role], act: Act, profile: Profile) -> tuple[Reach, Role | None]:
    """How far a person with these duties reaches with an act, and in which duty; an act without a row reaches nothing.

    Of several duties with the same reach, the first in the table's order is the one they act in.
    """
    row = TABLE[profile].get(act, {})
    best = max((role for role in _COLUMNS if role in roles), key=lambda role: row.get(role, Reach.NONE), default=None)
    if best is None or row.get(best, Reach.NONE) is Reach.NONE:
        return Reach.NONE, None
    return row[best], best


def who_may(act: Act, profile: Profile, *, least: Reach = Reach.OWN) -> tuple[Role, ...]:
    """The duties that reach at least so far with an act, in the table's order."""
    row = TABLE[profile].get(act, {})
    return tuple(role for role in _COLUMNS if row.get(role, Reach.NONE) >= least)
