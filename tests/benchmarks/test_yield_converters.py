"""The converters of the yield benchmark, on rows of our own."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import checkpoints
import tau2

ADA, BOB = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"


def row(checkpoint, session, lines=None, at="2026-02-03T12:00:00Z"):
    attribution = {} if lines is None else {"initial_attribution": {"agent_lines": lines}}
    return {"checkpoint_id": checkpoint, "session_id": session, "created_at": at} | attribution


def told(rows, name):
    return [(task, value) for task, kind, value, *_ in checkpoints.outcomes(rows) if kind == name]


def test_a_session_is_the_task_of_its_calls_without_the_day_in_front():
    assert checkpoints.task_of(f"2026-01-06-{ADA}") == ADA
    assert checkpoints.task_of("2026-plan") == "2026-plan"


def test_lines_of_a_commit_count_once_and_its_sessions_share_them():
    assert told([row("k", ADA, 90), row("k", BOB, 30)], "agent_lines") == [(ADA, 67.5), (BOB, 22.5)]
    assert told([row("k", ADA, 40), row("k", f"2026-01-06-{ADA}", 40)], "agent_lines") == [(ADA, 40)]
    assert told([row("k", ADA, 90), row("k", BOB, 30)], "commits") == [(ADA, 0.5), (BOB, 0.5)]


def test_no_attribution_is_unknown_and_no_lines_are_a_failure():
    assert told([row("k", ADA)], "agent_lines") == []
    assert told([row("k", ADA, 0)], "agent_lines") == [(ADA, 0.0)]


def message(role="assistant", **fields):
    return {"role": role, "timestamp": "2025-12-02T14:04:06", "usage": None, "cost": None} | fields


def document(*messages, reward=1.0, llm="gpt-4.1"):
    simulation = {"id": "s", "task_id": "7", "trial": 0, "end_time": "2025-12-02T14:05:00", "messages": messages}
    return {
        "info": {"agent_info": {"llm": llm}, "user_info": {"llm": "gpt-4.1"}},
        "simulations": [simulation | {"reward_info": None if reward is None else {"reward": reward}}],
    }


PATH = Path("airline__x.json.gz")
COUNTED = {"prompt_tokens": 3571, "completion_tokens": 34}


def test_calls_are_those_of_the_agent_and_the_opening_line_is_none():
    told = document(message(), message("user", usage=COUNTED), message(usage=COUNTED), message("tool"))

    assert [call["call_id"] for call in tau2.calls(PATH, told)] == ["tau2:s:2"]
    assert [call["agent"] for call in tau2.calls(PATH, told, with_user=True)] == ["user_simulator", ""]


def test_cached_tokens_follow_from_the_cost_that_stands_beside_the_sums():
    # 115 fresh at $2, 3,456 cached at $0.50 and 34 out at $8 a million.
    (call,) = tau2.calls(PATH, document(message(usage=COUNTED, cost=0.00223)))

    assert call["usage"] == {"input_uncached": 115, "cache_read": 3456, "output_visible": 34}
    assert call["usage_basis"] == "estimated"


@pytest.mark.parametrize("cost", [None, 0.0, 0.0022, 9.0])
def test_a_cost_that_implies_no_possible_count_is_not_believed(cost):
    assert tau2.cached_by_cost(3571, 34, cost, "gpt-4.1") is None


def test_the_providers_own_record_stands_above_the_sums_and_the_models_name():
    own = {"input_tokens": 5, "output_tokens": 3, "cache_read_input_tokens": 7}
    relay = {"prompt_tokens": 46, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 6989}}
    calls = list(
        tau2.calls(
            PATH,
            document(
                message(usage=COUNTED, raw_data={"model": "claude-sonnet-4-5", "usage": own}),
                message(usage=COUNTED | relay, raw_data={"model": "claude-opus-4-6", "usage": relay}),
            ),
        )
    )

    assert [(call["model"], call["provider"]) for call in calls] == [
        ("claude-sonnet-4-5", "anthropic"),
        ("claude-opus-4-6", "anthropic"),
    ]
    assert calls[0]["usage"] == {"input_uncached": 5, "cache_read": 7, "cache_write_5m": 0, "output_visible": 3}
    assert calls[1]["usage"] == {"input_uncached": 46, "cache_read": 6989, "output_visible": 3}


def test_a_message_that_nobody_counted_is_a_call_of_unknown_usage():
    (call,) = list(tau2.calls(PATH, document(message(), message())))

    assert "usage" not in call
    assert call["usage_basis"] == "unknown"


@pytest.mark.parametrize(("reward", "passed"), [(1.0, 1.0), (0.5, 0.0), (0.0, 0.0), (None, 0.0)])
def test_only_a_full_reward_is_a_pass(reward, passed):
    ((task, name, value, *_),) = tau2.outcomes(PATH, document(reward=reward))

    assert (task, name, value) == ("tau2/airline__x/7/0", "passed", passed)
