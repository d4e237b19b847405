import pytest

from insights.planted import OUT, Conversation, history_of, user
from modicum.insights.findings.excess_output import find


def talk(*outputs):
    made = Conversation()
    for number, output in enumerate(outputs):
        made.call(user(f"step {number}", 10), output=output)
    return made


def test_output_beyond_the_percentile_of_its_route():
    found = find(history_of(talk(*[100] * 18, 1000, 3000)))  # 95 % of 20 replies are the 19 shortest

    assert (found.calls, found.tokens) == (1, 2000)
    assert found.gross_usd == pytest.approx(2000 * OUT)


def test_even_routes_and_short_histories_are_left_alone():
    assert find(history_of(talk(*range(100, 140)))).calls == 0
    assert find(history_of(talk(*[100] * 10, 9000))).calls == 0
