"""`lumen key`: a new database key and a new recovery code, at the hands of an admin."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lumen_desktop.errors import AccessError
from lumen_desktop.storage.keys import RECOVERY, KeyFile
from tests.cli.conftest import QUESTION, Here, Result, document, refusal
from tests.conftest import HOLDER, PASSWORD

Own = Callable[..., Result]
WHY = ("--reason", "an admin left the company")


def test_a_site_goes_on_under_a_new_key(own: Own, site_folder: Path, cheap_keys: None) -> None:
    before = document(own("library", "list", "--json"))
    old = KeyFile.read(site_folder / "site.key").open(HOLDER.user, PASSWORD).key
    done = own("key", "rotate", *WHY, apart=True)
    assert done.returncode == 0, done.stderr
    assert "new key" in done.stdout
    assert done.stderr.splitlines()[-1] == "verifying 100 %"
    assert KeyFile.read(site_folder / "site.key").open(HOLDER.user, PASSWORD).key != old
    assert sorted(path.name for path in site_folder.glob("lumen*.db*")) == ["lumen-2.db"]
    assert document(own("library", "list", "--json")) == before
    assert document(own("library", "search", "depth of a recall", "--json"))
    assert document(own("ask", QUESTION, "--json"))["status"]
    assert document(own("audit", "verify", "--json"))["whole"] is True
    events = document(own("audit", "list", "-n", "20", "--json"))
    (event,) = [event for event in events if event["act"] == "rotated"]
    assert (event["actor"], event["role"], event["reason"]) == (HOLDER.user, "admin", WHY[1])
    assert "signed out" in [it["act"] for it in events if it["seq"] > event["seq"]]


def test_people_who_come_after_a_new_key_get_in(own: Own, here: Here, site_folder: Path) -> None:
    assert own("key", "rotate", *WHY).returncode == 0
    added = own("user", "add", "anna", "--printed-name", "Anna Bee", "--role", "clinician", "--json")
    first = document(added)["first_password"]
    assert own("key", "rotate", *WHY).returncode == 0
    assert refusal(here("library", "list", data=site_folder, user="anna", password=first)) == "ACC-003"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["key", "rotate"], "CLI-001"),
        (["key", "rotate", "--reason", ""], "AUD-010"),
        (["key", "rotate", "--reason", "update"], "AUD-011"),
        (["key", "turn"], "CLI-001"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_without_a_reason_nothing_is_rotated(own: Own, site_folder: Path, arguments: list[str], code: str) -> None:
    before = (site_folder / "site.key").read_bytes()
    assert refusal(own(*arguments)) == code
    assert (site_folder / "site.key").read_bytes() == before


def test_a_new_recovery_code_voids_the_one_before(
    own: Own, site_folder: Path, tmp_path: Path, cheap_keys: None
) -> None:
    first = own("key", "recovery-code").stdout.split("shown once: ")[1].split("\n")[0]
    file = tmp_path / "code.txt"
    second = own("key", "recovery-code", "--file", file)
    assert second.stdout == ""
    assert str(file) in second.stderr
    code = file.read_text(encoding="utf-8").strip()
    assert KeyFile.read(site_folder / "site.key").open(RECOVERY, code)
    with pytest.raises(AccessError):
        KeyFile.read(site_folder / "site.key").open(RECOVERY, first)
