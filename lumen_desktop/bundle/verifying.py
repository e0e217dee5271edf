"""Whether a bundle may be used: by whom it was sealed, whether each byte is still theirs, and whether here and now.

Reads the file once from its beginning to its end, in pieces. Called before a model is imported, by the app and by
``lumen-trainer verify``; knows no setting and no clock.
"""

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from lumen_desktop.bundle import gguf_check
from lumen_desktop.bundle.container import BuildBundle
from lumen_desktop.bundle.manifest import MODEL, BuildManifest, outside
from lumen_desktop.bundle.roots import Root
from lumen_desktop.bundle.seals import Seal, seals_of
from lumen_desktop.errors import BundleError

_RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle that may be used.

    Attributes:
        manifest: its facts; hand it to `extract`, so that nobody swaps the file meanwhile.
        sha256: digest of the manifest's bytes, which names the build.
        sealed_by: the publishers who sealed it.
        others: keys, lower-case hexadecimal, that sealed it too and that the root does not name: they do not count.
    """

    manifest: BuildManifest
    sha256: str
    sealed_by: tuple[str, ...]
    others: tuple[str, ...] = ()


def verify(path: Path, root: Root, *, today: dt.date, app_version: str, last_build: int | None = None) -> Verified:
    """Checks everything that can be checked without running the model.

    Args:
        path: the bundle.
        root: whose seals count.
        today: the day.
        app_version: of this Lumen, as ``1.2.3``.
        last_build: number of the newest build of that name that was ever accepted here; the caller keeps it.

    Raises:
        BundleError: see the table of the package.
    """
    root.check()
    _refuse_after(root.expires.isoformat(), today, what="root file", code="BUN-011")
    with BuildBundle(path) as bundle:
        manifest = bundle.manifest
        names, others = _signers(seals_of(bundle), root)
        _refuse_after(manifest.expires, today, what="build", code="BUN-007")
        _refuse_unfit(manifest, app_version, last_build)
        for part in manifest.parts:
            bundle.check_part(part)
        check_model(bundle)
        return Verified(manifest, hashlib.sha256(bundle.manifest_bytes).hexdigest(), names, others)


def check_model(bundle: BuildBundle) -> None:
    """Whether the model file keeps to the rules and is what the manifest says of it.

    Raises:
        BundleError: it breaks a rule of its form (BUN-014), or a fact is another (BUN-004).
    """
    manifest, part = bundle.manifest, bundle.manifest.part(MODEL)
    facts = gguf_check.check(bundle.reader(part), part.size_bytes)
    for name in ("architecture", "parameters", "context_tokens", "vocabulary", "tokenizer_sha256"):
        if getattr(facts, name) != getattr(manifest, name):
            raise outside(f"{name}: the model file has another")


def _signers(seals: tuple[Seal, ...], root: Root) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = tuple(name for seal in seals if (name := root.name_of(seal.key)))
    others = tuple(seal.key.hex() for seal in seals if not root.name_of(seal.key))
    if len(names) >= root.threshold:
        return names, others
    if others:
        raise BundleError(
            f"The build is sealed by a key that is not trusted here ({others[0][:16]}…), and by {len(names)} of "
            f"{root.threshold} trusted ones.",
            code="BUN-006",
            hint="Ask the publisher for their new root file, or do not use this build.",
        )
    raise BundleError(
        f"The build has {len(names)} of the {root.threshold} seals that it needs.",
        code="BUN-005",
        hint="Another publisher must seal it first.",
    )


def _refuse_after(expires: str, today: dt.date, *, what: str, code: str) -> None:
    if expires and today > dt.date.fromisoformat(expires):
        raise BundleError(
            f"The {what} was for use until {expires}.", code=code, hint="Ask its publisher for a newer one."
        )


def _refuse_unfit(manifest: BuildManifest, app_version: str, last_build: int | None) -> None:
    if _release(app_version) < _release(manifest.min_app):
        raise BundleError(
            f"The build needs Lumen {manifest.min_app} or newer; this is {app_version}.",
            code="BUN-008",
            hint="Update Lumen first.",
        )
    if last_build is not None and manifest.build < last_build:
        raise BundleError(
            f"The build, number {manifest.build}, is older than number {last_build}, which was in use here.",
            code="BUN-009",
            hint="Older builds are not taken back in; ask the publisher for a new one.",
        )


def _release(version: str) -> tuple[int, ...]:
    found = _RELEASE.match(version)
    if found is None:
        raise ValueError(version)
    return tuple(map(int, found.groups()))
