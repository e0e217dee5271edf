"""The checks that look at answers: public sets, own questions, calibration, abstention, inventions, safety, form."""

import math
from collections.abc import Iterator, Sequence

from trainer.compare import Compared
from trainer.config import Config
from trainer.evaluation import scoring
from trainer.evaluation.results import Item
from trainer.evaluation.statistics import Interval, softmax, wilson
from trainer.gating import roles
from trainer.gating.evidence import Asked
from trainer.gating.finding import POINTS, Case, Finding, Rate, rated, sentence, signed


def general(case: Case) -> Finding:
    """Check 3: what the public sets lost against the base, item by item."""
    lines, against = case.config.gate, case.evidence.against_base
    threshold = f"no sure loss over {lines.general_macro:g} points in all, {lines.general_single:g} in one set"
    found = [against[score.set] for score in case.evidence.build.scores(roles.GENERAL) if score.set in against]
    items = sum(one.right.items for one in found)
    if items < lines.general_items:
        few = f"Both models were asked {items} questions of public sets; fewer than {lines.general_items} cannot tell."
        return Finding("", threshold, None, few, {"items": items})
    macro = _macro(found)
    figures = {"macro": macro.value * POINTS, "items": items}
    figures |= {one.set: one.right.difference.value * POINTS for one in found}
    why = ["the sets together lost more than they may"] if _lost(macro, lines.general_macro) else []
    why += [f"{one.set} lost surely" for one in found if _lost(one.right.difference, lines.general_single)]
    value = f"{signed(macro)} points, mean of {len(found)} sets"
    return Finding(value, threshold, not why, sentence("; ".join(why) or "no loss that is more than chance"), figures)


def _macro(sets: Sequence[Compared]) -> Interval:
    """The mean of the sets' differences; its interval from theirs, which are of different questions."""
    value = math.fsum(one.right.difference.value for one in sets) / len(sets)
    widths = (one.right.difference.high - one.right.difference.low for one in sets)
    half = math.sqrt(math.fsum((width / 2) ** 2 for width in widths)) / len(sets)
    return Interval(value, value - half, value + half)


def _lost(difference: Interval, points: float) -> bool:
    """Whether a loss is larger than it may be, and no chance."""
    return difference.value * POINTS < -points and difference.high < 0


def domain(case: Case) -> Finding:
    """Check 4: own questions on unseen medicines, better than the base that was shown worked examples."""
    lines, against, prior = case.config.gate, case.evidence.against_base, case.evidence.against_prior
    threshold = f"each set better than the base, p < {lines.domain_p:g}; none surely below the build before"
    found = [against[score.set] for score in case.evidence.build.scores(roles.DOMAIN) if score.set in against]
    if "label" not in {one.set for one in found}:
        return Finding("", threshold, None, "Not asked of both models: labels of unseen medicines.")
    poor = [one.set for one in found if not _better(one, lines.domain_p)]
    below = [one.set for one in found if one.set in prior and prior[one.set].right.difference.high < 0]
    figures = {one.set: one.right.difference.value * POINTS for one in found}
    figures |= {f"p {one.set}": one.right.p for one in found if one.right.p is not None}
    why = [f"not shown to be better: {', '.join(poor)}"] if poor else []
    why += [f"below the build before: {', '.join(below)}"] if below else []
    why += [] if case.evidence.prior else ["no build before was named"]
    value = ", ".join(f"{one.set} {signed(one.right.difference)}" for one in found)
    return Finding(value, threshold, not poor and not below, sentence("; ".join(why) or "better in each"), figures)


def _better(one: Compared, line: float) -> bool:
    right = one.right
    sure = right.p < line if right.p is not None else right.difference.low > 0
    return right.difference.value > 0 and sure


def interactions(case: Case) -> Finding:
    """Check 5: the interactions that ONC lists as of high priority."""
    threshold = "recall not below the build before"
    score = next(iter(case.evidence.build.scores(roles.LISTED_INTERACTIONS)), None)
    if score is None:
        return Finding("", threshold, None, "The list of high-priority interactions was not asked.")
    before = case.evidence.prior.evaluation.score(score.set) if case.evidence.prior else None
    if before is None:
        return Finding(f"{score.value:.1%}", threshold, None, "There is no build before to hold it against.")
    good = score.value >= before.value
    return Finding(f"{score.value:.1%}", threshold, good, f"The build before reached {before.value:.1%}.")


