"""Electronic signatures at a GMP site: who, in which order, with which components, and what each one binds."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pypdfium2
import pytest
from sqlalchemy import text

from lumen_desktop import app
from lumen_desktop.domain.accounts import Profile, Role
from lumen_desktop.domain.library import ReleaseState
from lumen_desktop.domain.signing import Kind, Meaning
from lumen_desktop.errors import LumenError
from lumen_desktop.services.signing import Record, Signature, Wish
from lumen_desktop.storage import keys
from lumen_desktop.storage import signatures as stored
from tests.conftest import HOLDER, Clock, added, write_documents
from tests.rehearsal import RehearsalSite
from tests.services.people import WORDS, add, code_of, founded, signed_in, who

OFFICER, OTHER, APPROVER = Role.OFFICER.value, "anna", Role.APPROVER.value
DOCUMENT = 1


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GMP site whose people may sign, with a document that an officer brought; made once."""
    folder = tmp_path_factory.mktemp("signing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_MEMORY_KIB", 64)
        patch.setattr(keys, "_PASSES", 1)
        patch.setattr(app, "Site", RehearsalSite)
        Clock().rule(patch)
        founded(folder / "site", Profile.GMP)
        add(folder / "site", OTHER, frozenset({Role.OFFICER}))
        with signed_in(folder / "site") as site:
            for name in (OFFICER, OTHER, APPROVER, Role.CLINICIAN.value):
                site.people.check_identity(name, "passport seen")
        for name in (OFFICER, OTHER, APPROVER, Role.CLINICIAN.value):
            with signed_in(folder / "site", who(name)) as site:
                site.people.accept_accountability()
        with signed_in(folder / "site", who(OFFICER)) as site:
            added(site.library, *write_documents(folder / "files"))
    return folder / "site"


@pytest.fixture
def folder(made: Path, tmp_path: Path, rehearsed: type[RehearsalSite], clock: Clock) -> Path:
    return Path(shutil.copytree(made, tmp_path / "site"))


def wish(record: Record, meaning: Meaning, name: str, *, reason: str = "", password: str = "") -> Wish:
    return Wish(meaning, record.sha256, name, password or WORDS[name], reason)


def sign(folder: Path, name: str, meaning: Meaning, *, reason: str = "") -> Signature:
    with signed_in(folder, who(name)) as site:
        record = site.releases.record(DOCUMENT)
        return site.releases.sign(record, wish(record, meaning, name, reason=reason))


@contextmanager
def asked(folder: Path, name: str) -> Iterator[tuple[app.Site, Record]]:
    with signed_in(folder, who(name)) as site:
        yield site, site.releases.record(DOCUMENT)


def found(site: app.Site) -> set[int]:
    """Documents of which passages are found."""
    hits, _ = site.library.search("cleaning recall storage business days residue", collection=None, most=50)
    return {hit.passage.document_id for hit in hits}


# --- a release ---


def test_two_others_release_what_an_officer_brought(folder: Path) -> None:
    with asked(folder, OFFICER) as (site, record):
        assert site.releases.state(DOCUMENT) is ReleaseState.AWAITING
        assert DOCUMENT in found(site)
        (passage,) = {hit.passage.attribution for hit in site.library.search("recall", collection=None, most=1)[0]}
        assert passage.endswith("[not released]")
    first = sign(folder, OTHER, Meaning.REVIEWED)
    assert (first.statement.user_name, first.statement.printed_name, first.statement.role) == (
        OTHER, "Anna Person", Role.OFFICER.value,
    )  # fmt: skip
    second = sign(folder, APPROVER, Meaning.APPROVED)
    assert second.statement.chain_seq > first.statement.chain_seq
    with asked(folder, APPROVER) as (site, record):
        assert site.releases.state(DOCUMENT) is ReleaseState.IN_USE
        given = site.signing.on(record)
        assert [(one.statement.meaning, one.flaw) for one in given] == [(Meaning.REVIEWED, ""), (Meaning.APPROVED, "")]
        assert {one.statement.content_sha256 for one in given} == {record.sha256}
        assert [step.meaning for step in site.signing.steps(record)] == [Meaning.WITHDRAWN]
        assert site.audit.verify().first_bad is None
        assert {document.release for document in site.library.documents() if document.id == DOCUMENT} == {
            ReleaseState.IN_USE
        }


@pytest.mark.parametrize(("name", "meaning"), [(OTHER, Meaning.REJECTED), (APPROVER, Meaning.WITHDRAWN)])
def test_what_is_rejected_or_withdrawn_is_found_no_more(folder: Path, name: str, meaning: Meaning) -> None:
    if meaning is Meaning.WITHDRAWN:
        sign(folder, OTHER, Meaning.REVIEWED)
        sign(folder, APPROVER, Meaning.APPROVED)
    sign(folder, name, meaning, reason="a newer edition is in force")
    with asked(folder, name) as (site, record):
        assert DOCUMENT not in found(site)
        assert found(site)
        assert site.signing.on(record)[-1].statement.reason == "a newer edition is in force"
        assert site.signing.steps(record) == ()
        assert site.releases.state(DOCUMENT).value == meaning.value


