"""`lumen library`: add, list, search, show, remove, reindex and evaluate."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from lumen_desktop.app import Site
from lumen_desktop.cli import output
from lumen_desktop.domain.names import shown as shown_name
from lumen_desktop.errors import InputError
from lumen_desktop.services.evaluation import EvaluationProgress, evaluate
from lumen_desktop.services.incoming import AddProgress, AddReport
from lumen_desktop.services.sources import png
from lumen_desktop.storage.library import as_json as document_as_json

app = typer.Typer(help="The documents that answers come from.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
_COLLECTION_HELP = "Name of the collection; it is made where there is none."


@app.command()
def add(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="PDF, DOCX, Markdown, text, SPL and others, or folders of them.")],
    collection: Annotated[str, typer.Option("--collection", help=_COLLECTION_HELP)] = "Documents",
    as_json: Json = False,
) -> None:
    """Add documents; those that are there already are left as they are."""
    with output.site(context, writable=True) as site, output.interrupts(site.library.stop):
        site.warm()
        report = followed(site.library.add(paths, collection=collection))
    for failure in report.failed:
        output.line(f"{failure.code}: {failure.message} Hint: {failure.hint}")
    for path, notice in report.notices:
        output.line(f"{path.name}: {notice}")
    if report.stopped:
        output.line("Stopped. What was added stays; the same command adds the rest.")
    if as_json:
        failed = [{"path": str(f.path), "code": f.code, "message": f.message} for f in report.failed]
        output.result(
            {"added": report.added, "unchanged": report.unchanged, "failed": failed, "passages": report.passages}
        )
    else:
        output.text(
            f"Added {report.added}, unchanged {report.unchanged}, failed {len(report.failed)}; "
            f"{report.passages} new passages in “{collection}”."
        )
    if report.failed or report.stopped:
        raise typer.Exit(2)


def followed(events: Iterator[AddProgress | AddReport]) -> AddReport:
    """Shows the progress of adding on standard error: a bar in a terminal, a line a file elsewhere."""
    report = AddReport()
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=None)
        for event in events:
            if isinstance(event, AddReport):
                report = event
                continue
            words = shown_name(f"{event.file}/{event.files} {event.path.name} {event.stage}")
            bar.update(task, description=words, completed=event.done, total=event.total or None)
            if not sys.stderr.isatty() and event.stage in {"stored", "unchanged"}:
                output.line(words)
    return report


@app.command("list")
def list_documents(context: typer.Context, as_json: Json = False) -> None:
    """Show collections and their documents."""
    with output.site(context, writable=False) as site:
        documents = site.library.documents()
    if as_json:
        output.result([document_as_json(document) for document in documents])
        return
    shown = None
    for document in documents:
        if document.collection != shown:
            shown = document.collection
            output.text(f"\n{shown}")
        state = "" if document.currency.value == "in_force" else f" [{document.currency.value}]"
        state += f" [{document.release.words}]" if document.release.words else ""
        output.text(f"{document.id:>6}  {document.title}{state}  ({document.kind.value}, {document.passages} passages)")
        for notice in document.notices:
            output.text(f"        {notice}")
    if not documents:
        output.text("The library is empty. `lumen library add FILE` adds a document.")


@app.command()
def search(
    context: typer.Context,
    words: Annotated[str, typer.Argument(help="What to look for.")],
    most: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 5,
    collection: Annotated[str | None, typer.Option("--collection", help="Search only this collection.")] = None,
    as_json: Json = False,
) -> None:
    """Show the passages that a question would be answered from."""
    with output.site(context, writable=False) as site:
        site.warm()
        hits, found = site.library.search(words, collection=collection, most=most)
    if as_json:
        output.result(
            [
                {
                    "passage_id": hit.passage.id,
                    "document": hit.passage.document,
                    "page": hit.passage.page_of(0),
                    "section": hit.passage.section,
                    "text": hit.passage.text,
                    "score": round(hit.score, 6),
                    "text_rank": hit.text_rank,
                    "vector_rank": hit.vector_rank,
                    "attribution": hit.passage.attribution,
                }
                for hit in hits
            ]
        )
        return
    for hit in hits:
        page = hit.passage.page_of(0)
        where = f", page {page}" if page else ""
        output.text(f"\n{hit.passage.id}  {hit.score:.3f}  {hit.passage.header}{where}\n    {hit.passage.attribution}")
        output.text(f"    {hit.passage.text}")
    output.text(
        f"\n{found.passages} passages of {found.documents} documents searched in {found.seconds * 1000:.0f} ms."
    )


@app.command()
def show(
    context: typer.Context,
    passage: Annotated[int, typer.Argument(help="The passage's number, as `search` and `ask --json` give it.")],
) -> None:
    """Open a source: the passage with its place and whose words it is."""
    with output.site(context, writable=False) as site:
        found = site.library.passage(passage)
    output.text(f"{found.header}\n{found.attribution}")
    if found.paged:
        pages = sorted({span.page for span in found.spans})
        output.text(f"page {pages[0]}" if len(pages) == 1 else f"pages {pages[0]} to {pages[-1]}")
    output.text(f"\n{found.text}")


@app.command()
def page(  # noqa: PLR0917 - typer: one parameter an option
    context: typer.Context,
    document: Annotated[int, typer.Argument(help="The document's number in `library list`.")],
    number: Annotated[int, typer.Argument(help="The page, from 1.")],
    out: Annotated[Path, typer.Option("--out", help="The PNG file to write; one that is there is left alone.")],
    quote: Annotated[str, typer.Option("--quote", help="Words whose boxes on the page are wanted.")] = "",
    width: Annotated[int, typer.Option("--width", min=50, max=5000, help="Width in pixels.")] = 1200,
    as_json: Json = False,
) -> None:
    """Draw one page of a PDF, and say where a quote stands on it."""
    with output.site(context, writable=False) as site:
        view = site.sources.image(document, number, width_px=width, quote=quote)
    _write(out, png(view))
    if as_json:
        boxes = [[box.left, box.top, box.right, box.bottom] for box in view.boxes]
        size = {"width_px": view.width_px, "height_px": view.height_px}
        output.result({"file": str(out), **size, "boxes": boxes, "located": round(view.located, 3)})
        return
    lines = f"{len(view.boxes)} line{'' if len(view.boxes) == 1 else 's'}"
    found = f" {view.located:.0%} of the quote was found, in {lines}." if quote else ""
    output.text(f"Page {number} of {view.pages} is in {out}.{found}")


def _write(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}).", code="LIB-049", hint="Name a new file with --out."
        ) from None


@app.command()
def remove(
    context: typer.Context, document: Annotated[int, typer.Argument(help="The document's number in `library list`.")]
) -> None:
    """Remove a document; answers that quote it keep their quotes."""
    with output.site(context, writable=True) as site:
        site.library.remove(document)
    output.text("Removed.")


@app.command()
def reindex(context: typer.Context) -> None:
    """Make the vector index anew from the database."""
    with output.site(context, writable=True) as site:
        followed(site.library.reindex())
    output.text("The vector index is level with the database.")


@app.command("evaluate")
def evaluate_retrieval(
    context: typer.Context,
    corpus: Annotated[Path, typer.Option("--corpus", help="JSON lines with _id, title, text.")],
    queries: Annotated[Path, typer.Option("--queries", help="JSON lines with _id, text.")],
    qrels: Annotated[Path, typer.Option("--qrels", help="Tab-separated: query-id, corpus-id, score.")],
    as_json: Json = False,
) -> None:
    """Measure retrieval on a judged set, in a store of its own that is removed afterwards."""
    with output.site(context, writable=True) as site, output.interrupts(site.embedder.stop):
        figures = _evaluated(site, corpus, queries, qrels)
    if as_json:
        output.result(figures)
        return
    for name, value in figures.items():
        output.text(f"{name:<12} {value}")


def _evaluated(site: Site, corpus: Path, queries: Path, qrels: Path) -> dict[str, object]:
    steps = evaluate(
        corpus, queries, qrels, folder=site.place.folder.temporary, embedder=site.embedder,
        embedder_sha256=site.embedding.build.sha256,
    )  # fmt: skip
    figures: dict[str, object] = {}
    console = Console(stderr=True)
    with Progress(console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("reading", total=None)
        for step in steps:
            if isinstance(step, EvaluationProgress):
                bar.update(task, description=step.stage, completed=step.done, total=step.total)
            else:
                figures = step.as_json()
    return figures
