"""The release: manifest and parts become one file; each signer then adds a seal. Called by `trainer.cli.release`.

Nothing that lies on the disk stands for the gate's verdict: it is asked again, and the release is refused where the
answer is another. The papers are written anew from it. The parts are gathered in ``WORK/released/<build>.parts``.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lumen_desktop.bundle import (
    GOLDEN,
    MODEL,
    SUFFIX,
    TEMPLATE,
    BuildManifest,
    GgufFacts,
    Signer,
    Waiver,
    check_gguf,
    read_manifest,
    seal,
    write,
)
from lumen_desktop.errors import BundleError, InputError
from trainer import base
from trainer.base import Prepared
from trainer.config import Config
from trainer.dossier import golden, notice, papers
from trainer.evaluation.results import NAME as EVALUATION
from trainer.gate import judged, last
from trainer.gating import evidence
from trainer.gating.evidence import RUN, Evidence, missing
from trainer.gating.result import NAME as GATE
from trainer.gating.result import GateResult
from trainer.gating.waivers import given
from trainer.licences import LICENCES
from trainer.lines import refused_if_unwritable
from trainer.ownership import card, manifest, notices
from trainer.ownership import papers as dataset_papers
from trainer.ownership.verdict import STAMP
from trainer.ownership.work import Work
from trainer.turns import Turns

_NON_COMMERCIAL = "LicenseRef-Non-Commercial"
_DATASET = {card.NAME: "dataset_card.md", dataset_papers.LEDGER: "licences.json", manifest.NAME: "dataset.json",
            notices.ATTRIBUTIONS: "ATTRIBUTIONS.txt", notices.APACHE_TEXT: "LICENSE-Apache-2.0.txt"}  # fmt: skip
_MAY_MISS = {notices.ATTRIBUTIONS, notices.APACHE_TEXT}
_REPORTS = {papers.PAGE: "evaluation_report.html", papers.PRINT: "evaluation_report.pdf", papers.CARD: "model_card.md"}

Told = Callable[[str, int, int], None]


def release(
    config: Config, *, today: date, key: Signer | None = None, told: Told = lambda _stage, _done, _all: None
) -> Path:
    """Writes ``released/<name>-<build>-<quantisation>.lumenbuild`` where it is not there yet, and adds a seal.

    Args:
        config: where everything lies, and what the bundle says of itself.
        today: for the day of making, and against the day of expiry.
        key: of `trainer.keys`, opened; None writes the bundle without a seal.
        told: a stage's name, how much of it is done, and how much there is.

    Raises:
        InputError: one of the refusals TRN-100 and TRN-103 to TRN-108.
        BundleError: the file cannot be made or sealed; nothing was overwritten.
        StorageError: TRN-010.
    """
    job = _job(config, today, told)
    path = job.work.released / f"{config.release.name}-{config.release.build}-{config.export.ship.lower()}{SUFFIX}"
    if path.exists():
        job.refuse_other(path)
    else:
        job.refuse_older(path)
        job.write(path, told)
    if key is not None:
        told("seal", 0, 1)
        seal(path, key)
    return path


@dataclass(frozen=True, slots=True)
class _Job:
    """One release whose gate was asked again."""

    config: Config
    today: date
    work: Work
    result: GateResult
    found: Evidence
    prepared: Prepared

    def refuse_older(self, path: Path) -> None:
        """Says whether a build of this number or a higher one was released already."""
        wanted = self.config.release
        for other in sorted(path.parent.glob(f"*{SUFFIX}")):
            there = _read(other)
            if there is not None and there.name == wanted.name and there.build >= wanted.build:
                raise _refused(
                    f"Build {there.build} of {there.name} was released already; this one has number {wanted.build}.",
                    "TRN-106", "Give release.build a higher number.",
                )  # fmt: skip

    def refuse_other(self, path: Path) -> None:
        """Says whether the bundle that is there holds another build than this one."""
        there = read_manifest(path)
        ours = (self.result.file_sha256, self.result.evaluation_sha256, self.gate_sha256)
        if (there.part(MODEL).sha256, there.evaluation_sha256, there.gate_sha256) != ours:
            raise _refused(
                f"{path.name} was released already and holds another build.", "TRN-106",
                "Give release.build a higher number.",
            )  # fmt: skip

    @property
    def gate_sha256(self) -> str:
        """Digest of the gate's record."""
        return hashlib.sha256(self.result.to_bytes()).hexdigest()

    def write(self, path: Path, told: Told) -> None:
        """Gathers the parts and writes the bundle without a seal."""
        facts = check_gguf(self.found.file)
        folder = path.with_suffix(".parts")
        with refused_if_unwritable(folder):
            folder.mkdir(parents=True, exist_ok=True)
        files = {MODEL: self.found.file, **dict(self._texts(folder, told)), **dict(self._copied())}
        self._refuse_unstamped(files)
        told("bundle", 0, 1)
        write(path, self._manifest(facts, files), files)
        for name in folder.iterdir():
            name.unlink()
        folder.rmdir()

    def _texts(self, folder: Path, told: Told) -> Iterator[tuple[str, Path]]:
        """Parts that are made here."""
        turns = Turns(self.prepared, base.tokenizer(self.prepared))
        made = papers.written(self.config, self.result, self.found, self.prepared)
        texts = {
            TEMPLATE: self.prepared.template.encode(),
            GOLDEN: golden.golden(
                self.found.file, self.work.dataset / "test.jsonl", turns, count=self.config.release.golden,
                threads=self.config.finetune.threads or 1, told=lambda done, count: told("golden prompts", done, count),
            ),
            **{_REPORTS[name]: content for name, content in made.items()},
            GATE: self.result.to_bytes(),
            notices.NOTICE: notice.notice(self.config, self.work, stamp=self.result.stamp).encode(),
        }  # fmt: skip
        papers.write(folder, texts)
        yield from ((name, folder / name) for name in texts)

    def _copied(self) -> Iterator[tuple[str, Path]]:
        """Parts that lie in the work folder."""
        yield "evaluation.json", self.found.build.folder / EVALUATION
        yield "training_run.json", self.work.finetuned / RUN
        for name, part in _DATASET.items():
            if name not in _MAY_MISS or (self.work.dataset / name).is_file():
                yield part, self.work.dataset / name

    def _refuse_unstamped(self, files: Mapping[str, Path]) -> None:
        """Says whether a paper that must carry the stamp lacks it."""
        for name, path in files.items():
            if not path.is_file():
                raise missing(f"{name} is missing: {path.name} is not there.", "Run the step that makes it again.")
        if self.result.commercial:
            return
        sold = json.loads(files["licences.json"].read_bytes())["verdict"]["commercial"]
        stamped = (notices.NOTICE, "model_card.md", *(() if sold else ("dataset_card.md",)))
        lacking = [name for name in stamped if STAMP not in files[name].read_text(encoding="utf-8")]
        if lacking:
            raise _refused(
                f"{lacking[0]} lacks the stamp that a non-commercial build must carry.", "TRN-108",
                "Build the dataset's papers again with `lumen-trainer dataset`.",
            )  # fmt: skip

    def _manifest(self, facts: GgufFacts, files: Mapping[str, Path]) -> BuildManifest:
        """What the bundle says of itself."""
        wanted, result, prepared = self.config.release, self.result, self.prepared
        sha256 = {name: manifest.digested(path).sha256 for name, path in files.items() if name != MODEL}
        passed_with = given(result) if result.word == "WAIVED" else ()
        return BuildManifest(
            name=wanted.name, build=wanted.build, created=self.today.isoformat(), expires=wanted.expires,
            base_model=self.config.base.model if self.config.base.revision else prepared.name,
            base_revision=prepared.revision or f"sha256:{prepared.sha256}", base_licence=prepared.licence,
            licence=prepared.licence if result.commercial else _NON_COMMERCIAL, quantisation=self.found.shipped,
            architecture=facts.architecture, parameters=facts.parameters, context_tokens=facts.context_tokens,
            vocabulary=facts.vocabulary, prose=wanted.prose, min_app=wanted.min_app,
            template_sha256=sha256[TEMPLATE], tokenizer_sha256=facts.tokenizer_sha256,
            dataset_sha256=sha256["dataset.json"], training_sha256=sha256["training_run.json"],
            evaluation_sha256=result.evaluation_sha256, golden_sha256=sha256[GOLDEN], gate=result.word,
            gate_sha256=sha256[GATE], non_commercial=not result.commercial,
            waivers=tuple(Waiver(check.title, by.by, by.reason) for check, by in passed_with),
        )  # fmt: skip


