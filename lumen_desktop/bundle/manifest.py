"""What a bundle says of itself: the facts of a build, canonical as RFC 8785 writes them, each within a limit.

A manifest that breaks a rule cannot be made, by the publisher as little as by a stranger's file. Knows no file and no
seal; `container` stores its bytes, `roots` has them sealed.
"""

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

import rfc8785

from lumen_desktop.errors import BundleError

SCHEMA: Final = "lumen-build/1"
LARGEST_MANIFEST_BYTES: Final = 256 * 1024
MOST_PARTS: Final = 64
MOST_WAIVERS: Final = 40
LARGEST_MODEL_BYTES: Final = 64 * 1024**3
LARGEST_PART_BYTES: Final = 64 * 1024**2  # of every part but the model
MODEL, TEMPLATE, GOLDEN = "model.gguf", "chat_template.jinja", "golden_prompts.jsonl"
PASSED: Final = ("PASS", "WAIVED")

# Windows opens devices under these names, whatever follows the first full stop.
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{name}{digit}" for name in ("com", "lpt") for digit in range(10))]
)

Rule = Callable[[Any], bool]


def _text(pattern: str) -> Rule:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _whole(lowest: int, highest: int) -> Rule:
    return lambda value: type(value) is int and lowest <= value <= highest


def _day(value: Any) -> bool:
    try:
        return isinstance(value, str) and dt.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _flag(value: Any) -> bool:
    return type(value) is bool


def _part_name(value: Any) -> bool:
    if not _text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")(value):
        return False
    return not value.endswith(".") and value.partition(".")[0].lower() not in _DEVICES


_SHA256 = _text(r"[0-9a-f]{64}")
_LINE = _text(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,200}")
_REASON = _text(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,1000}")

_PART_RULES: Final[Mapping[str, Rule]] = {
    "name": _part_name,
    "size_bytes": _whole(0, LARGEST_MODEL_BYTES),
    "sha256": _SHA256,
    "media_type": _text(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}"),
}
_WAIVER_RULES: Final[Mapping[str, Rule]] = {"check": _LINE, "by": _LINE, "reason": _REASON}


@dataclass(frozen=True, slots=True)
class Part:
    """One file in a bundle.

    Attributes:
        name: without any folder.
        size_bytes: its length.
        sha256: its digest, lower-case hexadecimal.
        media_type: such as ``application/pdf``.
    """

    name: str
    size_bytes: int
    sha256: str
    media_type: str

    def __post_init__(self) -> None:
        _check(asdict(self), _PART_RULES, of="part")
        if self.name != MODEL and self.size_bytes > LARGEST_PART_BYTES:
            raise outside("part.size_bytes")


@dataclass(frozen=True, slots=True)
class Waiver:
    """A check of the gate that did not pass and that somebody answers for."""

    check: str
    by: str
    reason: str

    def __post_init__(self) -> None:
        _check(asdict(self), _WAIVER_RULES, of="waiver")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildManifest:
    """The facts that a build's publishers seal.

    Attributes:
        name: of the model, such as ``lumen-biomistral-7b``.
        build: number of the build; each is higher than the last of its name.
        created: day, as ``2026-11-23``.
        expires: last day of use; empty where there is none.
        base_model: the model it was trained from.
        base_revision: which state of that.
        base_licence: SPDX name of the base's licence.
        licence: SPDX name of the build's own licence.
        quantisation: such as ``Q4_K_M``.
        architecture: the GGUF's ``general.architecture``.
        parameters: number of weights.
        context_tokens: the longest conversation that it was trained for.
        vocabulary: number of tokens.
        prose: whether it may write text of its own; only with a passed gate.
        min_app: the oldest Lumen that runs it.
        template_sha256: of the part `TEMPLATE`.
        tokenizer_sha256: of the GGUF's tokenizer, as `gguf_check` digests it.
        dataset_sha256: of the dataset's manifest.
        training_sha256: of the training run's manifest.
        evaluation_sha256: of the evaluation.
        golden_sha256: of the part `GOLDEN`.
        gate: result of the gate: PASS, WAIVED or FAIL.
        gate_sha256: of the gate's record.
        waivers: who answers for what did not pass.
        non_commercial: whether some of what it was trained on forbids commercial use.
        parts: every file in the bundle, in the order in which they lie there.
    """

    name: str
    build: int
    created: str
    expires: str = ""
    base_model: str
    base_revision: str
    base_licence: str
    licence: str
    quantisation: str
    architecture: str
    parameters: int
    context_tokens: int
    vocabulary: int
    prose: bool
    min_app: str
    template_sha256: str
    tokenizer_sha256: str
    dataset_sha256: str
    training_sha256: str
    evaluation_sha256: str
    golden_sha256: str
    gate: str
    gate_sha256: str
    waivers: tuple[Waiver, ...] = ()
    non_commercial: bool
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        _check({field.name: getattr(self, field.name) for field in fields(self)}, RULES)
        names = [part.name.lower() for part in self.parts]
        if len(set(names)) != len(names):
            raise outside("parts: a name twice")
        if self.prose and self.gate not in PASSED:
            raise outside("prose: the gate did not pass")
        if (self.gate == "WAIVED") != bool(self.waivers):
            raise outside("waivers: not as the gate says")

    def check_parts(self) -> None:
        """Whether the parts that an app needs are there and are those that the facts name.

        Raises:
            BundleError: one is missing or another (BUN-004).
        """
        for name, digest in ((MODEL, None), (TEMPLATE, self.template_sha256), (GOLDEN, self.golden_sha256)):
            found = [part for part in self.parts if part.name == name]
            if not found or digest not in {None, found[0].sha256}:
                raise outside(f"parts: {name} is missing or another than the facts say")

    def part(self, name: str) -> Part:
        """A part by its name.

        Raises:
            BundleError: there is none (BUN-013).
        """
        for part in self.parts:
            if part.name == name:
                return part
        raise BundleError(
            f"The bundle holds no {name[:80]!r}.", code="BUN-013", hint="Its manifest lists what it holds."
        )

    def to_bytes(self) -> bytes:
        """The bytes that are stored and sealed. Source: RFC 8785."""
        return rfc8785.dumps({"schema": SCHEMA, **asdict(self)})

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self:
        """Reads what `to_bytes` wrote and nothing else.

        Raises:
            BundleError: not canonical JSON (BUN-003), another schema (BUN-017), a field breaks its rule (BUN-004).
        """
        values = canonical(untrusted, what="manifest")
        if values.pop("schema", None) != SCHEMA:
            raise newer()
        if set(values) != set(RULES):
            raise outside(", ".join(sorted(set(values) ^ set(RULES)))[:120])
        for name, kind, most in (("parts", Part, MOST_PARTS), ("waivers", Waiver, MOST_WAIVERS)):
            values[name] = _records(values[name], kind, name=name, most=most)
        manifest = cls(**values)
        manifest.check_parts()
        return manifest


