"""Window: conversations are pinned, deleted for a while and listed fast; an exchange says where it searched."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE conversation ADD COLUMN pinned BOOLEAN NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1))",
    "ALTER TABLE conversation ADD COLUMN deleted_utc DATETIME NULL",
    "ALTER TABLE exchange ADD COLUMN collection TEXT NOT NULL DEFAULT ''",
    # the list of conversations needs of each exchange only these two, so that no answer is read for it
    "CREATE INDEX exchange_by_conversation ON exchange (conversation_id, asked_utc)",
    # every start looks for exchanges that a kill left open
    "CREATE INDEX exchange_by_status ON exchange (status)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("a site is never taken back to an older version; restore a backup instead")
