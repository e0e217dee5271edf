"""Trust: the site and its people; a conversation belongs to who began it."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """CREATE TABLE site (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
        profile TEXT NOT NULL CHECK (profile IN ('clinical', 'gmp')),
        idle_s INTEGER NOT NULL CHECK (idle_s BETWEEN 300 AND 900),
        longest_s INTEGER NOT NULL CHECK (longest_s BETWEEN 3600 AND 86400),
        made_utc DATETIME NOT NULL)""",
    """CREATE TRIGGER site_is_never_removed BEFORE DELETE ON site
        BEGIN SELECT RAISE(ABORT, 'a site is never removed'); END""",
    """CREATE TRIGGER gmp_is_never_taken_back BEFORE UPDATE OF id, profile ON site
        WHEN OLD.profile = 'gmp' AND NEW.profile IS NOT 'gmp'
        BEGIN SELECT RAISE(ABORT, 'a GMP site stays one'); END""",
    """CREATE TABLE user (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
        folded TEXT NOT NULL UNIQUE,
        printed_name TEXT NOT NULL CHECK (length(printed_name) BETWEEN 1 AND 100),
        roles TEXT NOT NULL,
        active BOOLEAN NOT NULL CHECK (active IN (0, 1)),
        must_choose_password BOOLEAN NOT NULL CHECK (must_choose_password IN (0, 1)),
        totp_secret TEXT NOT NULL DEFAULT '',
        totp_step INTEGER NOT NULL DEFAULT 0,
        salt TEXT NOT NULL,
        identity_checked TEXT NOT NULL DEFAULT '',
        accountable_utc DATETIME NULL,
        created_utc DATETIME NOT NULL)""",
    """CREATE TRIGGER user_is_never_removed BEFORE DELETE ON user
        BEGIN SELECT RAISE(ABORT, 'people are deactivated, never removed'); END""",
    """CREATE TRIGGER user_name_is_never_changed BEFORE UPDATE OF id, name, folded ON user
        BEGIN SELECT RAISE(ABORT, 'a user name stays with its person'); END""",
    """CREATE TABLE user_key (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id INTEGER NOT NULL REFERENCES user (id),
        public_key TEXT NOT NULL UNIQUE CHECK (length(public_key) = 64),
        since_utc DATETIME NOT NULL)""",
    """CREATE TRIGGER user_key_is_never_changed BEFORE UPDATE ON user_key
        BEGIN SELECT RAISE(ABORT, 'a signing key is never changed'); END""",
    """CREATE TRIGGER user_key_is_never_removed BEFORE DELETE ON user_key
        BEGIN SELECT RAISE(ABORT, 'a signing key is never removed'); END""",
    "ALTER TABLE conversation ADD COLUMN owner_id INTEGER NULL REFERENCES user (id)",
    "CREATE INDEX conversation_by_owner ON conversation (owner_id)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("a site is never taken back to an older version; restore a backup instead")
