"""The site's own feedback as a source: what users of the app agreed to give, less what they took back."""

from lumen_desktop.formats import feedback
from trainer.sources import Source

SOURCE = Source(
    name="feedback",
    title="Feedback of this site's users, by consent",
    publisher="the site itself",
    licence=feedback.LICENCE,
    how=(
        "Export the feedback and the list of withdrawals from the app and name both; whatever rests on a consent in "
        "the list is left out, also where it was collected before."
    ),
    url="",
    size="a few kilobytes an item",
    endings=(".jsonl",),
    read=feedback.documents,
    terms="You may train on the passages of your library that the answers cite; the users' consent covers their words.",
)
