"""From public sources to a model build that the app can import.

collect → dataset → finetune → merge → export → evaluate → gate → release; the first two are there. Shares nothing with
the app but ``lumen_desktop.domain`` (so that training text and the text at run time cannot drift apart),
``lumen_desktop.formats`` (so that both read a label the same way) and ``lumen_desktop.errors``; the app never imports
it. Reads files that the user has downloaded and opens no address itself.
"""
