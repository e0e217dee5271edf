"""From files to ranked passages: `readers` take text out of files, `passages` cuts it, `ranking` finds it again.

Knows no database and no window; `services.library` calls it.
"""
