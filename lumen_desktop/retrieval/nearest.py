"""The vector leg: the nearest passages of a question's vector, from the index or by looking at all.

The index answers where it holds exactly what the database holds. While it is opened, rebuilt or does
not agree, `exact` answers from the database's own vectors; the result says which did.
Knows no database: callers hand over ids, vectors and the revision they belong to.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lumen_desktop.children import Child, Limits
from lumen_desktop.errors import EngineError
from lumen_desktop.retrieval.vectors import DIMENSIONS

Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Scored = list[tuple[int, float]]

_PUT_AT_ONCE = 2000  # vectors in one request: 3 MB, so that progress shows and a stop is heard
_PROBES = 8
_SAME = 1e-4  # cosine below 1 that still is the same vector, given float32
_OPENING = "index.opening"


def exact(ids: Ids, vectors: Vectors, question: Vectors, *, most: int) -> Scored:
    """The nearest of n unit vectors by looking at all.

    Args:
        ids: n passage ids.
        vectors: n x 384, unit length.
        question: 384, unit length.
        most: how many at most.

    Returns:
        (passage id, cosine), best first; equal ones by id.
    """
    if len(ids) == 0:
        return []
    cosines = vectors @ question
    most = min(most, len(ids))
    best = np.argpartition(-cosines, most - 1)[:most]
    order = best[np.lexsort((ids[best], -cosines[best]))]
    return [(int(ids[i]), float(cosines[i])) for i in order]


class VectorIndex:
    """The parent's side of the index child; made only by the process that holds the site."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opening = folder.with_name(_OPENING)
        self._agreed: dict[int, int] = {}
        self._closed = False
        self._child = self._new_child()

    def _new_child(self) -> Child:
        limits = Limits(first_timeout_s=120.0, next_timeout_s=120.0)
        return Child("--index", [str(self._folder)], title="vector index", limits=limits)

    def start(self) -> None:
        """Starts the child without waiting; an index that killed its last child while it opened is dropped.

        Raises:
            EngineError: it failed three times within five minutes.
        """
        if self._child.pid is not None:
            return
        self._agreed.clear()  # what one child held, the next has yet to show
        if self._opening.exists():
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._opening.touch(mode=0o600)
        self._child.start()

    def agrees(self, collection_id: int, revision: int, ids: Ids, vectors: Vectors) -> bool:
        """Whether the index holds just these vectors; checks its count, its revision and a few of its answers.

        Raises:
            EngineError: the child died over it.
        """
        self.start()
        if self._agreed.get(collection_id) == revision:
            return True
        state = self._ask("state", collection_id)
        if (state.get("count"), state.get("revision")) != (len(ids), revision):
            return False
        if not self._finds_itself(collection_id, ids, vectors):
            return False
        self._agreed[collection_id] = revision
        self._opening.unlink(missing_ok=True)
        return True

    def _finds_itself(self, collection_id: int, ids: Ids, vectors: Vectors) -> bool:
        """Some vectors, spread over all, must find themselves and as many others as were asked for."""
        most = min(20, len(ids))
        for place in np.linspace(0, len(ids) - 1, num=min(_PROBES, len(ids)), dtype=int):
            found = self.query(collection_id, vectors[place], most=most)
            if len(found) < most or found[0][1] < 1 - _SAME:
                return False
        return True

    def put(self, collection_id: int, revision: int, ids: Ids, vectors: Vectors, *, progress: Callable[[int], None] | None = None) -> None:  # noqa: E501  # fmt: skip
        """Adds vectors; the index then says that it holds ``revision``.

        A process killed in between leaves the older revision, and the index is rebuilt.
        """
        for start in range(0, max(1, len(ids)), _PUT_AT_ONCE):  # no vectors at all still have a revision
            part = slice(start, start + _PUT_AT_ONCE)
            last = start + _PUT_AT_ONCE >= len(ids)
            self._ask(
                "put",
                collection_id,
                payload=vectors[part].astype("<f4").tobytes(),
                ids=[int(identity) for identity in ids[part]],
                revision=revision if last else -1,
            )
            if progress:
                progress(min(start + _PUT_AT_ONCE, len(ids)))
        self._agreed.pop(collection_id, None)

    def rebuild(self, collection_id: int, revision: int, ids: Ids, vectors: Vectors, *, progress: Callable[[int], None] | None = None) -> None:  # noqa: E501  # fmt: skip
        """Forgets a collection and fills it again from the database's vectors."""
        self._ask("drop", collection_id)
        self.put(collection_id, revision, ids, vectors, progress=progress)

    def remove(self, collection_id: int, revision: int, ids: Ids) -> None:
        """Removes vectors by passage id."""
        self._ask("remove", collection_id, ids=[int(identity) for identity in ids], revision=revision)
        self._agreed.pop(collection_id, None)

    def query(self, collection_id: int, question: Vectors, *, most: int) -> Scored:
        """The nearest passages, (id, cosine), best first.

        Raises:
            EngineError: the child died, or what it sent is no such list (IDX-002).
        """
        assert question.shape == (DIMENSIONS,)
        answer = self._ask("query", collection_id, payload=question.astype("<f4").tobytes(), most=most)
        untrusted_ids, untrusted_cosines = answer.get("ids"), answer.get("cosines")
        if not isinstance(untrusted_ids, list) or not isinstance(untrusted_cosines, list):
            raise self._nonsense()
        if len(untrusted_ids) != len(untrusted_cosines) or len(untrusted_ids) > most:
            raise self._nonsense()
        try:
            found = [(int(i), min(1.0, float(c))) for i, c in zip(untrusted_ids, untrusted_cosines, strict=True)]
        except (TypeError, ValueError):
            raise self._nonsense() from None
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))

    def discard(self) -> None:
        """Ends the child and deletes the index's files; the database's vectors make it anew.

        A closed index keeps them: what failed then failed by the closing.
        """
        if self._closed:
            return
        self._child.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._opening.unlink(missing_ok=True)
        self._agreed.clear()
        self._child = self._new_child()

    @property
    def pid(self) -> int | None:
        """Process id of the running child, if one runs."""
        return self._child.pid

    def is_ready(self) -> bool:
        """Whether the child could answer at once; never waits."""
        return self._child.is_ready()

    def close(self) -> None:
        """Ends the child; one that lives at its end did not die of the index's files."""
        self._closed = True
        if self._child.pid is not None:
            self._opening.unlink(missing_ok=True)
        self._child.close()

    def _ask(self, operation: str, collection_id: int, *, payload: bytes = b"", **fields: object) -> dict[str, object]:
        self.start()
        return self._child.request(operation, {"collection_id": collection_id, **fields}, payload=payload)

    @staticmethod
    def _nonsense() -> EngineError:
        return EngineError(
            "The vector index sent what is no answer.", code="IDX-002", hint="Run `lumen library reindex`."
        )