RULES: Final[Mapping[str, Rule]] = {
    "name": _text(r"[a-z0-9][a-z0-9.-]{0,59}"),
    "build": _whole(1, 10**9),
    "created": _day,
    "expires": lambda value: value == "" or _day(value),
    "base_model": _LINE,
    "base_revision": _LINE,
    "base_licence": _text(r"[A-Za-z0-9.+-]{1,80}"),
    "licence": _text(r"[A-Za-z0-9.+-]{1,80}"),
    "quantisation": _text(r"[A-Z0-9_]{2,20}"),
    "architecture": _text(r"[a-z0-9_-]{1,40}"),
    "parameters": _whole(1, 10**12),
    "context_tokens": _whole(1, 2**24),
    "vocabulary": _whole(1, 2**22),
    "prose": _flag,
    "min_app": _text(r"\d{1,4}\.\d{1,4}\.\d{1,4}"),
    **dict.fromkeys(
        [f"{what}_sha256" for what in ("template", "tokenizer", "dataset", "training", "evaluation", "golden", "gate")],
        _SHA256,
    ),
    "gate": _text("PASS|WAIVED|FAIL"),
    "waivers": lambda value: _all_of(value, Waiver, most=MOST_WAIVERS),
    "non_commercial": _flag,
    "parts": lambda value: _all_of(value, Part, most=MOST_PARTS),
}
"""The limit of every field; `Part` and `Waiver` have their own."""


def canonical(untrusted: bytes, *, what: str) -> dict[str, Any]:
    """A JSON object that is written in the one way that RFC 8785 knows.

    Args:
        untrusted: its bytes; the caller limits their number.
        what: what it is, for the sentence.

    Raises:
        BundleError: it is another, or none (BUN-003).
    """
    try:
        values = json.loads(untrusted)
        if isinstance(values, dict) and rfc8785.dumps(values) == untrusted:
            return values
    except (ValueError, TypeError, RecursionError):  # what JSON, UTF-8 and RFC 8785 do not allow
        pass
    raise changed(f"its {what}")


def changed(what: str) -> BundleError:
    """The refusal of a file that is not what was written; ``what`` names where."""
    return BundleError(
        f"The file was changed or damaged: {what} is not what was written.",
        code="BUN-003",
        hint="Fetch it again from its publisher; do not use this one.",
    )


def newer() -> BundleError:
    """The refusal of a form that this Lumen does not know."""
    return BundleError(
        "The file has a form that this version of Lumen does not know.", code="BUN-017", hint="Update Lumen."
    )


def outside(field: str) -> BundleError:
    """The refusal of a field that breaks its rule."""
    return BundleError(
        f"The manifest breaks a rule: {field}.",
        code="BUN-004",
        hint="Ask the publisher for a file that keeps to the form.",
    )


def _check(values: Mapping[str, Any], rules: Mapping[str, Rule], *, of: str = "") -> None:
    for name, rule in rules.items():
        if not rule(values[name]):
            raise outside(f"{of}.{name}" if of else name)


def _all_of(value: Any, kind: type, *, most: int) -> bool:
    return isinstance(value, tuple) and len(value) <= most and all(isinstance(item, kind) for item in value)


def _records(untrusted: Any, kind: type[Any], *, name: str, most: int) -> tuple[Any, ...]:
    """A list of objects as records of a kind, each of whose fields is there and no other."""
    if not isinstance(untrusted, list) or len(untrusted) > most:
        raise outside(name)
    wanted = {field.name for field in fields(kind)}
    if any(not isinstance(item, dict) or set(item) != wanted for item in untrusted):
        raise outside(name)
    return tuple(kind(**item) for item in untrusted)
