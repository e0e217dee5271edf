"""The NOTICE of a model: that of its dataset, with the base that was really trained further.

The dataset's own NOTICE names the base that the ledger takes for granted; a bundle has to name its own.
"""

from lumen_desktop.errors import InputError
from trainer.config import Config
from trainer.licences import LICENCES
from trainer.ownership import notices
from trainer.ownership.ledger import Base, Ledger, ancestry
from trainer.ownership.verdict import Verdict
from trainer.ownership.work import Work

_MODEL = "A model trained on it\n"
_NOTHING = Verdict(0, 0, {}, {}, {}, {}, ())


def notice(config: Config, work: Work, *, stamp: str) -> str:
    """The whole text; empty where the dataset has no NOTICE.

    Args:
        config: whose base is named.
        work: in whose dataset the NOTICE lies.
        stamp: that it must carry; put in front where the dataset's does not.

    Raises:
        StorageError, OSError: the dataset's NOTICE cannot be read.
    """
    dataset, found, _ = (work.dataset / notices.NOTICE).read_text(encoding="utf-8").partition(_MODEL)
    _, _, model = notices.notice(Ledger(bases(config), (), (), {}, 0), _NOTHING).partition(_MODEL)
    front = f"{stamp}\n\n" if stamp and stamp not in dataset else ""
    return f"{front}{dataset}{found or _MODEL}{model}"


def bases(config: Config) -> tuple[Base, ...]:
    """The base and its ancestors, as the ledger's table knows them; else what the configuration says of it."""
    try:
        return ancestry(config.base.model)
    except InputError:
        known = LICENCES.get(config.base.licence)
        return (
            Base(
                config.base.name, config.base.licence, known is not None and known.commercial, (),
                "its authors, as its own page names them", config.base.model, "as its own page says", "",
            ),
        )  # fmt: skip
