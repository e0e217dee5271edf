"""The documents of a file that holds many, as the reader's process names them, checked in the parent."""

from dataclasses import dataclass, field

from lumen_desktop.children import Message
from lumen_desktop.domain.names import shown
from lumen_desktop.retrieval.readers.untrusted import BrokenRuleError, text

MOST_PARTS = 200_000
MOST_CHARACTERS = 400 * 1024 * 1024  # of all parts together
_LONGEST_NAME = 200
_LONGEST_FAULT = 500


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a file that holds many.

    Attributes:
        name: the publisher's identity of it, such as a set id.
        text: the form in which it is kept (`formats.kept`); empty where it cannot be used.
        fault: why not, one sentence.
    """

    name: str
    text: str
    fault: str = ""


@dataclass(slots=True)
class PartsAnswer:
    """Gathers and checks what the child says of a file."""

    pieces: list[str] = field(default_factory=list)
    parts: int = 0
    characters: int = 0

    def take(self, untrusted_event: Message) -> Part | None:
        """One event of the child's answer; the part that it ends, if it ends one.

        Raises:
            BrokenRuleError: a value out of its bounds.
        """
        kind = untrusted_event.get("event")
        if kind == "content":
            self.pieces.append(text(untrusted_event.get("text"), MOST_CHARACTERS - self.characters))
            self.characters += len(self.pieces[-1])
        elif kind == "part":
            return self._part(untrusted_event)
        elif kind != "done":
            raise BrokenRuleError("event")
        return None

    def _part(self, untrusted_event: Message) -> Part:
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise BrokenRuleError("parts")
        whole, self.pieces = "".join(self.pieces), []
        fault = shown(text(untrusted_event.get("fault"), _LONGEST_FAULT))
        if bool(whole) == bool(fault):  # a document, or the reason why there is none
            raise BrokenRuleError("part")
        return Part(shown(text(untrusted_event.get("name"), _LONGEST_NAME)), whole, fault)
