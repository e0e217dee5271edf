"""The audit trail on the screen: events filtered and paged, one of them compared, the chain verified, an export.

`screen.AuditScreen` is what the main window shows. Everything is read only but the export and the reason for a clock's
change, which are events themselves. Knows services only through an open `app.Site`.
"""
