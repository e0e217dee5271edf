"""Records and their signatures in the window: looking at a record, and signing it.

`dialog.sign` asks for a signature on anything that `services.signing` knows, `review` for one on a review, and
`record.show` shows and saves what was signed.
"""
