import json

import pytest

import modicum as library
from modicum.calls import UserError
from modicum.cli.terminal.output import json_text


def test_an_audit_of_logs_has_the_findings_of_the_verb(modicum, logs):
    printed = modicum("audit", logs, "--json").json

    answer = library.audit(logs)

    assert json.loads(json_text(answer.to_dicts())) == printed["findings"] != []
    assert (answer.calls, answer.cost_usd) == (printed["calls"], pytest.approx(printed["cost_usd"]))


def test_a_finding_that_is_none_is_named(logs):
    with pytest.raises(UserError, match="B99"):
        library.audit(logs, only=["B99"])


def test_one_finding_and_one_change_need_no_list(logs):
    alone = library.audit(logs, only="B3", what_if="cache_ttl=1h")

    assert alone.to_dicts() == library.audit(logs, only=["B3"], what_if=["cache_ttl=1h"]).to_dicts()
    assert alone.what_if is not None
