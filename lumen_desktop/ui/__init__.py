"""The window: PySide6 widgets that show state and ask services; they decide nothing.

Knows no SQL, no model and no file format: everything comes from an open `app.Site`. The only way off the
interface's thread is `tasks`. Started by `__main__`; the same jobs from a terminal stand in `cli`.
"""
