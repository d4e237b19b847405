from datetime import timedelta

from experiments.samples import START
from ledger.samples import entry
from modicum.calls import Outcome
from modicum.experiments.verifier_errors import read_verifier_errors
from modicum.ledger.records import OUTCOMES


def book_cascade(store, verdicts, values, name="json"):
    """Tasks t0, t1, ..., each with the verdicts on its answers, and the outcome of those that have one."""
    store.append(
        [
            entry(f"{name}{task}-{number}", task=f"t{task}", started=START, tags={f"cascade.{name}": verdict})
            for task, of_task in enumerate(verdicts)
            for number, verdict in enumerate(of_task)
        ]
    )
    store.append_records(
        OUTCOMES,
        [
            Outcome(outcome_id=f"o{task}", task=f"t{task}", name="resolved", value=value, time=START)
            for task, value in enumerate(values)
            if value is not None
        ],
    )


def test_tasks_all_of_whose_answers_were_believed_are_graded(store):
    believed, refused = "believed", "refused:no_json"
    book_cascade(
        store,
        [[believed], [believed, believed], [believed, refused], [refused], [believed]],
        [1.0, 0.0, 0.0, 0.0, None],
    )

    found = read_verifier_errors(store, "json", "resolved", START)

    assert (found.tasks, found.tasks_refused, found.graded, found.wrong, found.share) == (5, 2, 2, 1, 0.5)
    assert 0 < found.wrong_low < 0.5 < found.wrong_high < 1
    later = read_verifier_errors(store, "json", "resolved", START + timedelta(seconds=1))
    assert (later.tasks, later.share, later.wrong_low) == (0, None, None)
    assert read_verifier_errors(store, "other", "resolved", START).tasks == 0
