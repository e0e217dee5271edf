"""The configuration of a build: one YAML file, checked field by field, with its JSON schema.

What every step is told stands here; a path in it is relative to the file. Knows which fields there are and their
limits; what the sources want (files that are there, terms accepted), `trainer.collect.inputs` checks.
"""

import json
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator

from lumen_desktop.errors import InputError
from trainer.licences import LICENCES
from trainer.recipe import Base, Evaluate, Export, Finetune, Gate, Preference, Release

LARGEST_BYTES = 1024**2
DEEPEST = 12
Family: TypeAlias = Literal[
    "label", "dosing", "interaction", "contraindication", "table", "patient", "consumer", "pubmed", "regulation",
    "narrative", "mcq", "refusal", "feedback", "replay",
]  # fmt: skip
FAMILIES: tuple[str, ...] = get_args(Family)  # those of trainer.dataset
_MIX: dict[Family, float] = {
    "label": 31, "table": 4, "patient": 7, "consumer": 3, "dosing": 5, "interaction": 5, "contraindication": 5,
    "pubmed": 15, "regulation": 7, "narrative": 3, "mcq": 5, "refusal": 3, "feedback": 0, "replay": 7,
}  # fmt: skip
_Places: TypeAlias = list[str]


def _known_licence(value: str) -> str:
    if value not in LICENCES:
        raise ValueError(f"{value} is no known licence; known are {', '.join(sorted(LICENCES))}")
    return value


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SourceChoice(_Part):
    """One public source, by its name in `lumen-trainer sources`."""

    files: _Places = Field(
        default=[], max_length=10_000, description="Files and folders that you downloaded; folders with all in them."
    )
    use: bool | None = Field(
        default=None, description="true or false switches the source; without it, the source's own default holds."
    )
    accept_terms: bool = Field(
        default=False, description="true says that you accept the source's terms, where it has any to accept."
    )
    licences: dict[str, str] = Field(
        default={},
        description="Licence of files that state none: a file name, in which * stands for anything, to an identifier.",
    )

    @field_validator("licences")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        return {pattern: _known_licence(licence) for pattern, licence in value.items()}


class Collect(_Part):
    """How files are read."""

    processes: int | None = Field(
        default=None, ge=1, le=256, description="How many files are read at once; without it, one a processor."
    )
    on_error: Literal["continue", "stop"] = Field(
        default="continue", description="What a file that cannot be read does: it is counted, or the run ends."
    )


class Caps(_Part):
    """How many examples may share something, so that nothing is learnt by heart; null is no limit."""

    ingredient: int | None = Field(default=1_000, ge=1, description="Examples of one ingredient, brands included.")
    labeler: int | None = Field(default=20_000, ge=1, description="Examples from labels of one company.")
    template: int | None = Field(default=40_000, ge=1, description="Examples in one wording.")


class Split(_Part):
    """What is kept from training, by whole ingredients, regulations and documents."""

    validation: float = Field(default=0.05, gt=0, le=0.4, description="Share for validation.")
    test: float = Field(default=0.05, gt=0, le=0.4, description="Share for the test.")


class Replay(_Part):
    """A file of general conversations, which keep the model from forgetting how to talk."""

    file: str = Field(min_length=1, description="JSON lines of messages, each a role and its content.")
    licence: str = Field(description="Its licence: an identifier that the trainer knows.")

    @field_validator("licence")
    @classmethod
    def _known(cls, value: str) -> str:
        return _known_licence(value)


class Paraphrase(_Part):
    """Questions in other words, by a model of your own; answers are never touched."""

    model: str = Field(default="", description="A GGUF of a model that follows instructions; empty: no rewording.")
    share: float = Field(default=0.1, gt=0, le=1, description="Of the questions that are one line.")


class Dataset(_Part):
    """What is made from what was collected."""

    examples: int | None = Field(
        default=None, ge=1, le=10_000_000, description="How many examples are wanted; without it, all that there are."
    )
    seed: int = Field(default=1, ge=0, le=2**63 - 1, description="The same seed and inputs give the same bytes.")
    mix: dict[Family, float] = Field(default=_MIX, description="Per cent of the examples by family, together 100.")
    near_duplicates: float = Field(
        default=0.8, gt=0, le=1, description="Share of common word groups (Jaccard) from which two examples are one."
    )
    contaminated: float = Field(
        default=0.5, gt=0, le=1, description="Share of an evaluation item's words that no example may hold."
    )
    caps: Caps = Field(default=Caps(), description="How many examples may share something.")
    split: Split = Field(default=Split(), description="What is kept from training.")
    evaluation: _Places = Field(
        default=[], max_length=1_000, description="Files and folders of evaluation sets; nothing like them is trained."
    )
    replay: list[Replay] = Field(default=[], max_length=100, description="Files of general conversations.")
    paraphrase: Paraphrase = Field(default=Paraphrase(), description="Questions in other words.")

    @field_validator("mix")
    @classmethod
    def _whole(cls, value: dict[Family, float]) -> dict[Family, float]:
        total = sum(value.values())
        if any(share < 0 for share in value.values()) or abs(total - 100) > 0.01:  # noqa: PLR2004 - per cent
            raise ValueError(f"the shares must be 0 or more and 100 together, not {total:g}")
        return value