def test_a_signature_and_what_it_brings_about_are_one_transaction_and_anchored(folder: Path) -> None:
    sign(folder, OTHER, Meaning.REVIEWED)
    sign(folder, APPROVER, Meaning.APPROVED)
    with signed_in(folder) as site:
        told = [event for event in site.audit.newest(None) if event["reason"] == "sign: approved"]
        assert [(event["act"], event["entity"]) for event in told] == [
            ("added", "signature"), ("changed", "source_document"),
        ]  # fmt: skip
        verdict = site.audit.verify()
        assert verdict.outside is not None
        assert verdict.outside.seq >= told[-1]["seq"]


def test_the_record_of_a_document_that_was_removed_is_still_read_and_printed(folder: Path) -> None:
    sign(folder, OTHER, Meaning.REVIEWED)
    sign(folder, APPROVER, Meaning.APPROVED)
    with asked(folder, OFFICER) as (site, before):
        site.library.remove(DOCUMENT)
    with asked(folder, APPROVER) as (site, record):
        assert record.content == before.content
        assert [one.flaw for one in site.signing.on(record)] == ["", ""]
        assert b"Qa_Approver Person" in _text(site.signing.printed(record))
        refused = wish(record, Meaning.WITHDRAWN, APPROVER, reason="it is not there any more")
        assert code_of(partial(site.releases.sign, record, refused)) == "SIG-007"


# --- refusals ---


@pytest.mark.parametrize(
    ("name", "meaning", "code"),
    [
        (OFFICER, Meaning.REVIEWED, "SIG-001"),  # brought it
        (OTHER, Meaning.APPROVED, "SIG-001"),  # is not next
        (OTHER, Meaning.AUTHORED, "SIG-001"),  # is no step of it
        (OTHER, Meaning.WITHDRAWN, "SIG-001"),
        (Role.CLINICIAN.value, Meaning.REVIEWED, "ACC-001"),
        (Role.ADMIN.value, Meaning.REVIEWED, "ACC-001"),
    ],
)
def test_who_may_not_sign_so_now_is_refused_with_an_event(folder: Path, name: str, meaning: Meaning, code: str) -> None:
    with asked(folder, name) as (site, record):
        assert code_of(lambda: site.releases.sign(record, wish(record, meaning, name, reason="as I think"))) == code
        assert site.signing.on(record) == []
    with signed_in(folder) as site:
        acts = [event["act"] for event in site.audit.newest(6) if event["actor"] == name]
    assert {"denied", "signature refused"} & set(acts)


def test_nobody_signs_twice_for_two(folder: Path) -> None:
    add(folder, "bert", frozenset({Role.OFFICER, Role.APPROVER}))
    with signed_in(folder) as site:
        site.people.check_identity("bert", "passport seen")
    with asked(folder, "bert") as (site, record):
        site.people.accept_accountability()
        site.releases.sign(record, wish(record, Meaning.REVIEWED, "bert"))
        assert code_of(lambda: site.releases.sign(record, wish(record, Meaning.APPROVED, "bert"))) == "SIG-001"


def test_identity_and_accountability_come_first(folder: Path) -> None:
    add(folder, "bert", frozenset({Role.OFFICER}))
    with asked(folder, "bert") as (site, record):
        site.people.accept_accountability()
        assert "identity" in site.signing.hindrance(record, Meaning.REVIEWED)
        assert code_of(lambda: site.releases.sign(record, wish(record, Meaning.REVIEWED, "bert"))) == "SIG-001"


def test_the_first_signature_takes_name_and_password_and_each_next_the_password(folder: Path) -> None:
    with asked(folder, OTHER) as (site, record):
        assert site.signing.needs_user
        for user, password in (("", WORDS[OTHER]), (OTHER, "")):
            asked_for = Wish(Meaning.REVIEWED, record.sha256, user, password)
            assert code_of(partial(site.releases.sign, record, asked_for)) == "SIG-005"
        site.releases.sign(record, wish(record, Meaning.REVIEWED, OTHER))
        assert not site.signing.needs_user
        second = site.releases.record(DOCUMENT + 1)
        site.releases.sign(second, Wish(Meaning.REVIEWED, second.sha256, "", WORDS[OTHER]))
        site.person.lock()
        site.people.come_back(WORDS[OTHER])
        assert site.signing.needs_user


