"""The vector index in a process of its own: Chroma, holding ids and vectors and nothing else.

The one door to chromadb. It is a cache over the database's vectors and its only owner is the process
that holds the site: two owners were seen to lose vectors without a word. A damaged file was seen to
crash it, which is why it is a child. `nearest.VectorIndex` is the parent's side.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lumen_desktop.children import Events, Handler, Request, confine, serve
from lumen_desktop.errors import InputError

DIMENSIONS = 384
_BATCH = 4000  # below Chroma's own limit of 5,461 for one call
_CONFIGURATION = {"hnsw": {"space": "cosine", "ef_search": 200, "ef_construction": 200}}


def run(memory_bytes: int, folder: str) -> int:
    """Serves the index in ``folder`` until standard input closes; returns the exit status."""
    confine(memory_bytes)
    if os.name == "posix":
        _for_its_owner_only(Path(folder))
    return serve(lambda: _load(Path(folder)))


def _for_its_owner_only(folder: Path) -> None:
    """Lets nobody else read what Chroma writes from now on, or wrote before."""
    os.umask(0o077)
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _load(folder: Path) -> tuple[Mapping[str, Any], Handler]:
    import chromadb  # noqa: PLC0415 - takes a second and belongs to this process only
    from chromadb.config import Settings  # noqa: PLC0415

    client = chromadb.PersistentClient(path=str(folder), settings=Settings(anonymized_telemetry=False))
    index = _Index(client)
    acts: dict[str, Callable[[Request], Events]] = {
        "state": index.state, "put": index.put, "remove": index.remove, "drop": index.drop, "query": index.query,
    }  # fmt: skip

    def handle(request: Request) -> Events:
        if request.operation not in acts:
            raise InputError("The vector index does not know this request.", code="IDX-001", hint="Report the code.")
        return acts[request.operation](request)

    return {"chroma": chromadb.__version__}, handle


class _Index:
    """Requests upon one Chroma client; collections are named by the number of ours."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def _collection(self, request: Request) -> Any:
        name = f"collection-{int(request.untrusted_fields['collection_id'])}"
        return self._client.get_or_create_collection(name, embedding_function=None, configuration=_CONFIGURATION)

    def state(self, request: Request) -> Iterator[Mapping[str, Any]]:
        """Count and revision of one collection; revision -1 where it was never set."""
        collection = self._collection(request)
        revision = (collection.metadata or {}).get("revision", -1)
        yield {"event": "done", "count": collection.count(), "revision": revision}

    def put(self, request: Request) -> Iterator[Mapping[str, Any]]:
        """Adds or replaces vectors; the payload holds them as float32, row after row."""
        collection = self._collection(request)
        ids = [str(int(identity)) for identity in request.untrusted_fields["ids"]]
        vectors = np.frombuffer(request.payload, dtype="<f4").reshape(len(ids), DIMENSIONS)
        for start in range(0, len(ids), _BATCH):
            collection.upsert(ids=ids[start : start + _BATCH], embeddings=vectors[start : start + _BATCH])
            yield {"event": "progress", "stored": min(start + _BATCH, len(ids))}
        self._mark(collection, request)
        yield {"event": "done"}

    def remove(self, request: Request) -> Iterator[Mapping[str, Any]]:
        """Removes vectors by id."""
        collection = self._collection(request)
        ids = [str(int(identity)) for identity in request.untrusted_fields["ids"]]
        for start in range(0, len(ids), _BATCH):
            collection.delete(ids=ids[start : start + _BATCH])
        self._mark(collection, request)
        yield {"event": "done"}

    def drop(self, request: Request) -> Iterator[Mapping[str, Any]]:
        """Forgets a collection altogether."""
        self._client.delete_collection(self._collection(request).name)
        yield {"event": "done"}

    def query(self, request: Request) -> Iterator[Mapping[str, Any]]:
        """The nearest vectors of one, with their cosine, best first."""
        collection = self._collection(request)
        most = min(int(request.untrusted_fields["most"]), collection.count())
        if most == 0:
            yield {"event": "done", "ids": [], "cosines": []}
            return
        vector = np.frombuffer(request.payload, dtype="<f4").reshape(1, DIMENSIONS)
        found = collection.query(query_embeddings=vector, n_results=most, include=["distances"])
        cosines = [1.0 - float(distance) for distance in found["distances"][0]]
        yield {"event": "done", "ids": [int(identity) for identity in found["ids"][0]], "cosines": cosines}

    def _mark(self, collection: Any, request: Request) -> None:
        """Notes which revision of the database's vectors the collection now holds."""
        collection.modify(metadata={"revision": int(request.untrusted_fields["revision"])})
