"""The self-test: versions and digests, and that each part does its work on this computer.

Every check is one line with an answer; a check that is refused says so and the others go on.
"""

import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lumen_desktop import __version__
from lumen_desktop.domain.builds import ModelBuild
from lumen_desktop.domain.permissions import Act
from lumen_desktop.engine.client import ChatEngine, EmbeddingEngine
from lumen_desktop.engine.protocol import Finished, Sampling, Turn
from lumen_desktop.errors import LumenError
from lumen_desktop.services.audit import Audit
from lumen_desktop.services.authority import Authority
from lumen_desktop.storage.folder import SMALLEST_FREE_BYTES, DataFolder

_PACKAGES = ("llama-cpp-python", "chromadb", "sqlcipher3", "sqlmodel", "pypdfium2", "numpy", "cryptography")


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, whether it is right, and what was found."""

    check: str
    good: bool
    found: str


@dataclass(frozen=True, slots=True)
class Doctor:
    """What the self-test looks at; each part is opened only when its check runs."""

    folder: DataFolder
    authority: Authority
    audit: Audit
    damage: Callable[[], Sequence[str]]
    signatures: Callable[[], Sequence[str]]
    embedder: Callable[[], tuple[EmbeddingEngine, ModelBuild]]
    engine: Callable[[], tuple[ChatEngine, ModelBuild]]
    vectors_agree: Callable[[], bool | None]

    def examine(self) -> Iterator[Finding]:
        """Runs all checks, one after the other.

        Raises:
            AccessError: not permitted.
        """
        self.authority.authorize(Act.RUN_SELF_TEST)
        yield Finding(
            "program", good=True, found=f"Lumen {__version__}, Python {platform.python_version()}, {sys.platform}"
        )
        yield Finding(
            "parts", good=True, found=", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
        )
        for name, check in (
            ("disk", self._disk), ("database", self._database), ("audit trail", self._trail),
            ("signatures", self._signatures),
            ("embedding model", self._embedding), ("chat model", self._chat), ("vector index", self._index),
        ):  # fmt: skip
            try:
                yield check()
            except LumenError as error:
                yield Finding(name, good=False, found=f"{error.message} {error.hint} ({error.code})")

    def _disk(self) -> Finding:
        free = shutil.disk_usage(self.folder.path).free
        return Finding("disk", free > 2 * SMALLEST_FREE_BYTES, f"{free / 1024**3:.1f} GB free at {self.folder.path}")

    def _database(self) -> Finding:
        faults = self.damage()
        if not faults:
            return Finding("database", good=True, found="each page is as it was written")
        words = (
            f"{len(faults)} faults, the first: {faults[0]}; restore a backup, or ask support with the code (STO-010)"
        )
        return Finding("database", good=False, found=words)

    def _signatures(self) -> Finding:
        broken = self.signatures()
        words = f"{len(broken)} do not hold, the first: {broken[0]}" if broken else "each is as it was signed"
        return Finding("signatures", not broken, words)

    def _trail(self) -> Finding:
        verdict = self.audit.verify()
        words = f"{verdict.events} events, head {verdict.head.hex()[:16]}"
        if verdict.first_bad is not None:
            words = f"broken at event {verdict.first_bad}: {verdict.reason}"
        return Finding("audit trail", verdict.first_bad is None, words)

    def _embedding(self) -> Finding:
        engine, build = self.embedder()
        near, same, far = engine.embed(
            ["The batch failed its specification.", "A lot was out of specification.", "The weather in May was mild."]
        )
        good = float(np.dot(near, same)) > float(np.dot(near, far))
        return Finding("embedding model", good, f"{build.id}, sha256 {build.sha256}, tells like from unlike: {good}")

    def _chat(self) -> Finding:
        engine, build = self.engine()
        try:
            events = list(engine.generate([Turn("user", "Say yes.")], Sampling(answer_tokens=8)))
        finally:
            engine.close()
        finished = events[-1]
        good = isinstance(finished, Finished) and finished.answer_tokens > 0
        described = f"{build.id}, sha256 {build.sha256}, writes: {good}, qualified to write prose: {build.prose}"
        return Finding("chat model", good, described)

    def _index(self) -> Finding:
        agrees = self.vectors_agree()
        if agrees is None:
            return Finding("vector index", good=True, found="not looked at: another program holds the site")
        words = "level with the database" if agrees else "not level; `lumen library reindex` makes it anew"
        return Finding("vector index", agrees, words)
