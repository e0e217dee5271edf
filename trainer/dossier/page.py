"""The report as one page of HTML: no script, no address, no file beside it.

Every text is a stranger's: the template escapes all of it, and only the pictures, which we draw, are markup.
"""

import jinja2
from markupsafe import Markup

from lumen_desktop.domain.names import shown_lines
from trainer.dossier.drawing import svg
from trainer.dossier.parts import Report, Section
from trainer.gating.result import Outcome


def page(report: Report) -> str:
    """The whole page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("trainer.dossier", "."), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    written = environment.get_template("report.html.jinja").render(
        report=report, picture=_picture, outcomes={one.value for one in Outcome}
    )
    return shown_lines(written)


def _picture(section: Section) -> Markup:
    return Markup(svg(section.drawing, f"chart-{section.name}") if section.drawing else "")  # noqa: S704 - our shapes
