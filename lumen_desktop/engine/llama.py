"""The only door to llama.cpp: a chat model and an embedding model, each owned by one thread.

Knows no pipe and no prompt's meaning. Called by `worker`, in a process that may crash.

Two properties are made here and not left to chance:

* **Text is never control, and the ids are otherwise those of the whole prompt.** The template is rendered
  around marks that nobody can guess and cut at its own control tokens; each stretch between two of them, the
  turns' texts put in, is tokenised as a whole with control tokens off. llama.cpp cuts a string in the same
  way, so the ids are those that the model was trained on, whether a token reaches across the template's
  words (BPE) or each stretch begins with a space of its own (sentencepiece).
* **A warm answer is the cold answer, bit for bit.** llama.cpp's results depend on how a prompt is cut into
  batches: a kept prefix of any length was measured to move scores by up to 0.5. So a prompt is cut in the
  same places always, at the end of each stretch with a turn's text and every 128 tokens within, and what is
  kept of the previous prompt are whole batches. Generated tokens are evaluated again, as prompt. (A rest
  joins the batch before it: below 64 tokens flash attention takes a path that is half as fast.)
"""

import codecs
import contextlib
import ctypes
import importlib.metadata
import itertools
import re
import secrets
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Final

import llama_cpp
import numpy as np
import psutil
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from lumen_desktop.engine.protocol import (
    EngineDescription,
    EngineRole,
    Finished,
    Reason,
    Sampling,
    Turn,
    Vector,
    refuse_too_long,
)
from lumen_desktop.errors import EngineError

BATCH_TOKENS: Final = 128
LARGEST_BATCH_TOKENS: Final = 2 * BATCH_TOKENS
EMBEDDING_TOKENS: Final = 512
_WORKING_BYTES: Final = 256 * 1024**2  # context and buffers, beside the weights
_LONGEST_PIECE_BYTES: Final = 256

Stopped = Callable[[], bool]


