"""The list of conversations: find, show, rename, pin, delete, restore, and at last erase.

`services.chat` asks in them. A deleted conversation can be restored until it is erased, 30 days later.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from lumen_desktop.domain.accounts import PROGRAM, Actor
from lumen_desktop.domain.chat import Conversation, Exchange
from lumen_desktop.domain.library import storable
from lumen_desktop.domain.names import shown
from lumen_desktop.domain.permissions import Act
from lumen_desktop.errors import InputError
from lumen_desktop.services.authority import NOBODY, Authority
from lumen_desktop.storage import chat as stored
from lumen_desktop.storage.database import Database

KEPT_AFTER_DELETION = timedelta(days=30)
_LONGEST_SEARCH = 200  # characters


class Conversations:
    """The conversations of one person.

    Args:
        database: the site's.
        authority: whose conversations they are.
    """

    def __init__(self, database: Database, authority: Authority) -> None:
        self._database = database
        self._authority = authority

    def list(self, words: str = "", *, most: int = 200, deleted: bool = False) -> Sequence[Conversation]:
        """Conversations, pinned ones first, then the most recently used.

        Args:
            words: each must occur in the title or in some question or answer, in whatever case; the first
                200 characters are read.
            most: at most so many.
            deleted: those deleted instead of those that are not, the last one deleted first.
        """
        self._authority.authorize(Act.KEEP_CONVERSATIONS)
        wanted, owner = storable(words[:_LONGEST_SEARCH]).casefold().split(), self._authority.user_id
        with self._database.reading() as session:
            return stored.conversations(session, wanted, owner_id=owner, deleted=deleted, most=most)

    def conversation(self, conversation_id: int) -> Conversation:
        """One conversation, deleted or not.

        Raises:
            AccessError: it is another person's (ACC-002).
            InputError: there is none of that number (CHT-001).
        """
        with self._database.reading() as session:
            self._authorized(stored.conversation(session, conversation_id))
            return stored.conversations(session, only=conversation_id)[0]

    def exchanges(self, conversation_id: int) -> Sequence[Exchange]:
        """Questions and answers of a conversation, oldest first: stopped, failed and open ones as well.

        Raises:
            AccessError: it is another person's (ACC-002).
            InputError: there is none of that number (CHT-001).
        """
        with self._database.reading() as session:
            self._authorized(stored.conversation(session, conversation_id))
            return stored.exchanges(session, conversation_id)

    def rename(self, conversation_id: int, title: str) -> None:
        """Gives a conversation a title of 1 to 200 characters that can be seen, on one line.

        Raises:
            InputError: no such conversation (CHT-001), an empty title (CHT-002) or one too long (CHT-003).
        """
        self._change(conversation_id, "rename a conversation", title=_valid(title))

    def pin(self, conversation_id: int, pinned: bool) -> None:  # noqa: FBT001 - the verb's object
        """Lets a conversation stand above the others, or no longer.

        Raises:
            AccessError: it is another person's (ACC-002).
            InputError: there is none of that number (CHT-001).
        """
        self._change(conversation_id, "pin a conversation" if pinned else "unpin a conversation", pinned=pinned)

    def delete(self, conversation_id: int) -> None:
        """Deletes a conversation, which `restore` takes back; one deleted already keeps its time.

        Raises:
            AccessError: it is another person's (ACC-002).
            InputError: there is none of that number (CHT-001).
        """
        with self._database.transaction(self._owner(conversation_id), "delete a conversation") as transaction:
            row = existing(stored.conversation(transaction.session, conversation_id))
            if row.deleted_utc is None:
                transaction.change(row, deleted_utc=self._database.clock())

    def restore(self, conversation_id: int) -> None:
        """Takes back the deletion of a conversation.

        Raises:
            InputError: there is none of that number, or it was erased (CHT-001).
        """
        self._change(conversation_id, "restore a conversation", deleted_utc=None)

    def erase_deleted(self, older_than: timedelta = KEPT_AFTER_DELETION) -> int:
        """Removes for good the conversations deleted longer ago, with their answers; returns how many."""
        with self._database.reading() as session:
            old = stored.deleted_before(session, self._database.clock() - older_than)
        if old:
            with self._database.transaction(PROGRAM, "erase conversations deleted long ago") as transaction:
                for conversation in old:
                    transaction.remove(conversation)
        return len(old)

    def _change(self, conversation_id: int, reason: str, **values: Any) -> None:
        """Changes a conversation; where nothing would change, nothing is written."""
        with self._database.transaction(self._owner(conversation_id), reason) as transaction:
            row = existing(stored.conversation(transaction.session, conversation_id))
            if any(getattr(row, name) != value for name, value in values.items()):
                transaction.change(row, **values)

    def _owner(self, conversation_id: int) -> Actor:
        with self._database.reading() as session:
            row = stored.conversation(session, conversation_id)
        return self._authorized(row)

    def _authorized(self, found: stored.ConversationRow | None) -> Actor:
        """The owner of a conversation, if it is they who are signed in."""
        row = existing(found)
        return self._authority.authorize(Act.KEEP_CONVERSATIONS, of=row.owner_id or NOBODY)


def existing(row: stored.ConversationRow | None) -> stored.ConversationRow:
    """What storage found for a conversation's number, deleted or not.

    Raises:
        InputError: nothing (CHT-001).
    """
    if row is None:
        raise InputError(
            "There is no conversation of that number.",
            code="CHT-001",
            hint="`lumen conversation list` shows their numbers; one deleted 30 days ago is erased.",
        )
    return row


def _valid(title: str) -> str:
    title = shown(storable(title))
    if not title:
        raise InputError("A conversation's title is empty.", code="CHT-002", hint="Give it at least one character.")
    if len(title) > stored.LONGEST_TITLE:
        raise InputError(
            f"The title has {len(title):,} characters; at most {stored.LONGEST_TITLE} are kept.",
            code="CHT-003",
            hint="Shorten it.",
        )
    return title
