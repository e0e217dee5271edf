"""Child processes: native code that may crash runs in one, and takes only itself along.

`parent.Child` starts, asks, stops and restarts one; `inside.serve` is the loop in the process itself.
They speak newline-delimited JSON over standard input and output, the protocol's number first; a
request may be followed by raw bytes whose count it states. There is no port.
"""

from lumen_desktop.children.inside import Events, Handler, Request, confine, serve
from lumen_desktop.children.parent import Child, Limits, Message

__all__ = ["Child", "Events", "Handler", "Limits", "Message", "Request", "confine", "serve"]
