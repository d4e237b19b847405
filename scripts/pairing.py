"""Fails when a source file lacks its test file, or a test file its source.

`src/modicum/calls/usage.py` is tested by `tests/calls/test_usage.py`. A file without logic (fields, constants,
protocols) needs none, nor does a log format whose fixtures show all that it does.
"""

import ast
import sys
from pathlib import Path

TESTS_WITHOUT_SOURCE: dict[str, str] = {
    "agents/test_simulator.py": "teams whose truth is known, for tests and benchmarks",
    "browser/test_audit_page.py": "the audit's page with names that do not fit, in a real browser",
    "browser/test_console.py": "the console over the sample, in a real browser",
    "browser/test_beside_the_gateway.py": "the console of `modicum up`, in a real browser",
    "test___main__.py": "the command before it is loaded",
    "test_json_types.py": "types of the code as the published schemas of `--json` have them",
    "test_names.py": "names in all of the source",
    "optimizers/test_bad_requests.py": "requests that no API documents, through every rule in every dialect",
    "context/test_doors.py": "one conversation through every door of context/, the importers and the gateway",
    "context/test_former_version.py": "a ledger and a journal of the version before",
    "gateway/budgets/test_shared.py": "two gateways and one server that counts for both",
    "gateway/budgets/test_losses.py": "processes that share counters and are killed like their server, in any order",
    "gateway/budgets/test_overruns.py": "the kinds of overruns that were found in public, through the whole gateway",
    "gateway/budgets/test_energy_budgets.py": "budgets in joules, through the whole gateway",
    "gateway/budgets/test_many_callers.py": "200 callers at once on one budget, through the whole gateway",
    "gateway/budgets/test_odd_moments.py": "clocks that step, settings that change and callers that stop reading, through the whole gateway",
    "gateway/budgets/test_agents_at_the_limit.py": "what becomes of an agent in the middle of its work, through the whole gateway",
    "gateway/test_clouds.py": "models that clouds serve, through the whole gateway",
    "gateway/batches/test_gemini_files.py": "uploads and batches of Google's client, through the whole gateway",
    "gateway/test_gemini_door.py": "Google's client in front of models of others, through the whole gateway",
    "gateway/test_known_cases.py": "replies with known right figures, through the whole gateway",
    "gateway/callers/test_plans.py": "credentials of plans, through the whole gateway",
    "gateway/test_all_paths.py": "every path that is metered, through the whole gateway",
    "gateway/test_known_charges.py": "what is charged beside plain tokens, through the whole gateway",
    "console/test_figures_of_verbs.py": "every table of the console beside the verb that it names",
    "ledger/rollups/test_rolled_answers.py": "sums of days beside the entries, whatever happens to these, on both engines",
    "insights/test_planted_waste.py": "mutation check of all findings together",
    "benchmarks/test_second_prices.py": "the price list beside a second source, with benchmarks/second_prices.py",
    "benchmarks/test_audit_truth.py": "savings beside the truth of benchmarks/cache_provider.py",
    "benchmarks/test_translation_cases.py": "tests benchmarks/translation_cases, and every translation with it",
    "benchmarks/test_fuzz.py": "tests benchmarks/bench_fuzz.py, and every decoder and reader with a little of it",
    "benchmarks/test_cascade_strategies.py": "tests benchmarks/cascade_strategies.py",
    "benchmarks/test_yield_converters.py": "tests benchmarks/checkpoints.py and benchmarks/tau2.py",
    "cli/trials/test_gateway.py": "a trial that `modicum up` meters and holds",
    "experiments/test_bad_input.py": "data that carry no verdict, one kind each, for compare, trial and experiment",
    "cli/budgets/test_kills.py": "a budget under `modicum up` whose processes are killed",
    "cli/test_cli.py": "tests cli/__init__.py",
    "routing/test_bad_input.py": "what routing must not be fooled by, a test each, through all of its parts",
    "providers/test_adding_a_dialect.py": "a toy dialect, and who names the others",
    "statistics/test_betting_against_ville.py": "betting.py and randomised.py beside an independent library",
    "importers/test_every_format.py": "the fixtures of every log format",
    "test_packaging.py": "what lies in packaging/",
    "test_docs_commands.py": "tests docs_commands.py beside it: the commands that README and docs print",
    "test_docs.py": "holds the docs to the code",
    "test_hostile_files.py": "every reader and every verb at once, with files that are none",
    "test_install.py": "tests scripts/install-lock",
    "test_unknown_numbers.py": "every reader at once, with a number that nobody knows",
    "test_same_problems.py": "bill, counting, audit and import over the same files",
    "test_every_verb.py": "what holds for every verb, and docs/verbs.md beside it",
    "test_first_week.py": "the commands of the pages for readers, as they are printed",
    "test_first_use.py": "the first ten minutes of five readers, by the commands that the documentation names",
    "test_sample.py": "holds the sample to what writes it, and to what a newcomer has to see",
}


def has_logic(path: Path) -> bool:
    """Whether any function of the file does something: more than a docstring, `...` or `pass`."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(
        not isinstance(statement, ast.Pass)
        and not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, functions)
        for statement in node.body
    )


def has_fixtures(path: Path, fixtures: Path) -> bool:
    """Whether it is a log format (it has a `FORMAT`) with a fixture pair, which `tests/importers/test_every_format.py` reads."""
    constants = {
        target.id: node.value.value if isinstance(node.value, ast.Constant) else ""
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return "FORMAT" in constants and any((fixtures / str(constants.get("NAME"))).glob("*.calls.json"))


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    source_root = root / "src/modicum"
    sources = {
        str(path.relative_to(source_root)) for path in source_root.rglob("*.py") if not path.name.startswith("__")
    }
    tests = {str(path.relative_to(root / "tests")) for path in (root / "tests").rglob("test_*.py")}
    wanted = {str(Path(name).with_name(f"test_{Path(name).name}")): name for name in sources}
    faults = [
        f"src/modicum/{source} has no tests/{test}"
        for test, source in sorted(wanted.items())
        if test not in tests
        and has_logic(source_root / source)
        and not has_fixtures(source_root / source, root / "tests/importers/fixtures")
    ]
    faults += [
        f"tests/{test} tests no source file" for test in sorted(tests - set(wanted)) if test not in TESTS_WITHOUT_SOURCE
    ]
    for fault in faults:
        print(fault)  # noqa: T201 - a script's output
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
