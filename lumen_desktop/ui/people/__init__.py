"""The screen of people: one's own account, everybody at the site, the access review, and the site's policy."""
