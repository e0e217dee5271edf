"""The database's schema, step by step, through Alembic; run on an open connection at every start."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from lumen_desktop.errors import StorageError


def upgrade(connection: Connection, *, writable: bool) -> None:
    """Brings the schema to this version's.

    Args:
        connection: an open one; the steps run in one transaction on it.
        writable: whether this process may change the schema.

    Raises:
        StorageError: a newer version made it (STO-006), or it is older and may not be changed now (STO-009).
    """
    script = ScriptDirectory.from_config(_config(connection))
    current = MigrationContext.configure(connection).get_current_revision()
    if current == script.get_current_head():
        return
    if current is not None and current not in {step.revision for step in script.walk_revisions()}:
        raise StorageError(
            "This site was made by a newer version of Lumen.", code="STO-006", hint="Update Lumen on this computer."
        )
    if not writable:
        raise StorageError(
            "This site was made by an older version and must be opened for writing once.",
            code="STO-009",
            hint="Close the program that holds the site, then run `lumen doctor`.",
        )
    command.upgrade(_config(connection), "head")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
