"""Adding documents can be stopped at any point, and the same call goes on where it was."""

from pathlib import Path

from lumen_desktop import app
from lumen_desktop.services.incoming import AddProgress, AddReport
from tests.conftest import added
from tests.services.test_library import whole, written


def test_a_stop_keeps_what_was_added_and_the_same_call_adds_the_rest(site: app.Site, tmp_path: Path) -> None:
    for number in range(4):
        sections = "".join(f"## Part {n}\n\n{'Words of the part number. ' * 12}\n\n" for n in range(4))
        written(tmp_path / "d" / f"{number}.md", f"# Number {number}\n\n{sections}")
    for event in site.library.add([tmp_path / "d"], collection="Slow"):
        if isinstance(event, AddProgress) and (event.file, event.stage, event.done) == (2, "embedding", 1):
            site.library.stop()
        if isinstance(event, AddReport):
            report = event
    assert (report.stopped, report.added) == (True, 1)
    assert whole(site)
    again = added(site.library, tmp_path / "d", collection="Slow")
    assert (again.added, again.unchanged, again.stopped) == (3, 1, False)


def test_a_stop_reaches_a_file_while_it_is_cut_into_passages(site: app.Site, tmp_path: Path) -> None:
    file = written(tmp_path / "long.txt", "The balance is checked every day. \n" * 5_000)
    stages = []
    for event in site.library.add([file], collection="Cut"):
        if isinstance(event, AddProgress):
            stages.append(event.stage)
            if event.stage == "cutting":
                site.library.stop()
        else:
            report = event
    assert (report.stopped, report.added) == (True, 0)
    assert stages[-1] == "cutting"
