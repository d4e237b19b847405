import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from modicum.hooks.spend_memory import KEPT_S, STEP_S, SpendMemory, block_of

NOW = 1_800_000_000.0


def test_what_a_session_spent_since_the_last_time_is_added(tmp_path):
    memory = SpendMemory(tmp_path)
    memory.add("a", 1.0, NOW, NOW - 1)
    memory.add("b", 0.5, NOW + 10, NOW + 9)
    steps = memory.add("a", 1.25, NOW + STEP_S, NOW - 1)

    assert list(steps.values()) == [1.5, 0.25]
    assert memory.add("a", 1.25, NOW + STEP_S, NOW - 1) == steps


def test_a_session_that_begins_anew_starts_from_nothing(tmp_path):
    memory = SpendMemory(tmp_path)
    memory.add("a", 3.0, NOW, NOW - 1)

    assert sum(memory.add("a", 0.5, NOW + 1, NOW).values()) == 3.5


def test_what_was_spent_before_this_memory_is_not_of_today(tmp_path):
    memory = SpendMemory(tmp_path)

    assert memory.add("old", 9.0, NOW, NOW - 86_400) == {}
    assert sum(memory.add("old", 9.5, NOW, NOW - 86_400).values()) == 0.5


def test_it_forgets_after_eight_days(tmp_path):
    memory = SpendMemory(tmp_path)
    memory.add("a", 1.0, NOW, NOW)

    assert list(memory.add("a", 1.5, NOW + KEPT_S + STEP_S, NOW).values()) == [0.5]


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"schema": 99}', '{"schema": 1, "sessions": 3, "steps": []}'])
def test_a_broken_file_is_begun_anew(tmp_path, broken):
    (tmp_path / "spend.json").write_text(broken)

    assert sum(SpendMemory(tmp_path).add("a", 1.0, NOW, NOW).values()) == 1.0
    assert json.loads((tmp_path / "spend.json").read_text())["sessions"] == {"a": 1.0}


def test_sessions_at_once_lose_nothing(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: SpendMemory(tmp_path).add(f"s{n}", 1.0, NOW, NOW), range(16)))

    assert sum(SpendMemory(tmp_path).add("last", 0.0, NOW, NOW).values()) == 16.0


def test_the_block_that_runs_now():
    steps = {int(NOW) - 6 * 3600: 7.0, int(NOW) - 600: 1.0, int(NOW) - 300: 0.5}

    usd, ends = block_of(steps, NOW)
    assert usd == 1.5
    assert NOW < ends <= NOW + 5 * 3600
    assert block_of({int(NOW) - 6 * 3600: 7.0}, NOW) is None
    assert block_of({}, NOW) is None
