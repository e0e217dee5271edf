"""The .lumenbuild file: one model build with its papers, sealed by its publishers; shared with the trainer.

`manifest` says what a build says of itself, `container` lays it out in one file, `seals` and `roots` say whose word
counts, `gguf_check` looks at the model file before any native code does, `verifying` asks them all.

======= ==============================================================================
code    meaning
======= ==============================================================================
BUN-001 not a bundle
BUN-002 cut short
BUN-003 changed: the sentence names the head, the manifest, a seal, the length or the part
BUN-004 a field of the manifest breaks its rule, or is not true of the parts
BUN-005 too few seals
BUN-006 too few seals, and one by a key that the root file does not name
BUN-007 expired
BUN-008 the app is too old for it
BUN-009 older than a build that was in use here
BUN-010 the root file cannot be trusted
BUN-011 the root file has expired
BUN-012 a new root file that may not take the old one's place
BUN-013 no part of that name
BUN-014 the model file breaks a rule of its form
BUN-015 a file cannot be read or written
BUN-016 something is there already, and nothing is overwritten
BUN-017 a form newer than this Lumen
BUN-018 a key that has sealed it already, or no room for another
======= ==============================================================================
"""

from lumen_desktop.bundle.container import SUFFIX, BuildBundle, extract, open_part, read_manifest, write
from lumen_desktop.bundle.gguf_check import GgufFacts
from lumen_desktop.bundle.gguf_check import check_file as check_gguf
from lumen_desktop.bundle.manifest import GOLDEN, MODEL, TEMPLATE, BuildManifest, Part, Waiver
from lumen_desktop.bundle.roots import DEFAULT_THRESHOLD, Root, TrustedKey, read_root, read_unchecked_root
from lumen_desktop.bundle.seals import Signer, is_signed, seal, seals_of
from lumen_desktop.bundle.verifying import Verified, verify

__all__ = [
    "DEFAULT_THRESHOLD",
    "GOLDEN",
    "MODEL",
    "SUFFIX",
    "TEMPLATE",
    "BuildBundle",
    "BuildManifest",
    "GgufFacts",
    "Part",
    "Root",
    "Signer",
    "TrustedKey",
    "Verified",
    "Waiver",
    "check_gguf",
    "extract",
    "is_signed",
    "open_part",
    "read_manifest",
    "read_root",
    "read_unchecked_root",
    "seal",
    "seals_of",
    "verify",
    "write",
]