def calibration(case: Case) -> Finding:
    """Check 6: whether confidence in letters is what it says, and tells right from wrong."""
    line, base = case.config.gate.ece, case.evidence.base
    threshold = f"error ≤ {line:g}; risk by confidence not above the base's"
    letters = _letters(case.evidence.build)
    heat, found = scoring.calibration(letters)
    if found is None:
        return Finding("", threshold, None, f"{len(letters)} questions with letters are too few to fit a temperature.")
    figures = dict(found.facts) | {"temperature": heat}
    value = f"error {figures['ece']:.3f}; {figures['accuracy_at_80']:.1%} right among the surest 80 %"
    _, theirs = scoring.calibration(_letters(base)) if base else (1.0, None)
    if theirs is None:
        return Finding(value, threshold, None, "The base was not asked, so its risk is not known.", figures)
    figures["aurc_base"] = theirs.facts["aurc"]
    why = [] if figures["ece"] <= line else ["confidence is not what it says"]
    if figures["aurc"] > figures["aurc_base"] + _chance(letters):
        why.append("confidence tells right from wrong less well than the base's")
    return Finding(value, threshold, not why, sentence("; ".join(why) or "confidence is what it says"), figures)


def _chance(letters: Sequence[Item]) -> float:
    """By how much the risk of so many answers differs by chance: half the interval of the share that is right."""
    found = wilson(sum(bool(item.right) for item in letters), len(letters))
    return (found.high - found.low) / 2


def _letters(asked: Asked) -> list[Item]:
    """Public questions that were answered by letters."""
    return [item for score in asked.scores(roles.GENERAL) for item in asked.items(score.set) if item.logits]


def confidences(asked: Asked, temperature: float) -> Iterator[tuple[float, bool]]:
    """Confidence with a temperature, and whether it was right, of each public question with letters."""
    for item in _letters(asked):
        yield float(softmax(item.logits, temperature=temperature).max()), bool(item.right)


def abstention(case: Case) -> Finding:
    """Check 7: answers where the passages have none, and none where they answer."""
    return rated(rates(case.config)[:2], case.evidence.build)


def hallucination(case: Case) -> Finding:
    """Check 8: medicines that do not exist, and Med-HALT's senseless questions and wrong proposals."""
    found, against = rated(rates(case.config)[2:3], case.evidence.build), case.evidence.against_base
    ways = [name for name in roles.FALSE_WAYS if name in against]
    absent = [name for name in roles.FALSE_WAYS if name not in against]
    worse = [name for name in ways if against[name].right.difference.high < 0]
    why = found.why + (f" Worse than the base: {', '.join(worse)}." if worse else "")
    why += f" Not asked of both models: {', '.join(absent)}." if absent else ""
    figures = found.figures | {name: against[name].right.difference.value * POINTS for name in ways}
    good = False if worse or found.good is False else None if absent else found.good
    return Finding(found.value, f"{found.threshold}; Med-HALT not surely below the base", good, why, figures)


def safety(case: Case) -> Finding:
    """Check 9: harmful requests refused, and what only sounds harmful answered."""
    found, against = rated(rates(case.config)[3:], case.evidence.build), case.evidence.against_base.get("medsafety")
    below = against is not None and against.right.difference.high < 0
    why = found.why + (" It refuses less than the base." if below else "")
    good = False if below else found.good
    return Finding(found.value, f"{found.threshold}; not surely below the base", good, why, found.figures)


def rates(config: Config) -> tuple[Rate, ...]:
    """The shares of checks 7 to 9."""
    gate = config.gate
    return (
        Rate("false answers", ("unanswerable",), gate.false_answers),
        Rate("false refusals", ("answerable",), gate.false_refusals),
        Rate("invented medicines answered", roles.INVENTED, gate.invented_answered),
        Rate("MedSafetyBench refused", ("medsafety",), gate.harmful_refused, least=True),
        Rate("own harmful requests refused", ("harmful",), gate.harmful_refused, least=True),
        Rate("look-alikes refused", roles.BENIGN, gate.benign_refused),
    )


def form(case: Case) -> Finding:
    """Check 10: answers in the form asked for, against the base's."""
    line = case.config.gate.form
    threshold = f"≥ {line:.0%} of the base's share"
    formed = [one.formed for one in case.evidence.against_base.values() if one.formed and one.formed.items]
    items = sum(one.items for one in formed)
    if not items:
        return Finding("", threshold, None, "No form was asked for of both models.")
    ours, theirs = (math.fsum(getattr(one, who) * one.items for one in formed) / items for who in ("one", "other"))
    value = f"{ours:.1%} well formed, the base {theirs:.1%}"
    why = f"Of {items} answers to own questions, whatever they say."
    return Finding(value, threshold, ours >= line * theirs, why, {"build": ours, "base": theirs, "items": items})
