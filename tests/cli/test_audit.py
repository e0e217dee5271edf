"""`lumen audit`: the same trail from a terminal, of a site and of a copy that cannot be written."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from lumen_desktop.storage import anchors
from tests.cli.conftest import Result, document, refusal, run_rehearsed
from tests.conftest import AS_HOLDER, MOUNT

Own = Callable[..., Result]


def test_events_are_filtered_sorted_and_paged(own: Own) -> None:
    everything = document(own("audit", "list", "-n", "999", "--json"))
    assert [event["seq"] for event in everything] == list(range(1, len(everything) + 1))
    documents = document(own("audit", "list", "--entity", "source_document", "--act", "added", "--json"))
    assert documents == [e for e in everything if (e["entity"], e["act"]) == ("source_document", "added")]
    assert len(documents) == 3
    (second,) = document(own("audit", "list", "--entity", "source_document", "--offset", 1, "-n", 1, "--json"))
    assert second == documents[1]
    turned = document(own("audit", "list", "--sort", "time", "--newest-first", "--json"))
    assert [event["seq"] for event in turned] == list(range(turned[0]["seq"], 0, -1))
    assert turned[0]["act"] == "signed in"  # each command is a period of its own
    (one,) = document(own("audit", "list", "--words", "ZELBORAMAX.MD", "--json"))
    assert one["after"]["name"] == "zelboramax.md"
    assert document(own("audit", "list", "--until", "2026-11-22", "--json")) == []
    assert document(own("audit", "list", "--since", "2026-11-22T09:30", "--json"))[: len(everything)] == everything
    assert refusal(own("audit", "list", "--since", "yesterday")) == "AUD-017"
    assert refusal(own("audit", "list", "--sort", "colour")) == "CLI-001"


def test_an_event_is_shown_with_what_it_changed(own: Own) -> None:
    (event,) = document(own("audit", "list", "--words", "zelboramax.md", "--json"))
    told = document(own("audit", "show", event["seq"], "--json"))
    assert {"field": "name", "change": "added", "before": None, "after": "zelboramax.md"} in told.pop("differences")
    before = document(own("audit", "show", event["seq"] - 1, "--json"))
    assert told.pop("previous") == before["hash"]
    assert told == event
    words = own("audit", "show", event["seq"]).stdout
    assert words.startswith(f"Event {event['seq']}: added source_document {event['entity_id']}\n")
    assert "\n  added name: nothing -> zelboramax.md\n" in words
    assert refusal(own("audit", "show", 999)) == "AUD-005"


def test_verify_tells_the_age_of_the_last_anchor_and_takes_one_kept_elsewhere(
    own: Own, site_folder: Path, tmp_path: Path
) -> None:
    kept = Path(shutil.copy(site_folder / anchors.FILE, tmp_path / "kept.jsonl"))
    assert "Last anchor outside the database: event " in own("audit", "verify", "--anchors", kept).stdout
    (site_folder / anchors.FILE).unlink()
    assert "No anchor lies outside the database yet." in own("audit", "verify").stdout
    verdict = document(own("audit", "verify", "--anchors", kept, "--json"), status=1)
    assert verdict["fault"] == "file short"
    assert verdict["outside"]["age_s"] > 0
    assert refusal(own("audit", "verify", "--anchors", tmp_path / "none")) == "AUD-004"
    kept.write_bytes(kept.read_bytes().replace(b'"n":', b'"n":1'))
    broken = own("audit", "verify", "--anchors", kept)
    assert broken.returncode == 1
    assert broken.stdout.startswith("The audit trail is broken at event 1")
    assert "an anchor vouches for it." in broken.stdout


def test_an_anchors_file_that_was_changed_lets_the_site_be_read_only(own: Own, site_folder: Path) -> None:
    (site_folder / anchors.FILE).write_bytes(b"{}\n")
    assert document(own("audit", "verify", "--json"), status=1)["fault"] == "apart"
    assert refusal(own("library", "remove", 1)) == "AUD-002"
    assert refusal(own("audit", "export", site_folder.parent / "x.csv")) == "AUD-002"
    assert own("library", "list").returncode == 0
    assert (site_folder / anchors.FILE).read_bytes() == b"{}\n"


def test_the_trail_is_exported(own: Own, tmp_path: Path) -> None:
    file = tmp_path / "trail.json"
    done = document(own("audit", "export", file, "--json"))
    assert done["events"] == len(json.loads(file.read_text(encoding="utf-8"))["events"])
    assert refusal(own("audit", "export", file)) == "AUD-014"
    replaced = own("audit", "export", file, "--force", "--format", "csv", "--entity", "source_document")
    assert replaced.stdout.startswith("3 events written to ")
    assert len(file.read_text(encoding="utf-8-sig").splitlines()) == 4
    assert own("audit", "export", tmp_path / "trail.pdf").returncode == 0
    assert (tmp_path / "trail.pdf").read_bytes().startswith(b"%PDF-")
    assert refusal(own("audit", "export", tmp_path / "trail.xls")) == "AUD-015"
    (last,) = document(own("audit", "list", "-n", 1, "--act", "exported", "--json"))
    assert last["entity_id"] == "pdf"


def test_a_clock_that_needs_no_explanation(own: Own) -> None:
    assert refusal(own("audit", "explain-clock", "update")) == "AUD-011"
    assert refusal(own("audit", "explain-clock", "The battery was replaced.")) == "AUD-013"


def verified(folder: Path) -> Result:
    return run_rehearsed("audit", "verify", "--json", data=folder, env=AS_HOLDER)


def test_a_copy_that_cannot_be_written_is_verified(read_only_disk: Path) -> None:
    assert document(verified(read_only_disk))["whole"] is True


def test_a_copy_with_an_unfinished_log_is_refused_rather_than_read_without_it(read_only_disk: Path) -> None:
    """The log may hold the newest events; without a place for the log's index SQLite cannot read it."""
    for mode in ("rw", "ro"):
        subprocess.run([MOUNT, "-o", f"remount,{mode}", str(read_only_disk)], check=True)
        if mode == "rw":
            (read_only_disk / "lumen.db-wal").write_bytes(bytes(100))
    assert refusal(verified(read_only_disk)) == "STO-001"
