"""The prompt from which a section of a controlled document is written."""

from lumen_desktop.domain.drafting import INSTRUCTION, NOT_STATED, Fact, build_draft_prompt
from lumen_desktop.domain.library import Currency, Kind, Passage, Span

RULE = Passage(
    1, 1, "Part 211", Kind.SOURCE, "", "2025-04-01", Currency.IN_FORCE, paged=False, header="Part 211 — § 211.67",
    section="§ 211.67", text="Equipment shall be cleaned.", spans=(Span(1, 0, 27),),
)  # fmt: skip


def test_sources_stand_before_the_facts_and_the_task_last() -> None:
    system, user = build_draft_prompt(
        "deviation report", "Description", [Fact("Batch", "B1"), Fact("Area", "")], [RULE, RULE]
    )
    assert system == INSTRUCTION
    assert NOT_STATED in INSTRUCTION
    assert user == (
        "Sources:\n\n[1] Part 211 — § 211.67\n(Part 211 (2025-04-01))\nEquipment shall be cleaned.\n\n"
        "[2] Part 211 — § 211.67\n(Part 211 (2025-04-01))\nEquipment shall be cleaned.\n\n"
        "Facts:\n- Batch: B1\n- Area: (not given)\n\nWrite the section “Description” of the deviation report."
    )


def test_without_sources_the_facts_stand_first() -> None:
    _, user = build_draft_prompt("CAPA plan", "Actions", [Fact("Owner", "QA")])
    assert user == "Facts:\n- Owner: QA\n\nWrite the section “Actions” of the CAPA plan."
