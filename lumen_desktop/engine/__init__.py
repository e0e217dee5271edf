"""Local inference in processes of their own: text by the active build, vectors by the embedding model.

`client` is what services use; `protocol` says what goes over the pipe and checks what comes back;
`worker` is the process, `llama` the only door to llama.cpp, `fake` the same process without a model.
Chat and embeddings run in two processes, so that a question is embedded at once while a commentary
streams or documents are being added.
"""

from lumen_desktop.engine.client import ChatEngine, EmbeddingEngine
from lumen_desktop.engine.protocol import EngineDescription, Finished, Sampling, TextDelta, Turn

__all__ = ["ChatEngine", "EmbeddingEngine", "EngineDescription", "Finished", "Sampling", "TextDelta", "Turn"]
