import json

import pytest

import modicum as library
from modicum.calls import UserError
from modicum.cli.terminal.output import json_text


@pytest.mark.parametrize("by", ["model", "day", "project,model", "skill"])
def test_a_bill_of_logs_has_the_figures_of_the_verb(modicum, logs, by):
    printed = modicum("bill", logs, "--by", by, "--json").json

    answer = library.bill(logs, by=by)

    assert json.loads(json_text(answer.to_dicts())) == printed["rows"]
    document = json.loads(json_text(answer.to_document()))
    assert document == {name: printed[name] for name in document}


def test_a_bill_of_the_ledger_has_the_figures_of_the_verb_under_the_same_conditions(modicum, logs):
    modicum("import", logs)
    printed = modicum("bill", "--by", "day", "--since", "2026-03-02", "--where", "source=claude-code", "--json").json

    answer = library.bill(by="day", since="2026-03-02", where={"source": "claude-code"})

    assert json.loads(json_text(answer.to_dicts())) == printed["rows"] != []


def test_what_could_not_be_read_stands_beside_the_figures(logs):
    (logs / "broken.jsonl").write_text('{"type":"assistant","sessionId":"s","parentUuid":null,\n')

    answer = library.bill(logs)

    assert answer.total.calls > 0
    assert answer.problems


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"by": "weather"}, "weather"),
        ({"by": "tool"}, "calls belong to no tool"),
        ({"since": "2026-05-01", "until": "2026-04-01"}, "does not come before"),
        ({"where": {"weather": "rain"}}, "weather"),
        ({"timezone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"prices_of": "no such day"}, "no such day"),
    ],
)
def test_a_question_that_means_nothing_is_answered_in_one_line(logs, arguments, words):
    with pytest.raises(UserError, match=words):
        library.bill(logs, **arguments)
