"""Controlled records and extracts on paper: plain values in, the bytes of a PDF out.

Knows no database, no service and no window. Services fill in `pages` and hand the result to `pdf.render`.

What each module does, in the order of their imports::

    pages        what can be printed, as plain values
    typesetting  characters to lines: which face has a glyph, where a line ends, what cannot be shown
    layout       lines to pages: where things go, how a row is carried over to the next page
    blocks       headings, paragraphs, lists, tables and the verification box
    frame        what stands on every page: header, footer, status mark
    extract      an extract of the audit trail
    record       a record with the manifestation of its signatures
    pdf          pages to a file; the one door to reportlab
"""
