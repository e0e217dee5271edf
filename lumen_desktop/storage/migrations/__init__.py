"""The database's schema, step by step, through Alembic; run on an open connection at every start."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from lumen_desktop.errors import StorageError

if TYPE_CHECKING:
    from alembic.config import Config

_STEPS = Path(__file__).parent / "versions"


def upgrade(connection: Connection, *, writable: bool) -> None:
    """Brings the schema to this version's.

    Args:
        connection: an open one; the steps run in one transaction on it.
        writable: whether this process may change the schema.

    Raises:
        StorageError: a newer version made it (STO-006), or it is older and may not be changed now (STO-009).
    """
    current, steps = _current(connection), revisions()
    if current == steps[-1]:
        return
    if current is not None and current not in steps:
        raise StorageError(
            "This site was made by a newer version of Lumen.", code="STO-006", hint="Update Lumen on this computer."
        )
    if not writable:
        raise StorageError(
            "This site was made by an older version and must be opened for writing once.",
            code="STO-009",
            hint="Close the program that holds the site, then run `lumen doctor`.",
        )
    from alembic import command  # noqa: PLC0415 - takes longer to load than to find that nothing is to be done

    command.upgrade(_config(connection), "head")


def revisions() -> list[str]:
    """Names of all steps, oldest first: what their files' names begin with."""
    return sorted(file.name.partition("_")[0] for file in _STEPS.glob("[0-9]*.py"))


def _current(connection: Connection) -> str | None:
    """The step that the database is at; None for an empty one."""
    if connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").first() is None:
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if found is None else str(found[0])


def _config(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
