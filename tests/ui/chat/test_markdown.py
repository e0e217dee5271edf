"""Markdown as blocks and runs: what is read, what stays text, and that a stream ends where the whole text does."""

import random
import time

import pytest

from lumen_desktop.ui.chat.markdown import TABLE_STRETCH, Block, Kind, Run, blocks, runs

TEXT = """# Cleaning *shared* equipment

Each piece is cleaned **within 24 hours**
after the last batch.
A line that ends hard:  
another line.

- first
  goes on
- second
  1. nested
* * *
> quoted
> words
after the quote

| Step | Who | When |
|------|:---:|-----:|
| Rinse | operator | day 1 |
| Swab | `QC` |
| a \\| b | c | d | too many |

```python
def f():
    return "| not a table |"
```
## End
1) one
2) two
"""  # noqa: W291


def test_the_blocks_of_a_text() -> None:
    found = list(blocks(TEXT))
    assert [(b.kind, b.text) for b in found if b.kind is not Kind.TABLE] == [
        (Kind.HEADING, "Cleaning *shared* equipment"),
        (
            Kind.PARAGRAPH,
            "Each piece is cleaned **within 24 hours** after the last batch. A line that ends hard:\nanother line.",
        ),
        (Kind.ITEM, "first goes on"),
        (Kind.ITEM, "second"),
        (Kind.ITEM, "nested"),
        (Kind.RULE, ""),
        (Kind.QUOTE, "quoted words after the quote"),
        (Kind.CODE, 'def f():\n    return "| not a table |"'),
        (Kind.HEADING, "End"),
        (Kind.ITEM, "one"),
        (Kind.ITEM, "two"),
    ]
    assert [b.level for b in found if b.kind is Kind.ITEM] == [0, 0, 1, 0, 0]
    assert [b.marker for b in found if b.kind is Kind.ITEM] == ["-", "-", "1.", "1)", "2)"]
    (table,) = [b for b in found if b.kind is Kind.TABLE]
    assert table.rows == (
        ("Step", "Who", "When"),
        ("Rinse", "operator", "day 1"),
        ("Swab", "`QC`", ""),
        ("a | b", "c", "d"),
    )


def streamed(text: str, cuts: list[int]) -> list[Block]:
    """The blocks as a view that draws them collects them: all but the last are never looked at again."""
    final: list[Block] = []
    last: list[Block] = []
    start, columns = 0, 0
    for cut in [*cuts, len(text)]:
        found = list(blocks(text[:cut], start, columns=columns, ended=cut == len(text)))
        final, last = final + found[:-1], found[-1:]
        if last:
            start, columns = last[0].start, last[0].columns if last[0].goes_on else 0
    return final + last


LONG_TABLE = "a|b\n-|-\n" + "".join(f"{n}|{n * n}\n" for n in range(100))


@pytest.mark.parametrize("text", [TEXT, LONG_TABLE, f"before\n{LONG_TABLE}\nafter", "a|b\n-|-x\n***\n---"])
def test_a_stream_ends_where_the_whole_text_does(text: str) -> None:
    chance = random.Random(7)
    for _ in range(40):
        cuts = sorted(chance.randrange(len(text)) for _ in range(chance.randrange(1, 30)))
        assert streamed(text, cuts) == list(blocks(text))
    assert streamed(text, list(range(1, len(text)))) == list(blocks(text))


def test_a_long_table_comes_in_stretches() -> None:
    found = list(blocks(LONG_TABLE))
    assert all(len(block.rows) <= TABLE_STRETCH for block in found)
    assert [block.goes_on for block in found] == [False, *[True] * (len(found) - 1)]
    assert sum(len(block.rows) for block in found) == 101


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", [Run("plain")]),
        ("a **b** c", [Run("a "), Run("b", strong=True), Run(" c")]),
        ("*a* _b_", [Run("a", emphasised=True), Run(" "), Run("b", emphasised=True)]),
        ("~~a~~", [Run("a", struck=True)]),
        ("***a***", [Run("a", strong=True, emphasised=True)]),
        ("`a*b*` c", [Run("a*b*", code=True), Run(" c")]),
        ("``a`b``", [Run("a`b", code=True)]),
        ("snake_case_name", [Run("snake"), Run("_"), Run("case"), Run("_"), Run("name")]),
        ("5 * 3 * 2", [Run("5 "), Run("*"), Run(" 3 "), Run("*"), Run(" 2")]),
        (r"\*not\*", [Run("*"), Run("not"), Run("*")]),
        ("**open", [Run("**"), Run("open")]),
    ],
)  # fmt: skip
def test_runs(text: str, expected: list[Run]) -> None:
    assert runs(text) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("<img src=file:///etc/passwd>", "<img src=file:///etc/passwd>"),
        ("![x](file:///etc/passwd)", "x (file:///etc/passwd)"),
        ("[click](https://example.org/?q=secret)", "click (https://example.org/?q=secret)"),
    ],
)
def test_html_images_and_links_stay_text(text: str, shown: str) -> None:
    assert "".join(run.text for run in runs(text)) == shown


@pytest.mark.parametrize(
    "piece", ["*", "**a", "_ _", "`", "[", "![a](", "|", "> ", "- ", "\\", "``a`", "~~", "a|b\n-|-\n"]
)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    began = time.process_time()
    for block in blocks(text):
        runs(block.text)
        for row in block.rows:
            for cell in row:
                runs(cell)
    assert time.process_time() - began < 2.0
