"""How a base renders a conversation: its own Jinja template, or the one that is given to it.

Knows no token; `folder` writes what is decided here, `trainer.turns` renders with it.
"""

from pathlib import Path

NAME = "chat_template.jinja"
MISTRAL_WORD = "mistral"
MISTRAL = (
    "{{ bos_token }}"
    "{%- set told = namespace(words='') %}"
    "{%- for message in messages %}"
    "{%- if message['role'] == 'system' %}"
    "{%- set told.words = told.words + message['content'] + '\\n\\n' %}"
    "{%- elif message['role'] == 'user' %}"
    "{{- '[INST] ' + told.words + message['content'] + ' [/INST]' }}"
    "{%- set told.words = '' %}"
    "{%- elif message['role'] == 'assistant' %}"
    "{{- ' ' + message['content'] + eos_token }}"
    "{%- else %}"
    "{{- raise_exception('Only system, user and assistant speak.') }}"
    "{%- endif %}"
    "{%- endfor %}"
)  # Mistral-7B-Instruct's form; the system's words stand before the user's, as it has no place for them


def read(file: Path) -> str:
    """A template file's text, its bytes kept as they are.

    Raises:
        OSError, UnicodeDecodeError: it cannot be read.
    """
    return file.read_bytes().decode("utf-8")