class ChatModel:
    """One chat model with its context; keeps the evaluated prompt for the next request.

    Args:
        path: GGUF file.
        template: Jinja file that turns a conversation into a prompt.
        threads: for prompt and generation alike.
        context_tokens: longest prompt and answer together; the model's own limit if that is less.

    Raises:
        EngineError: ENG-010 to ENG-014.
    """

    def __init__(self, path: Path, *, template: Path, threads: int, context_tokens: int) -> None:
        self._llama = _open(
            path, role="chat", threads=threads, context_tokens=context_tokens, batch_tokens=LARGEST_BATCH_TOKENS
        )
        self._vocabulary = self._llama._model.vocab  # noqa: SLF001 - the binding has no public way
        self._context = self._llama._ctx.ctx  # noqa: SLF001
        self._format = _formatter(template, self._llama)
        self._control = _control_tokens(self._llama)
        self._evaluated: list[list[int]] = []
        self._stopped: Stopped = _never
        self._abort = llama_cpp.ggml_abort_callback(lambda _data: self._stopped())
        self.description = _describe(self._llama, path, role="chat", context_tokens=context_tokens)

    def count(self, turns: Sequence[Turn]) -> int:
        """Length of the prompt, tokens."""
        return len(self.prompt(turns))

    def prompt(self, turns: Sequence[Turn]) -> list[int]:
        """Token ids of a conversation, up to where the answer begins.

        Where no text spells a control token they are the ids of the whole rendered string.

        Raises:
            EngineError: the template leaves a turn out or repeats it (ENG-014).
        """
        return list(itertools.chain.from_iterable(self._parts(turns)))

    def generate(self, turns: Sequence[Turn], sampling: Sampling, stopped: Stopped) -> Iterator[str | Finished]:
        """Yields the answer's text piece by piece, empty pieces as signs of life, Finished at the end.

        Args:
            turns: the conversation.
            sampling: how tokens are chosen.
            stopped: asked for all the time; true ends the work within a token, in the prompt within a few ms.

        Raises:
            InputError: prompt and answer do not fit (ENG-020).
        """
        began, first = time.perf_counter(), None
        parts = self._parts(turns)
        prompt_tokens, room = sum(map(len, parts)), self.description.context_tokens
        refuse_too_long(prompt_tokens, answer_tokens=sampling.answer_tokens, context_tokens=room)
        batches = [batch for part in parts for batch in _batches(part)]
        reused = self._keep_prefix(batches)
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        drawn = 0
        with contextlib.closing(self._draw(batches, sampling, stopped)) as tokens:
            for token in tokens:
                if token is None:
                    yield ""
                    continue
                first = first or time.perf_counter()
                reason = self._ending(token, drawn, sampling, stopped)
                if reason == "end":
                    break
                drawn += 1
                yield decode(self._piece(token))
                if reason:
                    break
            else:  # only a stop ends the tokens by themselves
                reason = "stopped"
        yield decode(b"", True)  # noqa: FBT003 - the codec's own signature
        now = time.perf_counter()
        yield Finished(
            reason, prompt_tokens, reused, drawn, prompt_s=(first or now) - began, generate_s=now - (first or now)
        )

    def _ending(self, token: int, drawn: int, sampling: Sampling, stopped: Stopped) -> Reason | None:
        if llama_cpp.llama_vocab_is_eog(self._vocabulary, token):
            return "end"
        if drawn + 1 == sampling.answer_tokens:
            return "length"
        return "stopped" if stopped() else None

    def _parts(self, turns: Sequence[Turn]) -> list[list[int]]:
        """The prompt's ids, cut behind each stretch with a turn's text: there a later prompt may go on differently."""
        texts = {secrets.token_hex(16): turn.text for turn in turns}
        marks = re.compile("|".join(texts))
        messages = [{"role": turn.role, "content": mark} for turn, mark in zip(turns, texts, strict=True)]
        rendered: str = self._format(messages=messages).prompt
        if marks.findall(rendered) != list(texts):
            raise _template_error("does not carry each turn once")
        parts: list[list[int]] = [[]]
        for stretch in _cut(rendered, self._control):
            if isinstance(stretch, int):
                parts[-1].append(stretch)
                continue
            words, turns_in_it = marks.subn(lambda mark: texts[mark.group()], stretch)
            parts[-1] += self._ids(words)
            if turns_in_it:
                parts.append([])
        return parts

    def _draw(
        self, batches: list[list[int]], sampling: Sampling, stopped: Stopped
    ) -> Generator[int | None, None, None]:
        """Evaluates what is not evaluated yet, None after each batch, then draws tokens until closed or stopped."""
        try:
            self._watch(stopped)
            for batch in batches[len(self._evaluated) : -1]:
                self._llama.eval(batch)
                self._evaluated.append(batch)
                yield None
            for token in self._sampled(batches[-1], sampling):
                self._watch(None)
                self._evaluated = batches
                yield token
        except RuntimeError:  # how the binding reports a decoding that the callback ended
            if not stopped():
                raise
        finally:
            self._watch(None)
            self._drop_sampler()

    def _sampled(self, tokens: list[int], sampling: Sampling) -> Iterator[int]:
        self._llama.set_seed(sampling.seed)
        drawn: Iterator[int] = self._llama.generate(
            tokens,
            top_k=0,
            top_p=sampling.top_p,
            min_p=0.0,
            temp=sampling.temperature,
            repeat_penalty=sampling.repeat_penalty,
            reset=False,
        )
        return drawn

    def _drop_sampler(self) -> None:
        """Frees its 0.6 MB at once: the binding's sampler refers to itself and waits for the cycle collector."""
        sampler, self._llama._sampler = self._llama._sampler, None  # noqa: SLF001
        if sampler is not None:
            sampler.close()

    def _keep_prefix(self, batches: list[list[int]]) -> int:
        """Goes back to the last batch that the previous prompt shares; at least one stays to evaluate.

        Returns:
            How many tokens are kept.
        """
        pairs = zip(self._evaluated, batches[:-1], strict=False)
        kept = [old for old, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)]
        self._evaluated, tokens = kept, sum(map(len, kept))
        self._llama.n_tokens = tokens  # the next evaluation drops everything behind it
        return tokens

    def _watch(self, stopped: Stopped | None) -> None:
        """Asks about a stop some hundred times a batch; off while tokens are drawn, where it costs 3 %."""
        self._stopped = stopped or _never
        callback = self._abort if stopped else llama_cpp.ggml_abort_callback()
        llama_cpp.llama_set_abort_callback(self._context, callback, None)

    def _ids(self, text: str) -> list[int]:
        """Ids of a text in which nothing is control."""
        ids: list[int] = self._llama.tokenize(text.encode("utf-8", "replace"), add_bos=False, special=False)
        return ids

    def _piece(self, token: int) -> bytes:
        """The bytes of a token; none for a control token."""
        buffer = ctypes.create_string_buffer(_LONGEST_PIECE_BYTES)
        size = llama_cpp.llama_token_to_piece(self._vocabulary, token, buffer, _LONGEST_PIECE_BYTES, 0, False)  # noqa: FBT003
        return buffer.raw[: max(0, size)]


