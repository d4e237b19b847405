"""Ninety requests of real clients across providers, beside LiteLLM's proxy: which are refused, which arrive rightly.

`--translation` does that; `--cases` prints each case.
"""

import argparse

import measured
from translation_peers import compare


def translation(*, each):
    rows = compare()
    if each:
        for case, ours, litellm in rows:
            words = f"{_word(ours):8} {_word(litellm):8}"
            print(f"{case.door:18} {case.upstream:18} {case.name:52} {words} {litellm.why[:90]}")
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
    parser.add_argument("--translation", action="store_true", help="the ninety cases beside LiteLLM")
    parser.add_argument("--cases", action="store_true", help="with --translation: each case")
    arguments = parser.parse_args()
    figures = translation(each=arguments.cases)
    measured.report({"machine": measured.machine(), **figures}, as_json=arguments.json)


if __name__ == "__main__":
    main()
