"""`modicum count`: tokens and price of files, or of what comes in."""

import os
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modicum.calls import Problem
from modicum.cli.inputs import token_measures
from modicum.cli.shared_options import json_option, prices_option
from modicum.cli.terminal import output

if TYPE_CHECKING:
    from modicum.insights.count import ModelCount

STDIN = "-"


@click.command()
@click.argument("files", nargs=-1)
@token_measures.model_option
@json_option
@prices_option
def command(files: tuple[str, ...], models: tuple[str, ...], *, as_json: bool, price_path: Path | None) -> None:
    """Count tokens and price of files together, or of standard input (no FILES, or -).

    OpenAI, Llama 3 and Qwen texts are counted with the model's own public tokenizer. Claude and Gemini have none:
    their counts are calibrated, and carry their error. With the extra claude-tokens (Python 3.12 and later) and after
    'modicum calibrate', Claude is counted to about half a percent. Prices are for the text alone, sent once; "unknown"
    where no price is known.

    \b
    Examples:
      modicum count prompt.md --model claude-opus-4-6
      git diff | modicum count -m gpt-5 -m gemini-2.5-pro
      modicum count src/*.py --json
    """
    from modicum.insights.claude_correction import CountablePart, parts_of
    from modicum.insights.count import count_for_model, count_raw, list_encodings
    from modicum.metering.content_kinds import find_content_kind

    chosen = token_measures.models_or_default(models)
    encodings = list_encodings(chosen)
    raw: Counter[tuple[str, str]] = Counter()
    problems: list[Problem] = []
    parts: list[CountablePart] = []
    size = counted = 0
    for name in files or (STDIN,):
        text = _read_text(name)
        if isinstance(text, Problem):
            problems.append(text)
            continue
        counted += 1
        size += len(text.encode())
        raw.update(count_raw(text, find_content_kind(name), encodings))
        parts += parts_of(text, find_content_kind(name))
    measures = token_measures.load_measures(price_path).corrected_for(chosen, parts)
    rows = [count_for_model(raw, model, measures, datetime.now(UTC)) for model in chosen] if counted else []
    measures.prices.save()
    if as_json:
        output.print_json({"texts": counted, "bytes": size, "models": rows, "problems": problems})
    elif rows:
        _print_counts(rows)
        token_measures.print_unchecked(chosen, measures)
    for problem in problems:
        click.echo(f"not counted: {problem}", err=True)
    if problems:
        raise click.exceptions.Exit(1)


def _read_text(name: str) -> str | Problem:
    from modicum.insights.code.codebase import FOLDER, LINK, decode_text, read_text

    if name == STDIN:
        return decode_text(sys.stdin.buffer.read(), "standard input")
    path = Path(name)
    found = read_text(Path(os.path.realpath(path)))
    if isinstance(found, Problem) and found.reason == FOLDER:
        return Problem(name, f"a folder; 'modicum fit {name}' counts folders")
    if isinstance(found, Problem) and found.reason == LINK:
        return Problem(name, "a link that leads to itself")
    return found


def _print_counts(rows: "list[ModelCount]") -> None:
    output.print_table(
        ["model", "tokens", "error", "input", "cache read", "cache write 5m", "cache write 1h"],
        [
            [
                row.model,
                output.count(row.tokens),
                token_measures.format_error(row.error),
                output.dollars(row.input_usd),
                output.dollars(row.cache_read_usd),
                output.dollars(row.cache_write_5m_usd),
                output.dollars(row.cache_write_1h_usd),
            ]
            for row in rows
        ],
    )
    token_measures.print_sources(rows)
    unpriced = [row.model for row in rows if row.input_usd is None]
    if unpriced:
        click.echo(f"no price known: {', '.join(unpriced)}; --prices FILE gives your own")