class EmbeddingModel:
    """One embedding model; takes one text at a time, which is ten times faster here than many.

    Args:
        path: GGUF file.
        threads: threads of llama.cpp.

    Raises:
        EngineError: ENG-010 to ENG-013.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        self._llama = _open(
            path, role="embedding", threads=threads, context_tokens=EMBEDDING_TOKENS, batch_tokens=EMBEDDING_TOKENS
        )
        self.description = _describe(self._llama, path, role="embedding", context_tokens=EMBEDDING_TOKENS)

    def embed(self, text: str) -> Vector:
        """A text's vector, norm 1; text beyond 512 tokens has no part in it (llama.cpp cuts it)."""
        return np.asarray(self._llama.embed(text.encode("utf-8", "replace").decode(), normalize=True), dtype=np.float32)


def _open(path: Path, *, role: EngineRole, threads: int, context_tokens: int, batch_tokens: int) -> llama_cpp.Llama:
    _refuse_unusable(path)
    try:
        llama = llama_cpp.Llama(
            str(path),
            n_ctx=context_tokens,
            n_batch=batch_tokens,
            n_ubatch=batch_tokens,
            n_threads=threads,
            n_threads_batch=threads,  # unset it takes every core, and the machine stands still
            flash_attn=True,
            embedding=role == "embedding",
            verbose=False,
        )
    except MemoryError as error:
        raise _memory_error(path, path.stat().st_size) from error
    except ValueError as error:
        if "context" in str(error):
            raise _memory_error(path, path.stat().st_size) from error
        raise _damaged(path) from error
    if _embeds(llama.metadata) != (role == "embedding"):
        raise EngineError(
            f"{path.name} is not a model for this: {'text' if role == 'chat' else 'vectors'} cannot be made with it.",
            code="ENG-013",
            hint="Choose a chat model for answers and an embedding model for search.",
        )
    return llama


