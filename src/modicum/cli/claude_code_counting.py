"""`modicum bill --counting`: why another tool says otherwise."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modicum.calls import Call, Problem, UserError
from modicum.calls.problem import problem_rows
from modicum.calls.words.counted_nouns import number_of
from modicum.cli.inputs.log_reading import print_problems, read_logs
from modicum.cli.shared_options import LogOptions
from modicum.cli.terminal import output
from modicum.library.call_booking import make_reading

if TYPE_CHECKING:
    from modicum.metering.prices import PriceBook

RE_ESTIMATED = "greatest_row_output_estimated"
RE_ESTIMATED_TEXT = "the greatest row, with the output counted anew from the logged content (an estimate)"


def print_counting(paths: Sequence[Path], prices: "PriceBook", options: LogOptions) -> None:
    """Prints the table of ways, or its JSON."""
    from modicum.importers.claude_code.counting_rules import WAYS, counted, output_replaced
    from modicum.importers.folders import log_files
    from modicum.ledger.booking import newest_calls

    if not paths:
        raise UserError("name the transcripts: 'modicum bill --counting ~/.claude/projects'; the ledger keeps no rows")
    files = [file for path in paths for file in log_files(path) if isinstance(file, Path)]
    problems: list[Problem] = []
    # Read in full first: it is what `modicum bill` and `audit` read, and so are its problems.
    full = newest_calls(read_logs(paths, make_reading(anatomy=True), options.source, problems))
    found = counted(files, options.source)
    estimates = {
        call.call_id: call.output_tokens_estimated for call in full if call.output_tokens_estimated is not None
    }
    ways = {**found.ways, RE_ESTIMATED: output_replaced(found.ways["greatest_row"], estimates)}
    texts = {**WAYS, RE_ESTIMATED: RE_ESTIMATED_TEXT}
    rows = [_row(way, texts[way], calls, prices) for way, calls in ways.items()]
    prices.save()
    _print_rows(rows, found.other_files, problems, options)


def _row(way: str, text: str, calls: Sequence[Call], prices: "PriceBook") -> dict[str, Any]:
    from modicum.ledger.booking import book_all

    costs = [entry.cost.usd for entry in book_all(calls, prices)]
    return {
        "way": way,
        "text": text,
        "records": len(calls),
        "prompt_tokens": sum(call.usage.prompt_tokens for call in calls),
        "completion_tokens": sum(call.usage.completion_tokens for call in calls),
        "cost_usd": sum((usd for usd in costs if usd is not None), Decimal(0)),
        "records_unpriced": costs.count(None),
    }


def _print_rows(rows: list[dict[str, Any]], other_files: int, problems: Sequence[Problem], options: LogOptions) -> None:
    if options.as_json:
        output.print_json({"ways": rows, "other_files": other_files, "problems": problem_rows(problems)})
    else:
        output.print_table(
            ["way of counting", "records", "prompt", "completion", "cost"],
            [
                [
                    row["text"],
                    output.count(row["records"]),
                    output.count(row["prompt_tokens"]),
                    output.count(row["completion_tokens"]),
                    output.dollars(row["cost_usd"]),
                ]
                for row in rows
            ],
        )
        output.print_text(
            "'modicum bill' shows the third; the output of all but the last is what had been logged so far"
        )
        if other_files:
            output.print_text(
                f"{number_of(other_files, 'file of another format is', 'files of other formats are')} not in it: "
                "'modicum bill' counts them, "
                "in one way"
            )
    print_problems(problems, strict=options.strict, quiet=options.as_json)
