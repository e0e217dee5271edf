"""Lumen Desktop: offline answers with sources that can be checked.

The tree is a grid. Rows are layers and imports only point down::

    __main__ · cli → ui → app → services → storage | retrieval | engine
                   → formats → domain → settings | logs | children → paths → errors

Columns are nouns (``chat``, ``library``, ``builds``, ``audit`` …) and a noun names
its module in every layer: ``domain/library.py``, ``storage/library.py``,
``services/library.py``. The contracts in ``pyproject.toml`` keep it so.
"""

__version__ = "0.1.0"
