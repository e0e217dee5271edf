"""Ground: audit trail, library with full-text index and vectors, conversations and answers."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The words of 2026-11; later steps have their own, so that a changed module never rewrites history.
STATEMENTS = (
    """CREATE TABLE audit_event (
        seq INTEGER PRIMARY KEY,
        body BLOB NOT NULL,
        previous BLOB NOT NULL CHECK (length(previous) = 32),
        hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32))""",
    """CREATE TRIGGER audit_event_is_never_changed BEFORE UPDATE ON audit_event
        BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END""",
    """CREATE TRIGGER audit_event_is_never_removed BEFORE DELETE ON audit_event
        BEGIN SELECT RAISE(ABORT, 'audit events are never removed'); END""",
    """CREATE TRIGGER audit_event_follows_the_last BEFORE INSERT ON audit_event
        WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit_event)
        BEGIN SELECT RAISE(ABORT, 'audit events follow each other without gaps'); END""",
    """CREATE TABLE collection (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
        created_utc DATETIME NOT NULL,
        embedder_sha256 TEXT NOT NULL CHECK (length(embedder_sha256) = 64),
        index_revision INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE source_document (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        collection_id INTEGER NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
        sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
        name TEXT NOT NULL,
        title TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('summary', 'source')),
        subject TEXT NOT NULL,
        edition TEXT NOT NULL,
        as_of TEXT NOT NULL,
        currency TEXT NOT NULL CHECK (currency IN ('in_force', 'draft', 'superseded')),
        paged BOOLEAN NOT NULL,
        pages INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        notices TEXT NOT NULL,
        drug_names TEXT NOT NULL,
        added_utc DATETIME NOT NULL,
        UNIQUE (collection_id, sha256))""",
    """CREATE TABLE document_file (
        document_id INTEGER PRIMARY KEY REFERENCES source_document (id) ON DELETE CASCADE,
        content BLOB NOT NULL)""",
    """CREATE TABLE document_page (
        id INTEGER PRIMARY KEY,
        document_id INTEGER NOT NULL REFERENCES source_document (id) ON DELETE CASCADE,
        number INTEGER NOT NULL CHECK (number >= 1),
        text TEXT NOT NULL,
        UNIQUE (document_id, number))""",
    """CREATE TABLE passage (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        document_id INTEGER NOT NULL REFERENCES source_document (id) ON DELETE CASCADE,
        collection_id INTEGER NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        header TEXT NOT NULL,
        section TEXT NOT NULL,
        text TEXT NOT NULL CHECK (length(text) > 0),
        spans TEXT NOT NULL,
        UNIQUE (document_id, ordinal))""",
    "CREATE INDEX passage_by_collection ON passage (collection_id)",
    # apart from the text, so that a scan over all vectors reads only those
    """CREATE TABLE passage_vector (
        passage_id INTEGER PRIMARY KEY REFERENCES passage (id) ON DELETE CASCADE,
        collection_id INTEGER NOT NULL,
        vector BLOB NOT NULL CHECK (length(vector) % 4 = 0))""",
    "CREATE INDEX passage_vector_by_collection ON passage_vector (collection_id)",
    # porter and unicode61, header weighed three times: the recipe measured on eight sets
    """CREATE VIRTUAL TABLE passage_text USING fts5 (
        header, text, content = 'passage', content_rowid = 'id', tokenize = 'porter unicode61 remove_diacritics 2')""",
    """CREATE TRIGGER passage_text_added AFTER INSERT ON passage BEGIN
        INSERT INTO passage_text (rowid, header, text) VALUES (NEW.id, NEW.header, NEW.text); END""",
    """CREATE TRIGGER passage_text_removed AFTER DELETE ON passage BEGIN
        INSERT INTO passage_text (passage_text, rowid, header, text)
        VALUES ('delete', OLD.id, OLD.header, OLD.text); END""",
    """CREATE TABLE conversation (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        salt TEXT NOT NULL,
        created_utc DATETIME NOT NULL)""",
    """CREATE TABLE exchange (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
        salt TEXT NOT NULL,
        question TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('open', 'grounded', 'no_evidence', 'stopped', 'failed')),
        answer TEXT NOT NULL,
        commentary TEXT NOT NULL,
        notes TEXT NOT NULL,
        build_id TEXT NOT NULL,
        build_sha256 TEXT NOT NULL,
        embedder_sha256 TEXT NOT NULL,
        prompt_sha256 TEXT NOT NULL,
        passage_ids TEXT NOT NULL,
        sampling TEXT NOT NULL,
        timing TEXT NOT NULL,
        asked_utc DATETIME NOT NULL,
        answered_utc DATETIME)""",
    """CREATE TABLE citation (
        id INTEGER PRIMARY KEY,
        exchange_id INTEGER NOT NULL REFERENCES exchange (id) ON DELETE CASCADE,
        n INTEGER NOT NULL CHECK (n >= 1),
        passage_id INTEGER NOT NULL,
        document TEXT NOT NULL,
        attribution TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('summary', 'source')),
        edition TEXT NOT NULL,
        page INTEGER,
        section TEXT NOT NULL,
        quote TEXT NOT NULL,
        UNIQUE (exchange_id, n))""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("a site is never taken back to an older version; restore a backup instead")
