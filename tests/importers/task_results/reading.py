"""Reads a file of results that a test wrote."""

import json

from modicum.calls import Problem
from modicum.importers.task_results.read_results import read_task_results
from modicum.importers.task_results.result_format import ResultOptions


def read(*paths, **options):
    items = list(read_task_results(paths, ResultOptions(**options)))
    problems = [item for item in items if isinstance(item, Problem)]
    return [item for item in items if not isinstance(item, Problem)], [problem.reason for problem in problems]


def written(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path
