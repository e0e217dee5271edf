"""`lumen-trainer collect`: reads the downloaded files of every source into records with their origin and licence."""

from pathlib import Path
from typing import Annotated

import typer

from trainer import progress
from trainer.cli import output
from trainer.cli.validate import as_values, checked
from trainer.collect import Shard, Stop, Summary, collect, shard
from trainer.config import load


def command(  # noqa: PLR0917 - typer: one parameter an option
    config: Annotated[Path, typer.Option("--config", help="The configuration, a YAML file.", metavar="FILE")],
    part: Annotated[
        str, typer.Option("--shard", help="Read only the second of four shares; then run once without.", metavar="2/4")
    ] = "",
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, max=256, help="How many files are read at once.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Read everything anew.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be read, and read nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Read the sources' files; what was read before is not read again."""
    loaded = load(config)
    only = shard(part) if part else None
    choices, files = checked(loaded)
    if dry_run:
        values = as_values(choices, files)
        if as_json:
            output.result({"work": str(loaded.work_folder), "sources": values, "files": [file.name for file in files]})
            return
        for value in values:
            words = f"{value['name']:<12} {value['files']:>6} files  {output.size(value['size_bytes']):>10}"
            output.text(f"{words}  {value['licence'] or 'licence in each file'}  {value['terms']}".rstrip())
        output.text(f"Nothing was read. Records would go to {loaded.work_folder / 'collected'}.")
        return
    stop = Stop()
    with output.interrupts(stop.ask), progress.reading("collect") as report:
        done = collect(loaded, only=only, fresh=fresh, processes=processes, stop=stop, progress=report)
    if as_json:
        output.result(done.as_json())
    else:
        output.text(_words(done, only))


def _words(done: Summary, only: Shard | None) -> str:
    rate = f", {output.size(round(done.size_bytes / done.seconds))}/s" if done.read and done.seconds else ""
    read = f"{done.read} of {done.units} units read ({output.size(done.size_bytes)}{rate}), the others before."
    if only:
        return f"Shard {only.number} of {only.of}: {read} When all shards are done, run collect without --shard."
    lines = []
    for name, tally in done.sources.items():
        lines.append(f"{name:<12} {tally.documents:>9,} documents {tally.records:>10,} records")
        lines += [f"  {count:>9,} rejected: {reason}" for reason, count in sorted(tally.rejects.items())]
    return "\n".join([*lines, read])
