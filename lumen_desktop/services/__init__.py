"""The jobs people do. Each service takes what it needs in its constructor, knows no Qt and starts no thread.

The command line and the window call the same ones; `app` builds them.
"""
