"""A site whose engines are the rehearsal engine: everything else is real, and no model file is needed.

`python -m tests.rehearsal …` is the command line over such a site; what its engines do stands in
LUMEN_REHEARSAL as JSON: {"chat": {…}, "embedding": {…}, "indexed": true} with fields of `Behaviour`.
"""

import json
import os
import sys
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from lumen_desktop import app, cli
from lumen_desktop.domain.builds import ModelBuild
from lumen_desktop.engine.client import ChatEngine, EmbeddingEngine
from lumen_desktop.engine.fake import Behaviour, FakeChatEngine, FakeEmbeddingEngine
from lumen_desktop.retrieval.nearest import VectorIndex
from lumen_desktop.services.builds import InstalledBuild
from lumen_desktop.storage import keys

CHAT = ModelBuild("rehearsal-chat", "chat", "c" * 64, 1, 4096, prose=False, licence="Apache-2.0")
EMBEDDING = ModelBuild("rehearsal-embedding", "embedding", "e" * 64, 1, 512, prose=False, licence="Apache-2.0")


class RehearsalSite(app.Site):
    """A site that starts rehearsal engines instead of those of installed models."""

    chat_behaviour: ClassVar[Behaviour] = Behaviour()
    embedding_behaviour: ClassVar[Behaviour] = Behaviour()
    indexed: ClassVar[bool] = False

    @cached_property
    def embedding(self) -> InstalledBuild:
        return InstalledBuild(EMBEDDING, Path("rehearsal"), None)

    @cached_property
    def embedder(self) -> EmbeddingEngine:
        engine = FakeEmbeddingEngine(self.embedding_behaviour)
        self._closing.callback(engine.close)
        engine.start()
        return engine

    @cached_property
    def index(self) -> VectorIndex | None:
        """The real one, where a test wants to wait for it."""
        if not (self.writable and self.indexed):
            return None
        index = VectorIndex(self.place.folder.index)
        self._closing.callback(index.close)
        index.start()
        return index

    @cached_property
    def _chat_engine(self) -> tuple[ChatEngine, ModelBuild]:
        engine = FakeChatEngine(self.chat_behaviour)
        self._closing.callback(engine.close)
        return engine, CHAT


def main() -> None:
    """The command line over a rehearsal site."""
    asked = json.loads(os.environ.get("LUMEN_REHEARSAL", "{}"))
    RehearsalSite.chat_behaviour = Behaviour(**asked.get("chat", {}))
    RehearsalSite.embedding_behaviour = Behaviour(**asked.get("embedding", {}))
    RehearsalSite.indexed = asked.get("indexed", False)
    app.Site = RehearsalSite  # type: ignore[misc]
    if os.environ.get("LUMEN_CHEAP_KEYS"):  # as the fixture `cheap_keys`
        keys._MEMORY_KIB, keys._PASSES = 64, 1
    cli.main()


if __name__ == "__main__":
    sys.exit(main())  # type: ignore[func-returns-value]
