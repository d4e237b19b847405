"""ZeroEval's published replies as a table: outcome, answer and cost of each model at each task."""

import ast
import gzip
import json
import re
from pathlib import Path

import numpy as np

from modicum.metering.tokens import count_tokens
from modicum.routing.outcome_table import OutcomeTable

PRICES = {
    "Llama-3.1-405B-Inst@sambanova": (3.5, 3.5),
    "Meta-Llama-3.1-70B-Instruct": (0.88, 0.88),
    "Meta-Llama-3.1-8B-Instruct": (0.18, 0.18),
    "Mistral-Large-2": (2.0, 6.0),
    "claude-3-5-haiku-20241022": (0.8, 4.0),
    "claude-3-5-sonnet-20241022": (3.0, 15.0),
    "claude-3-haiku-20240307": (0.25, 1.25),
    "claude-3-opus-20240229": (15.0, 75.0),
    "deepseek-chat": (0.14, 0.28),
    "deepseek-v2.5-0908": (0.14, 0.28),
    "gemini-1.5-flash": (0.075, 0.3),
    "gemini-1.5-pro": (1.25, 5.0),
    "gemma-2-2b-it": (0.1, 0.1),
    "gpt-3.5-turbo-0125": (0.5, 1.5),
    "gpt-4o-2024-08-06": (2.5, 10.0),
    "gpt-4o-mini-2024-07-18": (0.15, 0.6),
    "o1-mini-2024-09-12": (3.0, 12.0),
}
"""Dollars per million tokens, prompt and completion: list prices of late 2024, when the replies were made. Open models:
those of a large host. o1-mini's hidden reasoning was not published, so its cost is a lower bound: it takes no part in
anything that is chosen by cost."""
HIDDEN_COST = "o1-mini-2024-09-12"


def read_zeroeval(folder: Path, kind: str) -> OutcomeTable:
    paths = sorted((folder / kind).glob("*.jsonl.gz"))
    models = [path.name.removesuffix(".jsonl.gz") for path in paths]
    replies = [read_replies(path) for path in paths]
    shared = [task for task in replies[0] if all(task in each for each in replies)]
    answer = final_number if kind == "gsm" else final_literal
    gold = [str(replies[0][task]["answer"]) for task in shared]
    right = [number(each) if kind == "gsm" else literal(each) for each in gold]
    answers, outcomes, costs = [], np.empty((len(shared), len(models))), np.empty((len(shared), len(models)))
    for row, task in enumerate(shared):
        prompt_tokens = count_tokens(replies[0][task]["question"], "gpt-4o")
        line = []
        for column, model in enumerate(models):
            output = replies[column][task]["output"]
            output = (output[0] if isinstance(output, list) else output) or ""
            line.append(answer(output))
            outcomes[row, column] = float(line[-1] is not None and line[-1] == right[row])
            rates = PRICES[model]
            costs[row, column] = (prompt_tokens * rates[0] + count_tokens(output, "gpt-4o") * rates[1]) / 1e6
        answers.append(tuple(line))
    costs[:, models.index(HIDDEN_COST)] = np.nan
    prompts = tuple(replies[0][task]["question"] for task in shared)
    return OutcomeTable(tuple(models), prompts, outcomes, (), {"usd": costs}, tuple(answers))


def read_replies(path: Path) -> dict[str, dict]:
    with gzip.open(path, "rt", encoding="utf-8") as text:
        rows = [json.loads(line) for line in text]
    return {row["id"]: row for row in rows}


def written_answer(output: str) -> str | None:
    """The last `answer` of the reply's JSON."""
    answers = re.findall(r'"answer"\s*:\s*("(?:[^"\\]|\\.)*"|[^\n]+)', output)
    if not answers:
        return None
    text = answers[-1].strip().rstrip(",}").strip()
    try:
        return str(json.loads(text)) if text.startswith('"') else text
    except json.JSONDecodeError:
        return text.strip('"')


def final_number(output: str) -> str | None:
    text = written_answer(output)
    return number(text) if text is not None else None


def number(text: str) -> str | None:
    digits = re.findall(r"-?\d+(?:\.\d+)?", text.replace(",", ""))
    return f"{float(digits[-1]):g}" if digits else None


def final_literal(output: str) -> str | None:
    text = written_answer(output)
    return literal(text) if text is not None else None


def literal(text: str) -> str:
    """A Python value as Python writes it; what is none, as it stands."""
    try:
        return repr(ast.literal_eval(text.strip()))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text.strip().strip("\"'")
