"""Questions on medicines that do not exist, over passages on medicines that do: no answer is the only right one.

The names are made of syllables as real ones are, always the same, and none is in the app's dictionary. Knows no model;
`trainer.evaluate` calls it.
"""

from collections.abc import Iterator, Sequence

from lumen_desktop.domain.grounding import ABSTENTION
from trainer.dataset.chance import Chance
from trainer.dataset.subject import drugs
from trainer.evaluation.questions import Judge, Open
from trainer.records import Message

_BEGIN = "Bel Cor Dax Fen Gly Hal Ilo Jov Kel Lum Mez Nor Oxa Pra Quin Rov Sel Tab Ulv Vor Xan Yel Zel".split()
_MIDDLE = "a be di fo lo mi na ora pi ru ta ve xi zo".split()
_END = "bital cept dipine fen gliptin lukast mab nib olol oxin pril sartan statin tidine vir zepam".split()
_ASK = (
    "What is the recommended dose of {name} for adults?",
    "Which side effects of {name} are very common?",
    "Which medicines must not be taken together with {name}?",
    "How does {name} work?",
    "How must {name} be stored?",
    "May {name} be taken during pregnancy?",
)
_QUESTION = "\n\nQuestion: "


def names(most: int) -> Iterator[str]:
    """Names that no medicine has, the same ones every time."""
    made: set[str] = set()
    for number in range(20 * most):
        chance = Chance(1, f"invented {number}")
        name = chance.one("begin", _BEGIN) + chance.one("middle", _MIDDLE) + chance.one("end", _END)
        if name not in made and not drugs().find(name):
            made.add(name)
            yield name
        if len(made) == most:
            return


def questions(over: Sequence[Open], most: int) -> list[Open]:
    """A question on each name, over the passages of other questions by turns.

    Args:
        over: questions over passages; without any there is nothing to show.
        most: how many names.
    """
    shown = [one for one in over if _QUESTION in one.user and len(one.messages) > 1]
    if not shown:
        return []
    made = []
    for number, name in enumerate(names(most)):
        under = shown[number % len(shown)]
        question = _ASK[number % len(_ASK)].format(name=name)
        user = under.user.rpartition(_QUESTION)[0] + _QUESTION + question
        made.append(
            Open(
                id=f"invented-{number + 1:03d}", set="invented", judge=Judge.ABSTAINS,
                messages=(*under.messages[:-1], Message("user", user)), wanted=ABSTENTION, shots=under.shots,
                facts={"name": name},
            )
        )  # fmt: skip
    return made