class Config(_Part):
    """The configuration of a build of Lumen's trainer."""

    version: Literal[1] = Field(description="The version of this form: 1.")
    work: str = Field(min_length=1, description="The folder that the trainer works in and leaves the dataset in.")
    sources: dict[str, SourceChoice] = Field(default={}, description="The sources, by name.")
    collect: Collect = Field(default=Collect(), description="How files are read.")
    dataset: Dataset = Field(default=Dataset(), description="What is made from what was collected.")
    base: Base = Field(default=Base(), description="The model that is trained further.")
    finetune: Finetune = Field(default=Finetune(), description="How it is trained.")
    preference: Preference = Field(default=Preference(), description="A step after it, from consented feedback.")
    export: Export = Field(default=Export(), description="What files it becomes.")
    evaluate: Evaluate = Field(default=Evaluate(), description="What is asked of it.")
    gate: Gate = Field(default=Gate(), description="What it must reach.")
    release: Release = Field(default=Release(), description="What the sealed file says of itself.")
    _file: Path = PrivateAttr(default=Path("lumen-trainer.yaml"))

    @property
    def file(self) -> Path:
        """The file it was read from."""
        return self._file

    @property
    def work_folder(self) -> Path:
        """`work` as a path, without the steps up and down that led to it."""
        return self.place(self.work).resolve()

    def place(self, written: str) -> Path:
        """A path as the configuration writes it, from the folder of its file."""
        return self._file.parent / Path(written).expanduser()


def load(file: Path) -> Config:
    """Reads and checks a configuration.

    Raises:
        InputError: it cannot be read (TRN-002), is no plain YAML (TRN-003) or a field is wrong (TRN-004).
    """
    text = _text(file)
    try:
        value, line_of = _plain(text)
    except yaml.YAMLError as error:
        raise _not_yaml(file, error) from None
    try:
        config = Config.model_validate_json(json.dumps(value))
    except ValidationError as error:
        raise _wrong(file, error, line_of) from None
    except (TypeError, ValueError):
        raise _refused(file, "it holds something that is neither text, number, list nor section") from None
    config._file = file.absolute()  # noqa: SLF001 - it is this module's own
    return config


def schema() -> dict[str, Any]:
    """The JSON schema of the file, for editors that check while one writes. Source: JSON Schema 2020-12."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise _unreadable(file, error.strerror or "not readable") from None
    if len(content) > LARGEST_BYTES:
        raise _unreadable(file, "larger than 1 MB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _unreadable(file, "not UTF-8 text") from None


class _Loader(yaml.SafeLoader):  # type: ignore[misc] # PyYAML ships no types
    """Plain data only: no reference to another place of the file, no type of its own, no name twice, no date."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own attribute
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":merge", ":value"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _plain(text: str) -> tuple[Any, dict[tuple[str, ...], int]]:
    """The data of a YAML text, and the line of every field, from 1."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(problem="& and * are not allowed", problem_mark=event.start_mark)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem="it is nested too deep", problem_mark=event.start_mark)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: dict[tuple[str, ...], int] = {}
        _note(node, (), lines)
        return (loader.construct_document(node) if node else None), lines
    finally:
        loader.dispose()


def _note(node: Any, path: tuple[str, ...], lines: dict[tuple[str, ...], int]) -> None:
    if node is None:
        return
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _note(item, (*path, str(number)), lines)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*path, str(key.value))
            if place in lines:
                raise yaml.MarkedYAMLError(problem=f"“{key.value}” is there twice", problem_mark=key.start_mark)
            lines[place] = key.start_mark.line + 1
            _note(value, place, lines)


def _wrong(file: Path, error: ValidationError, line_of: dict[tuple[str, ...], int]) -> InputError:
    """One sentence on the first of the mistakes."""
    first = error.errors(include_url=False)[0]
    place = tuple(str(part) for part in first["loc"] if part != "[key]")
    known = next((place[:n] for n in range(len(place), -1, -1) if place[:n] in line_of), None)
    where = f"line {line_of[known]}, " if known else ""
    words = {
        "extra_forbidden": "there is no such field",
        "missing": "the field is missing",
    }.get(first["type"])
    words = words or first["msg"].removeprefix("Value error, ").replace("Input should", "input should")
    more = error.error_count() - 1
    others = f" ({more} more)" if more else ""
    return _refused(file, f"{where}{'.'.join(place) or 'the file'}: {words}{others}")


def _refused(file: Path, words: str) -> InputError:
    return InputError(
        f"{file.name}: {words}.", code="TRN-004", hint="`lumen-trainer validate --schema` shows every field."
    )


def _unreadable(file: Path, words: str) -> InputError:
    return InputError(f"{file.name} cannot be read ({words}).", code="TRN-002", hint="Name a configuration file.")


def _not_yaml(file: Path, error: yaml.YAMLError) -> InputError:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    where = f" in line {mark.line + 1}" if mark else ""
    words = f": {problem}" if problem else ""
    return InputError(
        f"{file.name} is no plain YAML{where}{words}.",
        code="TRN-003",
        hint="Only text, numbers, lists and sections are read, each named once.",
    )
