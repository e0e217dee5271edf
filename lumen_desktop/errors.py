"""Every way in which Lumen refuses, as one tree.

A refusal is one sentence that a user understands, a code that support can look up,
and a hint that says what to do next. Anything that is not a LumenError is a bug.
The command line and the window each have one presenter for these; nothing else
catches them but to translate or to clean up.

Codes are never reused::

    LumenError
    ├── InputError       what the user gave cannot be used (question, file, option)
    ├── AccessError      the person or passphrase is not allowed to
    ├── BundleError      a sealed file is not what its publishers made, or may not be used here
    ├── EngineError      a model file or a child process failed
    ├── StorageError     the data folder or database cannot be used
    │   └── IntegrityError   something stored is not what was written: fails closed
    └── Stopped          the user stopped the work; nothing is wrong
"""


class LumenError(Exception):
    """A refusal: one sentence, a code such as ``LIB-003`` and a hint.

    Args:
        message: the sentence, ending with a full stop; it never quotes document text or questions.
        code: three capitals, a dash, three digits.
        hint: what the user can do, one sentence.
    """

    def __init__(self, message: str, *, code: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint


class InputError(LumenError):
    """What the user gave cannot be used as it is."""


class AccessError(LumenError):
    """The person, or the passphrase, is not allowed to do this."""


class BundleError(LumenError):
    """A bundle or a root file is not what its publishers sealed, or may not be used here and now."""


class EngineError(LumenError):
    """A model file or a child process failed."""


class StorageError(LumenError):
    """The data folder or the database in it cannot be used."""


class IntegrityError(StorageError):
    """Something stored differs from what was written; nothing more is done with it."""


class Stopped(LumenError):  # noqa: N818 - not a fault: the user asked for it
    """The user stopped the work."""

    def __init__(self) -> None:
        super().__init__("Stopped.", code="RUN-001", hint="Ask or start again when you like.")
