"""Every cell of both tables, written out a second time: whoever changes a duty's reach changes it here as well."""

from itertools import combinations

import pytest

from lumen_desktop.domain.accounts import Profile, Role
from lumen_desktop.domain.permissions import TABLE, Act, Reach, reach, who_may

# Letters: - not at all, o own records, a anybody's; in the order clinician, officer, approver, admin.
GMP = {
    "ask": "ooo-",
    "keep conversations": "ooo-",
    "read the library": "aaaa",
    "add documents": "aa--",
    "remove documents": "-a--",
    "release documents": "--a-",
    "read the audit trail": "oaaa",
    "export the audit trail": "-aaa",
    "review the audit trail": "-aa-",
    "explain the clock": "---a",
    "read the list of people": "-aaa",
    "manage people": "---a",
    "review access": "-aa-",
    "change the site's policy": "---a",
    "rotate the key": "---a",
    "run the self-test": "aaaa",
    "sign as author": "oa--",
    "sign as reviewer": "-aa-",
    "sign as approver": "--a-",
    "keep one's own account": "oooo",
}
CLINICAL = {
    "ask": "ooo-",
    "keep conversations": "ooo-",
    "read the library": "aaaa",
    "add documents": "aa--",
    "remove documents": "aaa-",
    "release documents": "aaa-",
    "read the audit trail": "oaaa",
    "export the audit trail": "-aaa",
    "review the audit trail": "-aaa",
    "explain the clock": "---a",
    "read the list of people": "-aaa",
    "manage people": "---a",
    "review access": "-aaa",
    "change the site's policy": "---a",
    "rotate the key": "---a",
    "run the self-test": "aaaa",
    "sign as author": "oa--",
    "sign as reviewer": "-aa-",
    "sign as approver": "--a-",
    "keep one's own account": "oooo",
}
COLUMNS = ("clinician", "qa_officer", "qa_approver", "admin")
LETTERS = {"-": Reach.NONE, "o": Reach.OWN, "a": Reach.ANY}
EXPECTED = {"gmp": GMP, "clinical": CLINICAL}
CELLS = [
    (profile, act, role, LETTERS[letter])
    for profile, rows in EXPECTED.items()
    for act, letters in rows.items()
    for role, letter in zip(COLUMNS, letters, strict=True)
]


def test_no_act_no_duty_and_no_profile_is_missing() -> None:
    assert {act.value for act in Act} == GMP.keys() == CLINICAL.keys()
    assert {role.value for role in Role} == set(COLUMNS)
    assert {profile.value for profile in Profile} == EXPECTED.keys() == {profile.value for profile in TABLE}
    assert len(CELLS) == 2 * 20 * 4
    assert sum(len(row) for rows in TABLE.values() for row in rows.values()) == len(CELLS)


@pytest.mark.parametrize(("profile", "act", "role", "extent"), CELLS)
def test_a_duty_reaches_as_far_as_the_table_says(profile: str, act: str, role: str, extent: Reach) -> None:
    found = reach(frozenset({Role(role)}), Act(act), Profile(profile))
    assert found == (extent, Role(role) if extent else None)


@pytest.mark.parametrize("profile", EXPECTED)
def test_of_several_duties_the_furthest_counts(profile: str) -> None:
    for act, letters in EXPECTED[profile].items():
        by_role = {Role(role): LETTERS[letter] for role, letter in zip(COLUMNS, letters, strict=True)}
        for count in (2, 3, 4):
            for roles in combinations(by_role, count):
                furthest = max(by_role[role] for role in roles)
                first = next((role for role in roles if by_role[role] == furthest and furthest), None)
                assert reach(frozenset(roles), Act(act), Profile(profile)) == (furthest, first)


@pytest.mark.parametrize("profile", list(Profile))
def test_what_the_table_does_not_name_is_denied(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    for act in Act:
        assert reach(frozenset(), act, profile) == (Reach.NONE, None)
    monkeypatch.delitem(TABLE[profile], Act.ASK)
    for role in Role:
        assert reach(frozenset({role}), Act.ASK, profile) == (Reach.NONE, None)


def test_who_may_do_an_act_is_named_in_order() -> None:
    assert who_may(Act.EXPLAIN_CLOCK, Profile.GMP) == (Role.ADMIN,)
    assert who_may(Act.READ_AUDIT, Profile.GMP) == tuple(Role)
    assert who_may(Act.READ_AUDIT, Profile.GMP, least=Reach.ANY) == (Role.OFFICER, Role.APPROVER, Role.ADMIN)
