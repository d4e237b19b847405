from hooks.events import LOG
from modicum.hooks.agents import HookedResult
from modicum.hooks.shortening import shorten
from modicum.optimizers.all_rules import CONTENT_RULES
from modicum.optimizers.line_numbers import LINE_NUMBERS
from modicum.sdk.optimizing import optimize

RESULT = HookedResult("Bash", f"\x1b[31m{LOG}\x1b[0m", "s", "1", "cat server.log")


def raise_error(error):
    raise error


def test_the_rules_make_the_same_of_a_result_as_the_library(tmp_path):
    *_, (_, text) = shorten(RESULT, None, raise_error)
    call = {"id": "1", "type": "function", "function": {"name": "Bash", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "cat server.log"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": RESULT.text},
    ]
    tools = [{"type": "function", "function": {"name": "edit"}}]

    assert optimize(messages, on="all", tools=tools).messages[2]["content"] == text


def test_only_chosen_rules_run_and_one_that_fails_changes_nothing(monkeypatch):
    assert [name for name, _ in shorten(RESULT, frozenset({"content.terminal"}), raise_error)] == ["content.terminal"]
    broken = LINE_NUMBERS._replace(decide=lambda *_: 1 / 0)
    rules = tuple(broken if rule is LINE_NUMBERS else rule for rule in CONTENT_RULES)
    monkeypatch.setattr("modicum.hooks.shortening.CONTENT_RULES", rules)
    errors = []

    names = [name for name, _ in shorten(RESULT, None, errors.append)]

    assert names == ["content.terminal", "content.log_fold"]
    assert [type(error) for error in errors] == [ZeroDivisionError]
