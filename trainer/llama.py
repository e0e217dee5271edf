"""The trainer's only door to llama.cpp: a GGUF's tokens, logits and greedy answers, and its quantiser.

Prompts come in as token ids, cut and evaluated as the app's engine does it, so that what is measured here is what the
app will run. Knows no question and no file of the trainer; `trainer.parity`, `trainer.export` and `trainer.evaluation`
call it.
"""

import contextlib
import ctypes
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import llama_cpp
import numpy as np
from llama_cpp.llama_chat_format import Jinja2ChatFormatter
from numpy.typing import NDArray

from lumen_desktop.errors import EngineError

BATCH_TOKENS = 128  # as the app's engine cuts; results depend on it
_SILENT = llama_cpp.llama_log_callback(lambda _level, _text, _user: None)

Floats = NDArray[np.float32]


class GgufModel:
    """One GGUF file, opened for one thread of questions at a time.

    Args:
        path: the file.
        context_tokens: longest prompt and answer together.
        threads: of the processor.
        every_logit: whether `logits` is called; memory grows with the context then.

    Raises:
        EngineError: llama.cpp cannot open it (TRN-060).
    """

    def __init__(self, path: Path, *, context_tokens: int, threads: int, every_logit: bool = False) -> None:
        llama_cpp.llama_log_set(_SILENT, ctypes.c_void_p())
        self._batches: list[list[int]] = []
        try:
            self._llama = llama_cpp.Llama(
                str(path), n_ctx=context_tokens, n_batch=BATCH_TOKENS, n_ubatch=BATCH_TOKENS, n_threads=threads,
                n_threads_batch=threads, flash_attn=True, logits_all=every_logit, verbose=False,
            )  # fmt: skip
        except (ValueError, MemoryError):
            raise EngineError(
                f"{path.name} cannot be opened by llama.cpp.", code="TRN-060",
                hint="Run the step that made it again; if memory is short, close other programs.",
            ) from None  # fmt: skip

    @property
    def metadata(self) -> Mapping[str, str]:
        """The file's own fields, such as ``tokenizer.chat_template``."""
        found: dict[str, str] = self._llama.metadata
        return found

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return int(self._llama.n_vocab())

    def tokens(self, text: str, *, control: bool = True) -> list[int]:
        """A text's token ids, nothing added before it.

        Args:
            text: a rendered conversation, say.
            control: whether control tokens written out in it are read as such.
        """
        ids: list[int] = self._llama.tokenize(text.encode(), add_bos=False, special=control)
        return ids

    def text(self, ids: Sequence[int]) -> str:
        """The text of token ids; control tokens say nothing."""
        words: bytes = self._llama.detokenize(list(ids))
        return words.decode("utf-8", "replace")

    def last_logits(self, ids: Sequence[int]) -> Floats:
        """Logits after the last token, shape (vocabulary,)."""
        self._evaluate(ids)
        pointer = llama_cpp.llama_get_logits_ith(self._llama._ctx.ctx, -1)  # noqa: SLF001 - no public way
        return np.ctypeslib.as_array(pointer, shape=(self.vocabulary,)).copy()

    def logits(self, ids: Sequence[int]) -> Floats:
        """Logits after each token, shape (tokens, vocabulary); opened with ``every_logit``."""
        self._evaluate(ids)
        return np.array(self._llama.scores[: len(ids)], dtype=np.float32)

    def greedy(self, ids: Sequence[int], *, most: int) -> Iterator[int]:
        """The likeliest token after the ids, then after that one, up to an end or ``most``."""
        logits = self.last_logits(ids)
        for _ in range(most):
            token = int(logits.argmax())
            if llama_cpp.llama_vocab_is_eog(self._llama._model.vocab, token):  # noqa: SLF001
                return
            yield token
            self._llama.eval([token])
            pointer = llama_cpp.llama_get_logits_ith(self._llama._ctx.ctx, -1)  # noqa: SLF001
            logits = np.ctypeslib.as_array(pointer, shape=(self.vocabulary,))

    def answer(self, words: str, *, most: int) -> str:
        """The likeliest answer to one turn of a user, rendered by the file's own template in Jinja's sandbox.

        Raises:
            EngineError: the file has no template (TRN-062).
        """
        template = self.metadata.get("tokenizer.chat_template")
        if template is None:
            raise EngineError(
                "The model has no chat template, so it cannot be asked.", code="TRN-062",
                hint="Choose a GGUF of a model that follows instructions.",
            )  # fmt: skip
        ends = (self._llama.token_bos(), self._llama.token_eos())
        begin, end = (self._llama._model.token_get_text(one) if one >= 0 else "" for one in ends)  # noqa: SLF001
        rendered = Jinja2ChatFormatter(template=template, bos_token=begin, eos_token=end)
        prompt: str = rendered(messages=[{"role": "user", "content": words}]).prompt
        return self.text(list(self.greedy(self.tokens(prompt), most=most)))

    def close(self) -> None:
        """Frees it; without this the binding complains when the interpreter ends."""
        self._llama.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_ended: object) -> None:
        self.close()

    def _evaluate(self, ids: Sequence[int]) -> None:
        """Evaluates a prompt, but not the whole batches that the one before began with: the same cut, the same bits."""
        batches = [list(ids[start : start + BATCH_TOKENS]) for start in range(0, len(ids), BATCH_TOKENS)]
        pairs = zip(self._batches, batches[:-1], strict=False)
        kept = [old for old, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)]
        self._llama.n_tokens = BATCH_TOKENS * len(kept)  # the next evaluation drops everything behind it
        self._batches = kept
        for batch in batches[len(kept) :]:
            self._llama.eval(batch)
            self._batches.append(batch)


def quantise(
    source: Path, target: Path, kind: str, *, threads: int, importance: Mapping[str, Floats] | None = None
) -> None:
    """Writes a GGUF in another type by llama.cpp's own quantiser.

    Args:
        source: an f16 or bf16 file.
        target: the file to write; whole or not at all is the caller's business.
        kind: such as Q4_K_M.
        threads: of the processor.
        importance: by tensor name, the mean square of each input column, shape (columns,).

    Raises:
        EngineError: llama.cpp refused (TRN-061).
    """
    llama_cpp.llama_log_set(_SILENT, ctypes.c_void_p())
    how = llama_cpp.llama_model_quantize_default_params()
    how.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}")
    how.nthread = threads
    with _importance(how, importance or {}):
        status = llama_cpp.llama_model_quantize(bytes(source), bytes(target), ctypes.byref(how))
    if status != 0:
        raise EngineError(
            f"llama.cpp could not write {source.name} as {kind}.", code="TRN-061",
            hint="See that the disk has room, then run the step again.",
        )  # fmt: skip


@contextlib.contextmanager
def _importance(how: Any, importance: Mapping[str, Floats]) -> Iterator[None]:
    """Hands the figures to the quantiser and keeps them alive as long as it reads them."""
    kept = {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in importance.items()}
    array = (llama_cpp.llama_model_imatrix_data * (len(kept) + 1))()  # the last one, all zero, ends it
    for slot, (name, values) in zip(array, kept.items(), strict=False):
        slot.name, slot.size = name.encode(), values.size
        slot.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    if kept:
        how.imatrix = ctypes.cast(array, type(how.imatrix))
    yield
    del array, kept
