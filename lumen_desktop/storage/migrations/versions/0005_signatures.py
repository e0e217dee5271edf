"""Trust: electronic signatures; a document knows who brought it and whether it was released."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """CREATE TABLE signature (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        record_kind TEXT NOT NULL CHECK (record_kind IN ('source_document', 'audit_review', 'access_review')),
        record_id INTEGER NOT NULL CHECK (record_id >= 1),
        content TEXT NOT NULL,
        content_sha256 TEXT NOT NULL CHECK (length(content_sha256) = 64),
        user_id INTEGER NOT NULL REFERENCES user (id),
        user_name TEXT NOT NULL,
        printed_name TEXT NOT NULL,
        role TEXT NOT NULL,
        meaning TEXT NOT NULL CHECK (meaning IN ('authored', 'reviewed', 'approved', 'rejected', 'withdrawn')),
        reason TEXT NOT NULL,
        time_utc DATETIME NOT NULL,
        utc_offset_minutes INTEGER NOT NULL,
        chain_seq INTEGER NOT NULL,
        chain_head TEXT NOT NULL CHECK (length(chain_head) = 64),
        public_key TEXT NOT NULL CHECK (length(public_key) = 64),
        signature TEXT NOT NULL UNIQUE CHECK (length(signature) = 128),
        UNIQUE (record_kind, record_id, user_id, meaning))""",
    """CREATE TRIGGER signature_is_never_changed BEFORE UPDATE ON signature
        BEGIN SELECT RAISE(ABORT, 'a signature is never changed'); END""",
    """CREATE TRIGGER signature_is_never_removed BEFORE DELETE ON signature
        BEGIN SELECT RAISE(ABORT, 'a signature is never removed'); END""",
    "ALTER TABLE source_document ADD COLUMN added_by INTEGER NULL REFERENCES user (id)",
    """ALTER TABLE source_document ADD COLUMN release_state TEXT NOT NULL DEFAULT 'in_use'
        CHECK (release_state IN ('in_use', 'awaiting', 'rejected', 'withdrawn'))""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("a site is never taken back to an older version; restore a backup instead")
