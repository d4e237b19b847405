import json

import pytest

from importers.fixture_pairs import cases_of, read
from modicum.importers.agents.kimi import places

CASES = {case.stem: case for case in cases_of("kimi")}


def wire(home, *names):
    path = home.joinpath(*names, "wire.jsonl")
    path.parent.mkdir(parents=True)
    return path


def test_agents_of_a_session_are_conversations_of_one_task(tmp_path):
    text = CASES["kimi-code"].read_text()
    sessions = ".kimi-code", "sessions", "wd_shop", "session_1", "agents"
    main, agent = wire(tmp_path, *sessions, "main"), wire(tmp_path, *sessions, "a-7")
    main.write_text(text)
    agent.write_text(text.replace("17776260", "17776270"))

    found = places(tmp_path, {})
    calls, _ = read([*found])

    assert found == [agent, main]
    assert {(call.task, call.conversation, call.agent) for call in calls} == {
        ("session_1", "session_1", ""),
        ("session_1", "session_1/a-7", "a-7"),
    }


def test_a_fork_and_a_subagents_echo_are_booked_once(tmp_path):
    for session in ("s1", "s2"):
        wire(tmp_path, session).write_text(CASES["kimi-cli"].read_text())
    rows = [json.loads(line) for line in CASES["kimi-cli"].read_text().splitlines()]
    echoed = {**rows[-1], "message": rows[-1]["message"]["payload"]["event"], "timestamp": rows[-1]["timestamp"] + 1}
    wire(tmp_path, "s1", "subagents", "a1").write_text(json.dumps(rows[0]) + "\n" + json.dumps(echoed))

    calls, _ = read([tmp_path])

    assert len({call.call_id for call in calls}) == 4


@pytest.mark.parametrize("name", ["kimi-code", "kimi-cli"])
def test_a_log_cut_off_in_front_is_known_by_its_rows(name, tmp_path):
    rows = CASES[name].read_text().splitlines()[3:]
    (tmp_path / "wire.jsonl").write_text("\n".join(rows))

    calls, problems = read([tmp_path])

    assert len(calls) >= 3
    assert not any("no known log format" in problem for problem in problems)
