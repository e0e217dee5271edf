"""The window: PySide6 widgets that show state and ask services; they decide nothing.

Knows no SQL, no model and no file format: everything comes from an open `app.Site`. The only way off the
interface's thread is `tasks`. Started by `__main__`; the same jobs from a terminal stand in `cli`.

PySide reads the source of every module imported after it, to see whether that asks for its ``snake_case`` names.
Ours never do, and it added a quarter of a second to each start: so its import gives way to Python's own again.
Source: PySide6's own ``shibokensupport/feature.py``, PYSIDE-2029.
"""

import builtins

import PySide6.QtCore  # noqa: F401 - puts its import in the place of Python's, which is given back here

builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)