def _refuse_unusable(path: Path) -> None:
    """What can be known without llama.cpp, which crashes on some of it."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise EngineError(
            f"The model file {path.name} cannot be read ({error.strerror}).",
            code="ENG-010",
            hint="Run the set-up again; it fetches what is missing.",
        ) from error
    if magic != b"GGUF":
        raise _damaged(path)
    needed_bytes = 2 * path.stat().st_size + _WORKING_BYTES  # the file, and its copy arranged for the processor
    if needed_bytes > psutil.virtual_memory().available:
        raise _memory_error(path, needed_bytes)


def _damaged(path: Path) -> EngineError:
    return EngineError(
        f"The model file {path.name} is damaged, cut short or not a GGUF file.",
        code="ENG-011",
        hint="Run the set-up again; it checks the file and fetches it anew.",
    )


def _memory_error(path: Path, needed_bytes: int) -> EngineError:
    free_bytes = psutil.virtual_memory().available
    return EngineError(
        f"The model {path.name} does not fit in memory: about {needed_bytes / 1e9:.1f} GB needed, "
        f"{free_bytes / 1e9:.1f} GB free.",
        code="ENG-012",
        hint="Close other programs, or choose a smaller model.",
    )


def _template_error(what: str) -> EngineError:
    return EngineError(
        f"The chat template {what}.", code="ENG-014", hint="Run the set-up again, or choose another model."
    )


def _formatter(template: Path, llama: llama_cpp.Llama) -> Jinja2ChatFormatter:
    """The template, to be rendered in Jinja's sandbox."""
    try:
        source = template.read_text(encoding="utf-8")
        begin, end = (llama._model.token_get_text(i) if i >= 0 else "" for i in (llama.token_bos(), llama.token_eos()))  # noqa: SLF001
        return Jinja2ChatFormatter(template=source, bos_token=begin, eos_token=end)
    except OSError as error:
        raise _template_error(f"cannot be read ({error.strerror})") from error
    except Exception as error:  # Jinja's errors share no base that the binding exports
        raise _template_error("cannot be understood") from error


def _control_tokens(llama: llama_cpp.Llama) -> list[tuple[str, int]]:
    """Each control token's text and id, the longest first, as llama.cpp looks for them."""
    vocabulary = llama._model.vocab  # noqa: SLF001
    wanted = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN
    ids = (i for i in range(llama.n_vocab()) if llama_cpp.llama_vocab_get_attr(vocabulary, i) & wanted)
    texts = [(llama_cpp.llama_vocab_get_text(vocabulary, i).decode("utf-8", "replace"), i) for i in ids]
    return sorted((token for token in texts if token[0]), key=lambda token: -len(token[0].encode()))


def _cut(template_words: str, control: Sequence[tuple[str, int]]) -> list[str | int]:
    """A rendered template as control tokens and the stretches between them, in order; no stretch is empty."""
    cut: list[str | int] = [template_words]
    for text, token in control:
        cut = [piece for stretch in cut for piece in _cut_at(stretch, text, token)]
    return [piece for piece in cut if piece != ""]


def _cut_at(stretch: str | int, text: str, token: int) -> list[str | int]:
    if isinstance(stretch, int) or text not in stretch:
        return [stretch]
    cut: list[str | int] = []
    for piece in stretch.split(text):
        cut += [piece, token]
    return cut[:-1]


def _embeds(metadata: dict[str, str]) -> bool:
    architecture = metadata.get("general.architecture", "")
    return f"{architecture}.pooling_type" in metadata or metadata.get(f"{architecture}.attention.causal") == "false"


def _describe(llama: llama_cpp.Llama, path: Path, *, role: EngineRole, context_tokens: int) -> EngineDescription:
    model, metadata = llama._model, llama.metadata  # noqa: SLF001
    version = llama_cpp.llama_version().decode()
    return EngineDescription(
        role=role,
        architecture=metadata.get("general.architecture", "")[:200],
        name=metadata.get("general.name", path.stem)[:200],
        context_tokens=min(context_tokens, model.n_ctx_train()),
        vocabulary_size=llama.n_vocab(),
        parameters=llama_cpp.llama_model_n_params(model.model),
        dimensions=llama.n_embd() if role == "embedding" else 0,
        size_bytes=path.stat().st_size,
        rss_bytes=psutil.Process().memory_info().rss,
        runtime=f"llama.cpp {version}, llama-cpp-python {importlib.metadata.version('llama-cpp-python')}",
    )


def _batches(part: list[int]) -> Iterator[list[int]]:
    """Cuts every BATCH_TOKENS; what is left at the end joins the last."""
    last = max(0, len(part) // BATCH_TOKENS - 1) * BATCH_TOKENS
    for start in range(0, last, BATCH_TOKENS):
        yield part[start : start + BATCH_TOKENS]
    if part:
        yield part[last:]


def _never() -> bool:
    return False
