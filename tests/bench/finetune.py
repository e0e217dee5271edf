"""Fine-tuning as it ran: speed without padding, waiting for data, packing, validation, from a work folder's files.

``python -m tests.bench finetune WORK`` reads run.json and progress.jsonl; 1 where a goal is missed. Nothing is trained.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path
from typing import Any

from trainer.ownership.work import Work
from trainer.training.watching import LINES

GOALS = {"waiting for data": 0.01, "packing": 0.97}


def main(argv: list[str]) -> int:
    """Prints the figures; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="finetune")
    parser.add_argument("work", type=Path)
    folder = Work(parser.parse_args(argv).work).finetuned
    run = json.loads((folder / "run.json").read_bytes())
    lines = [json.loads(line) for line in (folder / LINES).read_text().splitlines()]
    found = figures(run, [one for one in lines if "loss" in one])
    found["validation"] = [(one["step"], round(one["validation_loss"], 4)) for one in lines if "validation_loss" in one]
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    met = found["waiting for data"] <= GOALS["waiting for data"] and found["packing"] >= GOALS["packing"]
    return 0 if met else 1


def figures(run: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any]:
    """Of the steps, the first left out: it still warms up."""
    steady = steps[1:] or steps
    taken = [one["step_s"] for one in steady]
    train = run["facts"]["train"]
    return {
        "steps": len(steps),
        "tokens": steps[-1]["tokens"],
        "tokens/s without padding": round(sum(one["tokens_per_s"] * one["step_s"] for one in steady) / sum(taken), 1),
        "step p50 s": round(statistics.median(taken), 3),
        "step p95 s": round(sorted(taken)[int(0.95 * (len(taken) - 1))], 3),
        "waiting for data": round(sum(one["waiting_s"] for one in steady) / sum(taken), 5),
        "packing": round(1 - train["padding_share"], 4),
        "memory GB": round(max(one["memory_gb"] for one in steps), 2),
        "on": {name: run["sessions"][-1].get(name) for name in ("device", "gpu", "threads", "checkpointing")},
    }
