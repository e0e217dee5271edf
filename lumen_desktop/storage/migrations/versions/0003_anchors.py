"""Trust: the site's seal, anchors of the audit trail, and an index by which events are found."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Read from the body itself, so that what is found is what was said; a body that was spoilt is found by nothing.
_COLUMN = """ALTER TABLE audit_event ADD COLUMN {0} TEXT GENERATED ALWAYS AS (
    CASE WHEN json_valid(CAST(body AS TEXT)) THEN json_extract(CAST(body AS TEXT), '$.{0}') END) VIRTUAL"""
STATEMENTS = (
    """CREATE TABLE site_seal (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        algorithm TEXT NOT NULL CHECK (algorithm = 'Ed25519'),
        public_key TEXT NOT NULL CHECK (length(public_key) = 64),
        private_key BLOB NOT NULL CHECK (length(private_key) = 32),
        made_utc DATETIME NOT NULL)""",
    """CREATE TABLE audit_anchor (
        n INTEGER PRIMARY KEY,
        line BLOB NOT NULL,
        ends_at INTEGER NOT NULL CHECK (ends_at > 0),
        why TEXT NOT NULL)""",
    """CREATE TRIGGER site_seal_is_never_changed BEFORE UPDATE ON site_seal
        BEGIN SELECT RAISE(ABORT, 'a site keeps its seal'); END""",
    """CREATE TRIGGER site_seal_is_never_removed BEFORE DELETE ON site_seal
        BEGIN SELECT RAISE(ABORT, 'a site keeps its seal'); END""",
    """CREATE TRIGGER audit_anchor_is_never_changed BEFORE UPDATE ON audit_anchor
        BEGIN SELECT RAISE(ABORT, 'anchors are never changed'); END""",
    """CREATE TRIGGER audit_anchor_is_never_removed BEFORE DELETE ON audit_anchor
        BEGIN SELECT RAISE(ABORT, 'anchors are never removed'); END""",
    """CREATE TRIGGER audit_anchor_follows_the_last BEFORE INSERT ON audit_anchor
        WHEN NEW.n <= (SELECT COALESCE(MAX(n), 0) FROM audit_anchor)
        BEGIN SELECT RAISE(ABORT, 'anchors follow each other'); END""",
    *map(_COLUMN.format, ("time_utc", "actor", "role", "act", "entity", "entity_id")),
    # all of them in one: a page of 100,000 events is found without reading their bodies
    """CREATE INDEX audit_event_by_words ON audit_event (time_utc, actor, role, act, entity, entity_id)""",
    # every start asks whether the clock was set and nobody said why
    """CREATE INDEX audit_event_of_clock ON audit_event (seq) WHERE entity = 'clock'""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("a site is never taken back to an older version; restore a backup instead")
