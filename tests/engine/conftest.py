"""Engines for the tests: the fake one, and the real one with the starter models."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from lumen_desktop import paths
from lumen_desktop.children import Limits
from lumen_desktop.engine import ChatEngine, EmbeddingEngine
from lumen_desktop.engine.fake import Behaviour, FakeChatEngine, FakeEmbeddingEngine

CHAT_MODEL = "smollm2-135m-instruct-q8_0.gguf"
EMBEDDING_MODEL = "all-minilm-l6-v2-f16.gguf"
CONTEXT_TOKENS = 4096

ENGINES = ["fake", pytest.param("real", marks=pytest.mark.model)]


class MakeChat(Protocol):
    """Makes a chat engine; what a behaviour says holds for the fake one."""

    def __call__(self, *, limits: Limits | None = None, **behaviour: Any) -> ChatEngine: ...


class MakeEmbedding(Protocol):
    """Makes an embedding engine; what a behaviour says holds for the fake one."""

    def __call__(self, *, limits: Limits | None = None, **behaviour: Any) -> EmbeddingEngine: ...


def starter_model(name: str) -> Path:
    """A starter model's file; skips the test where the set-up has not run."""
    path = paths.models() / name
    if not path.is_file():
        pytest.skip(f"{name} is missing: run the set-up")
    return path


@pytest.fixture(scope="session")
def chat_model() -> Path:
    return starter_model(CHAT_MODEL)


@pytest.fixture(scope="session")
def embedding_model() -> Path:
    return starter_model(EMBEDDING_MODEL)


@pytest.fixture(scope="session")
def template() -> Path:
    return paths.resources() / "prompts" / "smollm2.jinja"


@pytest.fixture(params=ENGINES)
def make_chat(request: pytest.FixtureRequest, template: Path) -> Iterator[MakeChat]:
    made: list[ChatEngine] = []

    def make(*, limits: Limits | None = None, **behaviour: Any) -> ChatEngine:
        if request.param == "fake":
            made.append(FakeChatEngine(Behaviour(**behaviour), limits=limits))
        else:
            model = starter_model(CHAT_MODEL)
            made.append(ChatEngine(model, template=template, threads=1, context_tokens=CONTEXT_TOKENS, limits=limits))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


@pytest.fixture(params=ENGINES)
def make_embedding(request: pytest.FixtureRequest) -> Iterator[MakeEmbedding]:
    made: list[EmbeddingEngine] = []

    def make(*, limits: Limits | None = None, **behaviour: Any) -> EmbeddingEngine:
        if request.param == "fake":
            made.append(FakeEmbeddingEngine(Behaviour(**behaviour), limits=limits))
        else:
            made.append(EmbeddingEngine(starter_model(EMBEDDING_MODEL), threads=1, limits=limits))
        return made[-1]

    yield make
    for engine in made:
        engine.close()
