"""`modicum compare run`: runs tasks under models and prompts, within a budget, and compares what came of it."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.cli.inputs.log_reading import show_steps
from modicum.cli.terminal import output
from modicum.cli.terminal.quantity import Quantity
from modicum.library import resources
from modicum.settings import read_settings

if TYPE_CHECKING:
    from modicum.cli.evaluation.model_calls import ModelCaller
    from modicum.cli.evaluation.running import EvalProgress
    from modicum.experiments.evaluation.eval_task import EvalArm, EvalRow, EvalTask


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    task_path: Path
    models: str
    prompts: tuple[Path, ...]
    grader: str
    rubric: str
    url: str
    speaks: str
    key_variable: str
    provider: str
    most_tokens: int
    runs: int
    budget: float | None
    parallel: int
    grade_timeout: float
    call_timeout: float
    margin: float
    out: Path | None
    data_class: str
    price_path: Path | None
    as_json: bool


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.argument("task_path", type=click.Path(path_type=Path), metavar="TASKS")
@click.option("--models", required=True, metavar="A,B", help="Models to ask; the first is the baseline.")
@click.option(
    "--prompts",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A prompt with {input} for the task's own; may be repeated.",
)
@click.option(
    "--grader",
    required=True,
    metavar="GRADER",
    help="exact, pattern, schema, python:FILE.py:FUNCTION, command:CMD, or judge:MODEL.",
)
@click.option("--rubric", default="", metavar="TEXT", help="What a judge is to look at.")
@click.option("--url", default="", metavar="URL", help="The API. Default: the gateway of the settings.")
@click.option("--speaks", type=click.Choice(["openai", "anthropic"]), default="openai", help="Default: openai.")
@click.option(
    "--key-variable", default="OPENAI_API_KEY", metavar="NAME", help="Environment variable with the key of the API."
)
@click.option("--provider", default="", metavar="NAME", help="Who bills. Default: as address or model name say.")
@click.option(
    "--max-tokens", "most_tokens", type=click.IntRange(min=1), default=1024, help="Of a reply. Default: 1024."
)
@click.option("--runs", type=click.IntRange(min=1), default=1, help="Runs of each task under each arm. Default: 1.")
@click.option(
    "--budget", type=Quantity(min=0, min_open=True), metavar="USD", help="No call is sent that might pass it."
)
@click.option("--parallel", type=click.IntRange(min=1, max=64), default=4, help="Calls at once. Default: 4.")
@click.option("--grade-timeout", type=Quantity(min=0, min_open=True), default=60.0, help="Seconds. Default: 60.")
@click.option("--call-timeout", type=Quantity(min=0, min_open=True), default=300.0, help="Seconds. Default: 300.")
@click.option("--margin", default=5.0, type=Quantity(min=0, max=100), metavar="POINTS", help="As in compare.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Results. Default: TASKS.results.jsonl.")
@click.option("--data-class", default="", metavar="CLASS", help="How sensitive the tasks are (docs/policy.md).")
@shared.prices_option
@shared.json_option
@shared.pass_options(RunOptions)
def command(options: RunOptions) -> None:
    """Run the tasks of a file under several models or prompts, grade the replies, and compare.

    Each line of TASKS is an object with task, prompt and what the grader needs (expected, pattern or schema). The same
    command again makes only the runs that are missing. What a judge costs is shown apart.

    \b
    Examples:
      modicum compare run tasks.jsonl --models gpt-4o,gpt-4o-mini --grader exact --budget 2
      modicum compare run tasks.jsonl --models gpt-4o --prompts long.txt --prompts short.txt --grader judge:gpt-4o
      modicum compare run tasks.jsonl --models a,b --grader 'command:python check.py' --url http://localhost:8000/v1
    """
    from modicum.cli.evaluation.graders import check_task, choose_grader
    from modicum.cli.evaluation.model_calls import check_policy, check_price
    from modicum.cli.evaluation.running import EvalRunner, Judge, find_wanting, read_rows, read_tasks
    from modicum.cli.evaluation.spending import EvalBudget

    tasks = read_tasks(options.task_path)
    for task in tasks:
        check_task(options.grader, task, str(options.task_path))
    arms = _arms(options)
    judge_model = options.grader.removeprefix("judge:") if options.grader.startswith("judge:") else ""
    judge = Judge(judge_model, options.rubric) if judge_model else None
    grader = None if judge else choose_grader(options.grader, options.grade_timeout)
    out = options.out or options.task_path.with_name(f"{options.task_path.stem}.results.jsonl")
    _check_same(out, options, tasks, arms)
    caller = _caller(options)
    for model in dict.fromkeys([*(arm.model for arm in arms), *([judge_model] if judge_model else [])]):
        check_policy(caller, model)
        if options.budget is not None:
            check_price(caller, model)
    rows = read_rows(out)
    wanting = find_wanting(arms, tasks, options.runs, rows)
    budget = EvalBudget(out.with_name(f"{out.name}.spending"), options.budget)
    runner = EvalRunner(caller, budget, out, grader=grader, judge=judge)
    with show_steps("running") as show:
        made = runner.run(
            wanting, options.parallel, lambda number: show(f"{number:,} of {number_of(len(wanting), 'run')}")
        )
    _report(options, arms, read_rows(out), made, budget.spent_usd, out)


def _arms(options: RunOptions) -> "list[EvalArm]":
    from modicum.experiments.evaluation.eval_task import make_arms

    models = list(dict.fromkeys(model.strip() for model in options.models.split(",") if model.strip()))
    if not models:
        raise UserError("--models names no model; write --models gpt-4o,gpt-4o-mini")
    templates = [(path.stem, path.read_text(encoding="utf-8")) for path in options.prompts]
    for path, (name, text) in zip(options.prompts, templates, strict=True):
        if "{input}" not in text:
            raise UserError(f"the prompt {path} has no {{input}}, where the task's own prompt goes")
        if [each for each, _ in templates].count(name) > 1:
            raise UserError(f"two prompts are called '{name}'; their names are the arms, so rename one file")
    return make_arms(models, templates)


def _caller(options: RunOptions) -> "ModelCaller":
    from modicum.cli.evaluation.authorised import EvaluationPolicy
    from modicum.cli.evaluation.model_calls import ModelCaller

    settings = read_settings()
    url = options.url or f"http://{settings.gateway.listen}/v1"
    return ModelCaller(
        url,
        resources.load_prices(options.price_path, settings),
        speaks=options.speaks,
        key=os.environ.get(options.key_variable, ""),
        provider=options.provider,
        most_tokens=options.most_tokens,
        timeout_s=options.call_timeout,
        policy=EvaluationPolicy(settings, url, options.data_class),
    )


def _check_same(out: Path, options: RunOptions, tasks: "list[EvalTask]", arms: "list[EvalArm]") -> None:
    """Results of other tasks, prompts or graders in the same file would be taken for results of these.

    Raises:
        UserError: there are.
    """
    fixed = [tasks, options.grader, options.rubric, options.most_tokens, sorted(arm.template for arm in arms)]
    digest = hashlib.sha256(msgspec.json.encode(fixed)).hexdigest()
    path = out.with_name(f"{out.name}.plan")
    if path.exists() and path.read_text(encoding="ascii").strip() != digest:
        raise UserError(
            f"{out} holds results of other tasks, prompts or graders; name another file with --out, or delete it with "
            f"{path.name}"
        )
    if not path.exists():
        if out.exists():
            raise UserError(f"{out} is there and not from 'compare run'; name another file with --out")
        path.write_text(digest + "\n", encoding="ascii")


def _report(
    options: RunOptions,
    arms: "list[EvalArm]",
    rows: "list[EvalRow]",
    made: "EvalProgress",
    spent_usd: float,
    out: Path,
) -> None:
    from modicum.cli.comparison.tables import print_comparison
    from modicum.experiments.comparison import compare
    from modicum.experiments.comparison_pairs import ComparisonRules
    from modicum.experiments.evaluation.from_rows import describe_run, results_of_rows, sum_judges

    names = [arm.name for arm in arms if any(row.arm == arm.name for row in rows)]
    remarks = describe_run(rows, made.not_made, made.failures, options.budget)
    if not names:
        raise UserError(f"no run was made: {remarks[0] if remarks else 'nothing was to do'}")
    comparison = compare(results_of_rows(rows), ComparisonRules(margin=options.margin / 100), names=names)
    comparison = msgspec.structs.replace(comparison, remarks=[*remarks, *comparison.remarks])
    judges = sum_judges(rows)
    if options.as_json:
        output.print_json(
            msgspec.structs.asdict(comparison)
            | {
                "runs_made": made.made,
                "runs_not_made": made.not_made,
                "failures": made.failures,
                "spent_usd": spent_usd,
                "judge_cost_usd": judges,
                "results": str(out),
            }
        )
        return
    print_comparison(comparison)
    if judges is not None:
        click.echo(f"\njudges, in none of these figures: {output.dollars_of(judges)}")
    click.echo(f"\nspent or set aside in all: {output.dollars_of(spent_usd)}; results: {out}")
