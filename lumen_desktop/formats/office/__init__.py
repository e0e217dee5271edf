"""What people write in offices: PDF, Word, Markdown and plain text, from bytes to pages and sections.

What these refuse has codes of the library (`retrieval.readers` lists them), which the app's people know already.
"""

from collections.abc import Generator

from lumen_desktop.domain.library import Extract

Reading = Generator[tuple[int, int], None, Extract]  # (pages done, pages in all) on the way to the extract
