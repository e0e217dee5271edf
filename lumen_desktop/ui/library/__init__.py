"""The library on the screen: its documents, adding to them, searching them, and a source beside an answer.

`screen.LibraryScreen` is what the main window shows; `source.SourceView` stands beside answers as well.
Knows services only through an open `app.Site`.
"""
