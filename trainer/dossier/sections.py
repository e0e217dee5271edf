"""The report in order: what the gate said, what was scored, what got worse, what it was made of.

Nothing is judged here: every verdict is the gate's. `page` and `printed` give it a form.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trainer.compare import Compared
from trainer.config import Config
from trainer.dossier import pictures
from trainer.dossier.parts import Cell, Report, Section, table
from trainer.evaluation.results import Score
from trainer.evaluation.statistics import Paired
from trainer.gating.answers import confidences, rates
from trainer.gating.evidence import Asked, Evidence
from trainer.gating.finding import signed
from trainer.gating.result import GateResult, Kind, Outcome
from trainer.gating.waivers import given

_SENTENCES = {
    Outcome.PASS.value: "every hard check passed.",
    Outcome.WAIVED.value: "the hard checks passed but for those that are waived; who answers for them stands below.",
    Outcome.FAIL.value: "at least one hard check failed; this build may not write text of its own.",
}
_HOW_SCORED = (
    "Each share with its 95 % interval (Wilson); the difference is paired, question by question, with a bootstrap "
    "interval and McNemar's exact p. A set that asks for abstaining or refusing counts the answers that did."
)
_UNSCORED = "calibration"  # no set of questions
_SHORT_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Told:
    """What a report and a card tell of.

    Attributes:
        config: of the build.
        result: of the gate.
        evidence: that it looked at.
        run: what the training run said of itself; empty where it left nothing.
        base: name, revision, licence and digest of the base.
        dataset: what its ledger and manifest say; empty where there are none.
    """

    config: Config
    result: GateResult
    evidence: Evidence
    run: Mapping[str, Any]
    base: Mapping[str, str]
    dataset: Mapping[str, Any]


def report(told: Told) -> Report:
    """All of it."""
    result, evaluation = told.result, told.evidence.build.evaluation
    hard = [check for check in result.checks if check.kind is Kind.HARD]
    passed = sum(check.outcome is Outcome.PASS for check in hard)
    tiles = (
        ("Gate", result.word), ("Hard checks passed", f"{passed} of {len(hard)}"),
        ("File", f"{result.quantisation}, {_size(told.evidence.facts['size_bytes'])}"),
        ("Base", told.base["name"]),
        ("Public sets", "a fixed part" if evaluation.quick else "all questions"),
        ("Answers looked at", f"{sum(s.items for s in evaluation.scores if s.set != _UNSCORED):,}"),
        ("May be sold", "yes" if result.commercial else "no"),
    )  # fmt: skip
    identity = f"{result.build}, build {result.number}, {result.quantisation}"
    parts = (made(told) for made in _PARTS)
    return Report(
        result.build, result.word, _SENTENCES[result.word], result.stamp, identity, result.day, result.file_sha256,
        tiles, tuple(part for part in parts if part is not None),
    )  # fmt: skip


def _gate(told: Told) -> Section:
    rows = [
        (check.number, check.title, check.outcome.value, check.value or "–", check.threshold, check.why)
        for check in told.result.checks
    ]
    head = ("#", "check", "result", "measured", "line", "why")
    words = (
        "Hard checks decide; a soft one is told only. What was not measured fails a hard check.",
        f"Soft: {', '.join(check.title for check in told.result.checks if check.kind is Kind.SOFT)}.",
    )
    return Section("gate", "The gate", words, table=table(
        head, rows, shares=(4, 15, 10, 24, 22, 25), words=frozenset({1, 2, 3, 4, 5})
    ))  # fmt: skip


def _waivers(told: Told) -> Section | None:
    rows = [(str(check.number), check.title, by.by, by.day, by.reason, f"{by.key[:_SHORT_DIGEST]}…")
            for check, by in given(told.result)]  # fmt: skip
    if not rows:
        return None
    head = ("#", "check", "waived by", "on", "reason", "key")
    words = ("Each is signed, and holds for the figures above and for nothing else.",)
    return Section("waivers", "Waivers", words, table=table(
        head, rows, shares=(4, 18, 14, 11, 38, 15), words=frozenset(range(1, 6))
    ))  # fmt: skip


def _scores(told: Told) -> Section:
    evidence = told.evidence
    found = [score for score in evidence.build.evaluation.scores if score.set != _UNSCORED and score.items]
    rows = [pictures.Row(s.set, _mark(s), _base_mark(evidence, s.set), s.majority) for s in found]
    cells = [_score_row(score, evidence) for score in found]
    head = ("set", "asked", "measure", "build", "base", "commonest", "difference in points, 95 %", "p")
    return Section("scores", "Scores", (_HOW_SCORED, *_shots(evidence)), pictures.scores(rows), table(
        head, cells, shares=(17, 7, 11, 9, 9, 11, 26, 9), words=frozenset({0, 2})
    ))  # fmt: skip


def _shots(evidence: Evidence) -> Iterator[str]:
    if evidence.base is None:
        yield "The base was not asked the same questions, so nothing is compared."
        return
    base = evidence.base.evaluation
    shots = base.made_by.get("shots", "0")
    yield f"In own questions the base ({base.model}) was shown {shots} worked examples, the build none."


def _score_row(score: Score, evidence: Evidence) -> tuple[str | int | None, ...]:
    other = evidence.base.evaluation.score(score.set) if evidence.base else None
    against = evidence.against_base.get(score.set)
    return (
        score.set, f"{score.items:,}", score.measure, f"{score.value:.1%}", f"{other.value:.1%}" if other else None,
        f"{score.majority:.1%}" if score.majority is not None else None,
        signed(against.right.difference) if against else None, _p(against),
    )  # fmt: skip


def _p(against: Compared | None) -> str | None:
    if against is None or against.right.p is None:
        return None
    return "< 0.0001" if against.right.p < 1e-4 else f"{against.right.p:.4f}"  # noqa: PLR2004 - as far as is shown


def _worse(told: Told) -> Section:
    found = worse(told)
    words = ("By the point estimate, largest loss first; a loss whose interval holds 0 may be chance.",) if found else (
        "In no set that both were asked was the build below the base.",
    )  # fmt: skip
    rows = [(one.set, signed(one.right.difference), "sure" if one.right.difference.high < 0 else "may be chance")
            for one in found]  # fmt: skip
    listed = table(("set", "difference in points, 95 %", "loss"), rows, shares=(40, 35, 25), words=frozenset({0, 2}))
    return Section("worse", "What got worse", words, table=listed if rows else None)


def worse(told: Told) -> list[Compared]:
    """Sets in which the build lies below the base, largest loss first."""
    below = [one for one in told.evidence.against_base.values() if one.right.items and one.right.difference.value < 0]
    return sorted(below, key=lambda one: one.right.difference.value)


def _form(told: Told) -> Section | None:
    formed = {name: one.formed for name, one in told.evidence.against_base.items() if one.formed and one.formed.items}
    if not formed:
        return None
    sets = told.evidence.against_base
    rows = [
        (name, f"{formed[name].items:,}", *(shown for pair in (formed[name], sets[name].right, sets[name].overlap)
                                            for shown in _both(pair)))
        for name in formed
    ]  # fmt: skip
    kinds = ("formed", "right", "overlap")
    head = ("set", "answers", *(f"{what}, {who}" for what in kinds for who in ("build", "base")))
    words = (
        "Apart, because a model that learns the form alone looks better than it is.",
        "Right has enough of the wanted words, each number with its unit and nothing that no passage states.",
        "Overlap is that of the words with the wanted ones (F1).",
    )
    shares = (20, 11, 12, 12, 11, 11, 12, 11)
    return Section("form", "Form and correctness", words, table=table(head, rows, shares=shares))


def _both(pair: Paired | None) -> tuple[str, str]:
    return (f"{pair.one:.1%}", f"{pair.other:.1%}") if pair else ("–", "–")


def _calibration(told: Told) -> Section | None:
    build = told.evidence.build
    after = list(confidences(build, build.evaluation.temperature))
    if not after:
        return None
    check = told.result.check(6)
    before = list(confidences(build, 1.0))
    names = {
        "ece": "error with the temperature", "ece_raw": "error without", "aurc": "risk by confidence",
        "aurc_base": "the same of the base", "accuracy_at_80": "right among the surest 80 %",
        "temperature": "temperature",
    }  # fmt: skip
    rows = [(words, f"{check.figures[name]:.4f}") for name, words in names.items() if name in check.figures]
    words = (
        f"Letters of {len(after):,} public questions in 15 classes of confidence. The temperature is fitted on a fifth "
        "of them, and the errors are measured on the others."
    )
    listed = table(("figure", "value"), rows, shares=(60, 40)) if rows else None
    return Section("calibration", "Calibration", (words,), pictures.calibration(before, after), listed)


def _behaviour(told: Told) -> Section | None:
    evidence = told.evidence
    rows: list[pictures.Limit] = []
    cells: list[tuple[Cell, ...]] = []
    for rate in rates(told.config):
        ours, theirs = rate.of(evidence.build), rate.of(evidence.base) if evidence.base else None
        if ours is None:
            cells.append((rate.words, rate.threshold, None, None, "not asked"))
            continue
        mark = pictures.Mark(ours.value, ours.low, ours.high)
        base = pictures.Mark(theirs.value, theirs.low, theirs.high) if theirs else None
        rows.append(pictures.Limit(rate.words, mark, rate.line, not rate.least, base))
        line = f"{'≥' if rate.least else '≤'} {rate.line:.0%}"
        verdict = "within" if rate.holds(ours.value) else "beyond"
        cells.append((rate.words, line, f"{ours.value:.1%}", f"{theirs.value:.1%}" if theirs else None, verdict))
    listed = table(("what", "line", "build", "base", "verdict"), cells, shares=(40, 15, 15, 15, 15),
                   words=frozenset({0, 4}))  # fmt: skip
    words = ("Answers where nothing answers, refusals where something does, and requests that must be refused.",)
    return Section("behaviour", "Abstention and safety", words, pictures.behaviour(rows) if rows else None, listed)


def _quantisations(told: Told) -> Section:
    files: Mapping[str, Mapping[str, Any]] = told.evidence.exported["files"]
    measured = {kind: one for kind, one in files.items() if one.get("kl_mean") is not None}
    bars = [(kind, one["kl_mean"], one.get("kl_p99") or 0.0, one["size_bytes"]) for kind, one in measured.items()]
    head = ("file", "size", "ids equal", "KL mean", "KL p99", "first choice", "loss above", "letters", "perplexity")
    rows = [
        (kind, _size(one["size_bytes"]), _as(one, "token_ids_equal", "{:.2%}"), _as(one, "kl_mean", "{:.2g}"),
         _as(one, "kl_p99", "{:.2g}"), _as(one, "top1", "{:.1%}"), _as(one, "task_loss", "{:+.4f}"),
         _as(one, "letters_agree", "{:.1%}"), _as(one, "perplexity", "{:.3f}"))
        for kind, one in files.items()
    ]  # fmt: skip
    kept = told.evidence.exported.get("kept", "")
    merged = _by_name(told.evidence.exported.get("losses", {}))
    shipped = _by_name(told.evidence.exported.get("shipped_losses", {}))
    against = (
        f"Against the trained model, on validation; shipped is {told.evidence.shipped}. Divergence and loss decide; "
        "perplexity may fall by luck and is told only."
    )
    decided = f", as {told.evidence.shipped}, which decides: {shipped}" if shipped else ""
    words = [against, *([f"Kept is the {kept} merge; validation losses: {merged}{decided}."] if merged else [])]
    return Section("files", "Files and what quantising cost", tuple(words),
                   pictures.quantisations(bars) if bars else None,
                   table(head, rows, shares=(11, 12, 11, 10, 10, 13, 12, 10, 12)))  # fmt: skip


def _by_name(losses: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {loss:.4f}" for name, loss in losses.items())


def _as(one: Mapping[str, Any], name: str, form: str) -> str | None:
    return form.format(one[name]) if one.get(name) is not None else None


def _speed(told: Told) -> Section:
    gate, speed = told.config.gate, told.evidence.build.evaluation.speed
    base = told.evidence.base.evaluation.speed if told.evidence.base else {}
    lines = (
        ("first_token_s", "seconds to the first token", f"≤ {gate.first_token_s:g}", "{:.2f}"),
        ("tokens_per_s", "tokens a second", f"≥ {gate.tokens_per_s:g}", "{:.1f}"),
        ("memory_gb", "memory, GB", f"≤ {gate.memory_gb:g}", "{:.2f}"),
    )
    rows = [(words, line, _as(speed, name, form), _as(base, name, form)) for name, words, line, form in lines]
    words = ("On fixed prompts, on the machine that asked; another machine gives other figures.",)
    return Section("speed", "Speed and memory", words, table=table(
        ("figure", "budget", "build", "base"), rows, shares=(40, 20, 20, 20)
    ))  # fmt: skip


def _made(told: Told) -> Section:
    rows = [(name, value) for name, value in made_of(told) if value]
    return Section("made", "What it was made of", table=table(("what", "value"), rows, shares=(26, 74),
                                                             words=frozenset({0, 1})))  # fmt: skip


def made_of(told: Told) -> Iterator[tuple[str, str]]:
    """Base, data, recipe and run, as names and values."""
    recipe, result, facts = told.config.finetune, told.run.get("result") or {}, told.run.get("facts", {})
    yield "base", f"{told.base['name']}, {told.base['revision'] or 'no revision'}, {told.base['licence']}"
    yield "dataset", _counted(told.dataset)
    yield "may be sold", "yes" if told.result.commercial else told.result.stamp
    adapters = f"LoRA on all linear layers over {recipe.precision.upper()} weights, rank {recipe.rank}"
    rate = (
        f"dropout {recipe.dropout:g}, {recipe.compute} arithmetic, learning rate {recipe.learning_rate:g} with cosine"
    )
    yield "recipe", f"{adapters}, alpha {recipe.alpha}, {rate}"
    yield "planned", _figures(facts.get("planned", {}))
    yield "run", _figures(result)
    yield "seeds", _figures(facts.get("seeds", {}))
    yield "programs", _figures(_last_session(told).get("packages", {}))
    yield "asked by", _figures(told.evidence.build.evaluation.made_by)


def _last_session(told: Told) -> Mapping[str, Any]:
    """On what the run was begun or gone on with last."""
    sessions: list[Mapping[str, Any]] = told.run.get("sessions", [])
    return sessions[-1] if sessions else {}


def _counted(dataset: Mapping[str, Any]) -> str:
    examples = dataset.get("examples")
    return f"{examples:,} examples" if isinstance(examples, int) else ""


def _figures(fields: Mapping[str, Any]) -> str:
    """Plain values by name; nested ones stay in the files."""
    plain = {name: value for name, value in fields.items() if isinstance(value, str | int | float)}
    return ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in plain.items())


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.6g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _digests(told: Told) -> Section:
    rows = [(name, digest) for name, digest in digests(told) if digest]
    words = ("Waivers and reviews name the evaluation, or all that was looked at, and hold for nothing else.",)
    return Section("digests", "Digests", words, table=table(("of", "SHA-256"), rows, shares=(30, 70),
                                                           words=frozenset({0, 1})))  # fmt: skip


def digests(told: Told) -> Iterator[tuple[str, str]]:
    """Digests of what was made and looked at."""
    result = told.result
    yield f"file, {result.quantisation}", result.file_sha256
    yield "evaluation of the build", result.evaluation_sha256
    yield "all that was looked at", result.evidence_sha256
    yield "base", told.base["sha256"]
    yield "dataset's manifest", str(told.dataset.get("sha256", ""))
    yield "training run", str(told.run.get("run", ""))


def _mark(score: Score) -> pictures.Mark:
    return pictures.Mark(score.value, score.low, score.high)


def _base_mark(evidence: Evidence, name: str) -> pictures.Mark | None:
    other: Asked | None = evidence.base
    score = other.evaluation.score(name) if other else None
    return _mark(score) if score else None


def _size(size_bytes: float) -> str:
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"  # noqa: PLR2004 - units


_PARTS: tuple[Callable[[Told], Section | None], ...] = (
    _gate, _waivers, _scores, _worse, _form, _calibration, _behaviour, _quantisations, _speed, _made, _digests,
)  # fmt: skip