def test_three_wrong_components_lock_and_nothing_is_signed(folder: Path) -> None:
    with asked(folder, OTHER) as (site, record):
        wrong = [
            (wish(record, Meaning.REVIEWED, OTHER, password="not it"), "KEY-001"),
            (Wish(Meaning.REVIEWED, record.sha256, APPROVER, WORDS[OTHER]), "SIG-006"),
            (wish(record, Meaning.REVIEWED, OTHER, password="not it again"), "SIG-004"),
        ]
        for given, code in wrong:
            assert code_of(partial(site.releases.sign, record, given)) == code
        assert site.person.over() == "attempts"
        assert code_of(lambda: site.releases.sign(record, wish(record, Meaning.REVIEWED, OTHER))) == "ACC-004"
    with asked(folder, OTHER) as (site, record):
        assert site.signing.on(record) == []
        refused = [it["after"]["code"] for it in site.audit.newest(None) if it["act"] == "signature refused"]
        assert refused == ["KEY-001", "SIG-006", "KEY-001"]


def test_what_was_not_shown_is_not_signed(folder: Path) -> None:
    with asked(folder, OTHER) as (site, record):
        other = Wish(Meaning.REVIEWED, "0" * 64, OTHER, WORDS[OTHER])
        assert code_of(lambda: site.releases.sign(record, other)) == "SIG-002"
        _tampered(site, "UPDATE document_page SET text = text || ' 10 mg' WHERE document_id = 1")
        assert code_of(lambda: site.releases.sign(record, wish(record, Meaning.REVIEWED, OTHER))) == "SIG-002"


def test_a_rejection_needs_a_reason_that_tells_something(folder: Path) -> None:
    with asked(folder, OTHER) as (site, record):
        for reason, code in (("", "AUD-010"), ("update", "AUD-011")):
            asked_for = wish(record, Meaning.REJECTED, OTHER, reason=reason)
            assert code_of(partial(site.releases.sign, record, asked_for)) == code


def test_nothing_is_signed_while_the_clock_is_to_be_explained(folder: Path, clock: Clock) -> None:
    clock.tick(-2 * 3600)
    with asked(folder, OTHER) as (site, record):
        assert code_of(lambda: site.releases.sign(record, wish(record, Meaning.REVIEWED, OTHER))) == "SIG-003"
    with signed_in(folder) as site:
        site.audit.explain_clock("the battery of the clock was replaced")
    assert sign(folder, OTHER, Meaning.REVIEWED).flaw == ""


def test_there_is_no_such_document(folder: Path) -> None:
    with asked(folder, OTHER) as (site, _):
        assert code_of(lambda: site.releases.record(99)) == "SIG-007"
        assert code_of(lambda: site.releases.state(99)) == "SIG-007"


def test_at_a_clinical_site_documents_are_in_use_at_once(site: app.Site) -> None:
    assert {document.release for document in site.library.documents()} == {ReleaseState.IN_USE}


# --- a signature cannot be moved, copied or outlive an edit ---


def _tampered(site: app.Site, statement: str) -> None:
    """Changes the database past its door, as somebody with the key could."""
    with site._database._writing() as session:
        for guard in stored.GUARDS:
            session.execute(text(f"DROP TRIGGER IF EXISTS {guard}"))
        session.execute(text(statement))
        for words in stored.GUARDS.values():
            session.execute(text(words))


