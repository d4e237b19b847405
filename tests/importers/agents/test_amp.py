import json

from importers.fixture_pairs import cases_of, read
from modicum.calls import Basis


def test_a_reply_that_cannot_be_counted_leaves_its_event(tmp_path):
    thread = json.loads(cases_of("amp")[0].read_text())
    thread["messages"][1]["usage"]["outputTokens"] = -1
    (tmp_path / "T-1.json").write_text(json.dumps(thread))

    calls, problems = read([tmp_path])

    event = next(call for call in calls if call.call_id.endswith("ev1"))
    assert event.usage_basis is Basis.LOWER_BOUND
    assert any("outputTokens" in problem for problem in problems)


def test_an_export_cut_off_is_a_problem(tmp_path):
    (tmp_path / "T-1.json").write_text(cases_of("amp")[0].read_text()[:-40])

    calls, problems = read([tmp_path])

    assert calls == []
    assert "not valid JSON" in problems[0]