def _job(config: Config, today: date, told: Told) -> _Job:
    """What is released, once nothing speaks against it."""
    wanted = config.release
    if wanted.expires and date.fromisoformat(wanted.expires) < today:
        raise _refused(f"release.expires, {wanted.expires}, is past.", "TRN-105", "Name a later day, or none.")
    if config.base.licence not in LICENCES:
        raise _refused(
            f"The base's licence, {config.base.licence}, is not known.", "TRN-108", "Name a known one in base.licence."
        )
    before = last(config)
    if before is None:
        raise missing("There is no gate's result to release by.", "Run `lumen-trainer gate` first.")
    found, prepared = evidence.gathered(config), base.prepare(config, told=told)
    _refuse_moved(before, found)
    result = judged(config, found, prepared, today=date.fromisoformat(before.day), told=told)
    if result != before:
        raise _refused(
            "The gate's result is not what the gate says of these files now.", "TRN-104",
            "Run `lumen-trainer gate` again and release by that.",
        )  # fmt: skip
    if wanted.prose and not result.passed:
        raise _refused(
            "A build that may write text of its own needs a passed gate.", "TRN-107", "Set release.prose to false."
        )
    if not result.passed and not wanted.development:
        failed = ", ".join(str(check.number) for check in result.checks if check.stops)
        raise _refused(
            f"The gate did not pass: checks {failed}.", "TRN-103",
            "`lumen-trainer gate` says why; release.development seals it for trying out.",
        )  # fmt: skip
    return _Job(config, today, Work(config.work_folder), result, found, prepared)


def _refuse_moved(before: GateResult, found: Evidence) -> None:
    ours = (found.facts["sha256"], found.build.sha256, found.sha256)
    if (before.file_sha256, before.evaluation_sha256, before.evidence_sha256) != ours:
        raise _refused(
            "The gate judged another export or another evaluation than those that lie here.", "TRN-104",
            "Run `lumen-trainer gate` again.",
        )  # fmt: skip
    if manifest.digested(found.file).sha256 != found.facts["sha256"]:
        raise _refused(f"{found.file.name} is not the file that was judged.", "TRN-104", "Export it again.")


def _read(path: Path) -> BuildManifest | None:
    """A bundle's manifest; None where it is no bundle."""
    try:
        return read_manifest(path)
    except BundleError:
        return None


def _refused(message: str, code: str, hint: str) -> InputError:
    return InputError(message, code=code, hint=hint)
