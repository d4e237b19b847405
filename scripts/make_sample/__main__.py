"""Writes the sample that the package ships: a fortnight of a small, invented shop, with every kind of waste in it.

    python scripts/make_sample [FOLDER]

Three developers with coding agents, and five programs. All text is made here, from word lists, with fixed seeds. The
provider's side is played by `provider.py`.
"""

import csv
import sys
from datetime import UTC, datetime
from pathlib import Path

import services
from bodies import write_rows
from developers import ROLLOUTS, SESSIONS
from provider import Provider
from rollouts import Rollout
from text import Writer
from transcripts import Session

HOME = Path(__file__).resolve().parents[2] / "src/modicum/sample"


def main(folder: Path) -> None:
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    provider = Provider()
    outcomes: services.Outcomes = []
    for number, (name, person, branch, begin, story, passed) in enumerate(SESSIONS):
        session = Session(provider, name, person, branch, moment(begin), Writer(number))
        story(session)
        session.write(logs)
        outcomes.append((name, "tests_passed", passed, session.now))
    for number, (thread, branch, begin, tale, passed) in enumerate(ROLLOUTS):
        rollout = Rollout(provider, str(number), thread, "/home/cleo/shop", branch, moment(begin), Writer(50 + number))
        tale(rollout)
        rollout.write(logs)
        outcomes.append((thread, "tests_passed", passed, rollout.now))
    for service in (
        services.support(provider, outcomes),
        services.returns(provider),
        services.reports(provider, outcomes),
        services.contracts(provider),
        services.tags(provider),
    ):
        service.write(logs)
    write_rows(logs / "review-batch.jsonl.gz", services.reviews(moment("2026-03-12T02:00:00")))
    write_rows(logs / "copywriters.jsonl.gz", services.catalogue(provider, moment("2026-03-05T12:00:00")))
    with (folder / "outcomes.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(("task", "name", "value", "time"))
        for task, name, value, at in sorted(outcomes, key=lambda outcome: (outcome[3], outcome[0])):
            rows.writerow((task, name, f"{value:g}", f"{at:%Y-%m-%dT%H:%M:%SZ}"))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME)
