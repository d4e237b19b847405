"""Real clients before a gateway: text, streams, tools, structured output, errors and cancelling, and what is booked.

Each client is installed once into an environment of its own in the user's cache folder (3.5 GB). `--translation`:
ninety requests across providers and twenty-four of Gemini's clients instead, beside LiteLLM's proxy.
"""

import argparse
import tempfile
from pathlib import Path

import client_suite
import measured
from translation_cases.case import GEMINI
from translation_peers import compare


def clients(only, *, table):
    with tempfile.TemporaryDirectory(prefix="modicum-clients-") as folder:
        rows, llama = client_suite.run_all(Path(folder), only)
    if table:
        print_table(rows)
    for row in rows:
        if not row.ok:
            print(f"{row.client}, {row.cell}: {row.why}")
    return {
        "clients": len({row.client for row in rows}),
        "cells": len(rows),
        "cells_green": sum(row.ok for row in rows),
        **{f"llama_{name}": value for name, value in llama._asdict().items()},
        "llama_counters_agree": llama.agree,
    }


def print_table(rows):
    """The cells as a table of Markdown; `-`: the client has no such thing, or none that can be asked for here."""
    print(f"| client | version | {' | '.join(client_suite.CELLS)} |")
    print(f"|---|---|{'---|' * len(client_suite.CELLS)}")
    for client in dict.fromkeys(row.client for row in rows):
        cells = {row.cell: row for row in rows if row.client == client}
        words = ["-" if name not in cells else "yes" if cells[name].ok else "**no**" for name in client_suite.CELLS]
        print(f"| {client} | {next(iter(cells.values())).version} | {' | '.join(words)} |")


def translation(*, each):
    rows = compare()
    if each:
        for case, ours, litellm in rows:
            words = f"{_word(ours):8} {_word(litellm):8}"
            print(f"{case.door:18} {case.upstream:18} {case.name:52} {words} {litellm.why[:90]}")
    ninety = [row for row in rows if row[0].door != GEMINI]
    from_gemini = _figures([row for row in rows if row[0].door == GEMINI])
    return _figures(ninety) | {f"gemini_door_{name}": figure for name, figure in from_gemini.items()}


def _figures(rows):
    changed = sum(case.rightly_refused and litellm.served for case, _, litellm in rows)
    served_rightly = [(ours, litellm) for _, ours, litellm in rows if litellm.served and litellm.right]
    return {
        "cases": len(rows),
        "right_modicum": sum(ours.right for _, ours, _ in rows),
        "right_litellm": sum(litellm.right for *_, litellm in rows),
        "refused_that_litellm_serves_rightly": sum(not ours.served for ours, _ in served_rightly),
        "wrong_that_litellm_serves_rightly": sum(not ours.right for ours, _ in served_rightly),
        "served_by_litellm_with_another_meaning": changed,
    }


def _word(result):
    if result.right:
        return "right" if result.served else "refuses"
    return "wrong" if result.served else "refused"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", help="not used")
    parser.add_argument("--only", default="", help="clients whose names hold this")
    parser.add_argument("--table", action="store_true", help="print the cells as a table, too")
    parser.add_argument("--translation", action="store_true", help="the cases beside LiteLLM")
    parser.add_argument("--cases", action="store_true", help="with --translation: each case")
    arguments = parser.parse_args()
    if arguments.translation:
        figures = translation(each=arguments.cases)
    else:
        figures = clients(arguments.only, table=arguments.table)
    measured.report({"machine": measured.machine(), **figures}, as_json=arguments.json)


if __name__ == "__main__":
    main()
