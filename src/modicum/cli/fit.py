"""`modicum fit`: does a codebase fit a model's context window, and what does it cost to send it all?"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modicum.calls.words.counted_nouns import number_of
from modicum.cli.inputs import token_measures
from modicum.cli.shared_options import json_option, prices_option
from modicum.cli.terminal import output

if TYPE_CHECKING:
    from modicum.insights.fit import CodePart, Fit, ModelFit

VERDICTS = {"fits": "fits", "close": "may not fit", "too_large": "does not fit", "unknown": "window unknown"}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@token_measures.model_option
@click.option("--calls", default=50, show_default=True, help="Calls of the conversation that is priced.")
@click.option(
    "--appended",
    default=1500,
    show_default=True,
    help="Tokens that each call adds to the context: its reply, tool results, your words. 1,553 is the mean of 11,354"
    " calls of a coding agent.",
)
@click.option("--reply", default=500, show_default=True, help="Tokens that each call writes; part of --appended.")
@click.option(
    "--rows",
    "most_rows",
    default=10,
    show_default=True,
    help="Maximum number of rows of the tables by folder and type.",
)
@json_option
@prices_option
def command(
    folder: Path,
    models: tuple[str, ...],
    calls: int,
    appended: int,
    reply: int,
    most_rows: int,
    *,
    as_json: bool,
    price_path: Path | None,
) -> None:
    """Check whether the code in FOLDER fits the context window of each model, and what sending it costs.

    All text files are counted that git tracks or would track; without a repository, all that no .gitignore names. The
    conversation starts with all of them, and every call adds --appended tokens. With prompt caching, each call reads
    what the call before sent (if it comes within the cache's time to live).

    \b
    Examples:
      modicum fit
      modicum fit ~/src/app --model claude-opus-4-6 --model gpt-5
      modicum fit . -m gemini-2.5-pro --calls 200 --appended 3000 --json
    """
    from modicum.insights.code.codebase import list_files
    from modicum.insights.fit import check_conversation, fit

    conversation = check_conversation(calls, appended, reply)
    found = list_files(folder)
    measures = token_measures.load_measures(price_path)
    with token_measures.show_progress("counting files", len(found.files)) as progress:
        report = fit(
            folder,
            found,
            token_measures.models_or_default(models),
            measures,
            at=datetime.now(UTC),
            conversation=conversation,
            progress=progress,
        )
    measures.prices.save()
    if as_json:
        output.print_json(report)
    else:
        _print_report(report, most_rows)
        token_measures.print_unchecked([model.model for model in report.models], measures)


def _print_report(report: "Fit", most_rows: int) -> None:
    from modicum.insights.fit import describe_fit

    for line in describe_fit(report):
        click.echo(line)
    if not report.files:
        _print_left_out(report)
        return
    click.echo()
    calls = report.conversation.calls
    output.print_table(
        [
            "model",
            "tokens",
            "error",
            "window",
            "share",
            "verdict",
            "one call",
            "from cache",
            number_of(calls, "call"),
            "cached",
        ],
        [_row(model, calls) for model in report.models],
    )
    for title, parts in (("folder", report.by_folder), ("type", report.by_type), ("largest files", report.largest)):
        click.echo()
        _print_parts(title, parts, report, most_rows)
    _print_notes(report)


def _row(model: "ModelFit", calls: int) -> list[str]:
    window = model.context_window
    short = f" ({model.conversation_calls})" if 0 < model.conversation_calls < calls else ""
    fits = model.verdict != "too_large"
    return [
        model.model,
        output.count(model.tokens),
        token_measures.format_error(model.error),
        output.count(window) if window else "unknown",
        _share(model.tokens, window) if window else "",
        VERDICTS[model.verdict],
        *(output.dollars(usd) if fits else "" for usd in (model.one_call_usd, model.one_call_cached_usd)),
        *(
            output.dollars(usd) + short if fits else ""
            for usd in (model.conversation_usd, model.conversation_cached_usd)
        ),
    ]


def _share(tokens: int, window: int) -> str:
    return f"{tokens / window:.1f} x" if tokens > window else output.share(tokens, window)


def _print_parts(title: str, parts: "list[CodePart]", report: "Fit", most_rows: int) -> None:
    whole = report.models[0].tokens
    rows = [
        [part.name, output.count(part.files), output.count(part.tokens), output.share(part.tokens, whole)]
        for part in parts[:most_rows]
    ]
    rest = parts[most_rows:]
    if rest and title != "largest files":
        tokens = sum(part.tokens for part in rest)
        files = sum(part.files for part in rest)
        rows.append([f"{len(rest)} more", output.count(files), output.count(tokens), output.share(tokens, whole)])
    output.print_table([title, "files", f"tokens ({report.counted_in})", "share"], rows)


def _print_notes(report: "Fit") -> None:
    click.echo()
    talk = report.conversation
    click.echo(
        f"Assumed: {number_of(talk.calls, 'call')}, each adds {number_of(talk.appended_tokens, 'token')}, "
        f"{talk.reply_tokens:,} of them its reply; cached: each call comes within the cache's time to live."
    )
    if any(0 < model.conversation_calls < talk.calls for model in report.models):
        click.echo("A number in brackets: so many calls, then the window is full; the price is that of these calls.")
    token_measures.print_sources(report.models)
    click.echo(f"Files: {report.rule}. Windows: genai-prices, prompt and reply together.")
    _print_left_out(report)


def _print_left_out(report: "Fit") -> None:
    if report.left_out:
        left = ", ".join(f"{number:,} {reason}" for reason, number in report.left_out.items())
        click.echo(f"Not counted: {left}.")
    for problem in report.problems:
        click.echo(f"not counted: {problem}", err=True)
