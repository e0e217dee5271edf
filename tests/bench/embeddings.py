"""The product's embedding child, with a memory on disk: the same text is embedded once a model, not once a run.

Vectors lie outside the repository in plain NumPy files (no pickle), under the model's digest, by the
digest of the text. What is not there yet, the real child embeds.
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lumen_desktop import paths
from lumen_desktop.engine.client import EmbeddingEngine
from lumen_desktop.services.builds import installed

_KEEP_AT_ONCE = 200  # texts: a run that is ended loses less than half a minute


def cache_folder() -> Path:
    """Where vectors are kept; ``LUMEN_BENCH_CACHE`` overrides it."""
    return Path(os.environ.get("LUMEN_BENCH_CACHE") or Path.home() / ".cache" / "lumen-bench")


class CachedEmbedder(EmbeddingEngine):
    """The embedding child behind its cache.

    Args:
        threads: threads of llama.cpp.
    """

    def __init__(self, *, threads: int = 2) -> None:
        chosen = installed(paths.models(), paths.resources() / "prompts", "embedding")
        super().__init__(chosen.path, threads=threads)
        self.sha256 = chosen.build.sha256
        self._folder = cache_folder() / self.sha256
        self._folder.mkdir(parents=True, exist_ok=True)
        self._known: dict[bytes, npt.NDArray[np.float32]] = {}
        self._new: dict[bytes, npt.NDArray[np.float32]] = {}
        for file in sorted(self._folder.glob("*.npz")):
            with np.load(file, allow_pickle=False) as part:
                keys, vectors = part["keys"], part["vectors"]
            self._known.update(zip((key.tobytes() for key in keys), vectors, strict=True))

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> npt.NDArray[np.float32]:
        """As the child's, shape (texts, 384); only unknown texts are sent to it."""
        vectors = np.empty((len(texts), 384), np.float32)
        for place, text in enumerate(texts):
            key = hashlib.sha256(text.encode("utf-8", "replace")).digest()
            if key not in self._known:
                self._known[key] = self._new[key] = super().embed([text])[0]
                if len(self._new) >= _KEEP_AT_ONCE:
                    self.keep()
            vectors[place] = self._known[key]
            if progress:
                progress(place + 1)
        return vectors

    def keep(self) -> None:
        """Writes what is new; a file appears whole or not at all."""
        if not self._new:
            return
        part = self._folder / f"{secrets.token_hex(8)}.part"
        with part.open("wb") as file:
            keys = np.frombuffer(b"".join(self._new), np.uint8).reshape(len(self._new), 32)
            np.savez(file, keys=keys, vectors=np.stack(list(self._new.values())))
        part.rename(part.with_suffix(".npz"))
        self._new.clear()

    def close(self) -> None:
        """Keeps what is new and ends the child."""
        self.keep()
        super().close()