_COLUMNS = ", ".join(name for name in stored.SignatureRow.model_fields if name != "id")
FORGERIES = {
    "moved to another document": ("UPDATE signature SET record_id = 2 WHERE id = 1", 2),
    "another meaning": ("UPDATE signature SET meaning = 'approved' WHERE id = 1", 1),
    "another duty": ("UPDATE signature SET role = 'qa-approver' WHERE id = 1", 1),
    "another person": ("UPDATE signature SET user_id = 2 WHERE id = 1", 1),
    "another name": ("UPDATE signature SET printed_name = 'Carla Chief' WHERE id = 1", 1),
    "another time": ("UPDATE signature SET time_utc = '2031-01-01 00:00:00.000000' WHERE id = 1", 1),
    "another reason": ("UPDATE signature SET reason = 'because' WHERE id = 1", 1),
    "another content": ("UPDATE signature SET content = replace(content, 'recalls', 'removals') WHERE id = 1", 1),
    "another place in the trail": ("UPDATE signature SET chain_seq = chain_seq - 1 WHERE id = 1", 1),
    "another head": (f"UPDATE signature SET chain_head = '{'0' * 64}' WHERE id = 1", 1),
    "a swapped key": (
        "UPDATE signature SET public_key = (SELECT public_key FROM user_key WHERE user_id = 2) WHERE id = 1", 1,
    ),
    "a broken signature": ("UPDATE signature SET signature = replace(signature, substr(signature, 1, 2), '00')", 1),
    "the text it covered": ("UPDATE document_page SET text = text || ' 10 mg' WHERE document_id = 1", 1),
    "the title it covered": ("UPDATE source_document SET title = 'Another' WHERE id = 1", 1),
    "the file it covered": (f"UPDATE source_document SET sha256 = '{'0' * 64}' WHERE id = 1", 1),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_signature_does_not_hold_and_nothing_is_signed_on_it(folder: Path, forgery: str) -> None:
    sign(folder, OTHER, Meaning.REVIEWED)
    statement, document = FORGERIES[forgery]
    with signed_in(folder, who(APPROVER)) as site:
        _tampered(site, statement)
        record = site.releases.record(document)
        (given,) = site.signing.on(record)
        assert given.flaw
        assert site.signing.steps(record) == ()
        assert code_of(lambda: site.releases.sign(record, wish(record, Meaning.APPROVED, APPROVER))) == "SIG-008"
        assert b"DOES NOT HOLD" in _text(site.signing.printed(record))


def test_a_copied_row_does_not_hold(folder: Path) -> None:
    sign(folder, OTHER, Meaning.REVIEWED)
    with signed_in(folder, who(APPROVER)) as site:
        changed = _COLUMNS.replace("record_id", "2").replace(" signature", " upper(signature)")
        _tampered(site, f"INSERT INTO signature ({_COLUMNS}) SELECT {changed} FROM signature")
        record = site.releases.record(2)
        assert [bool(one.flaw) for one in site.signing.on(record)] == [True]


def _text(content: bytes) -> bytes:
    document = pypdfium2.PdfDocument(content)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document).encode()
    finally:
        document.close()


# --- reviews ---


def test_a_review_of_the_trail_covers_the_events_of_others(folder: Path) -> None:
    with signed_in(folder, who(OTHER)) as site:
        record = site.reviews.of_trail("nothing unexpected")
        assert record.content["first"] == 1
        assert sum(record.content["acts"].values()) + record.content["own_events_left"] == record.content["last"]
        signature = site.reviews.sign(record, wish(record, Meaning.REVIEWED, OTHER))
        (reviewed,) = site.reviews.of_the_trail()
        assert (reviewed.first, reviewed.last, reviewed.reviewer) == (1, record.content["last"], OTHER)
        assert reviewed.covers(3, HOLDER.user)
        assert not reviewed.covers(3, OTHER)
        assert not reviewed.covers(reviewed.last + 1, HOLDER.user)
        again = site.reviews.record(Kind.AUDIT_REVIEW, reviewed.number)
        assert again.sha256 == signature.statement.content_sha256 == record.sha256
        assert [one.flaw for one in site.signing.on(again)] == [""]
    with signed_in(folder, who(APPROVER)) as site:
        assert site.reviews.of_trail("nothing").content["first"] == reviewed.last + 1
        assert b"nothing unexpected" in _text(site.signing.printed(site.reviews.record(Kind.AUDIT_REVIEW, 1)))


@pytest.mark.parametrize(("options", "code"), [({"first": 5, "last": 4}, "SIG-010"), ({"last": 10**6}, "SIG-010")])
def test_events_that_are_not_there_cannot_be_reviewed(folder: Path, options: dict[str, int], code: str) -> None:
    with signed_in(folder, who(OTHER)) as site:
        assert code_of(lambda: site.reviews.of_trail("nothing unexpected", **options)) == code
        assert code_of(lambda: site.reviews.of_trail("  ")) == "SIG-009"
        assert code_of(lambda: site.reviews.record(Kind.AUDIT_REVIEW, 1)) == "SIG-007"


def test_a_review_of_access_keeps_the_list_as_it_stood(folder: Path) -> None:
    with pytest.raises(LumenError), signed_in(folder, who(APPROVER, "not it")):
        pass
    with signed_in(folder, who(OTHER)) as site:
        record = site.reviews.of_access("bert has left; ask the admin")
        site.reviews.sign(record, wish(record, Meaning.REVIEWED, OTHER))
    with signed_in(folder) as site:
        site.people.deactivate(APPROVER, "has left the company")
    with signed_in(folder, who(OTHER)) as site:
        kept = site.reviews.record(Kind.ACCESS_REVIEW, 1)
        assert {one["user"]: one["active"] for one in kept.content["people"]}[APPROVER]
        assert [one.flaw for one in site.signing.on(kept)] == [""]
        words = _text(site.signing.printed(kept))
        assert b"bert has left" in words
        assert b"KEY-001" in words


def test_an_admin_of_a_gmp_site_reviews_nothing(folder: Path) -> None:
    with signed_in(folder) as site:
        assert code_of(lambda: site.reviews.of_trail("nothing unexpected")) == "ACC-001"
        assert code_of(lambda: site.reviews.of_access("nothing unexpected")) == "ACC-001"
