"""From a bare machine to a running application: what the README's two commands do.

`bootstrap.py` is the command; `__main__` is its list of steps; `system`, `environment` and `models` each make one part
(the machine's packages, `.venv`, the starter models), `checks` runs the tests, `progress` shows what is going on.
Nothing here is imported by the application, and nothing but `gguf_files` needs more than the standard library.
"""
