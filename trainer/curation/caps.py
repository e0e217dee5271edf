"""No more than so many examples of one ingredient, one labeler and one wording.

Which ones stay is decided by the seed and the example's own digest, so that neither order nor number of files matters.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from trainer.curation.keys import Key
from trainer.curation.settings import Caps

INGREDIENT = "drug:"


def over(keys: Iterable[Key], caps: Caps) -> Iterator[tuple[Key, str]]:
    """Examples beyond a cap, with which one: ingredient, labeler or template.

    Args:
        keys: in the order in which they may stay.
        caps: the limits.
    """
    limits = {"ingredient": caps.ingredient, "labeler": caps.labeler, "template": caps.template}
    taken: Counter[tuple[str, str]] = Counter()
    for key in keys:
        kinds = list(_kinds(key))
        full = next((kind for kind, name in kinds if _full(limits[kind], taken[kind, name])), None)
        if full is None:
            taken.update(kinds)
        else:
            yield key, full


def _full(limit: int | None, taken: int) -> bool:
    return limit is not None and taken >= limit


def _kinds(key: Key) -> Iterator[tuple[str, str]]:
    yield from (("ingredient", group) for group in key.groups if group.startswith(INGREDIENT))
    if key.labeler:
        yield "labeler", key.labeler
    yield "template", f"{key.family}/{key.template}"
