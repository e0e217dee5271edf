"""The only code that speaks SQL or writes the data folder.

`folder` makes and holds the data folder, `keys` wraps the database key, `database` opens the
encrypted database and is the one door for writes; the nouns' modules hold rows and queries.
"""
