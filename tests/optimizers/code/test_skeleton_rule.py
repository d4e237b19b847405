"""Code that a tool returned: without bodies of functions, and with what says how to read them."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum import select
from modicum.calls import UserError
from modicum.calls.call import NOBODY
from modicum.calls.facts import Facts
from modicum.calls.rule import RuleEffect
from modicum.optimizers.all_rules import CONTENT_RULES, RULES
from modicum.optimizers.code import skeleton_rule
from modicum.optimizers.code.skeleton_rule import CODE_SKELETON, FEWEST_CHARACTERS, code_skeleton
from modicum.optimizers.result_cut import MARK, READ_TOOL, ReadableCuts, read_cut
from modicum.optimizers.rule_choice import OwnerChoice, RuleChoice
from modicum.optimizers.running import RequestCall, run_rules
from modicum.providers.dialects import DIALECTS

FUNCTION = "func (c *Cart) Total{0}(items []int) int {{\n{1}\treturn {0}\n}}\n\n"
BODY = "".join(
    f"\titems = append(items, {number}) // what is added here stands in no signature\n" for number in range(12)
)
CODE = 'package cart\n\nimport "fmt"\n\n' + "".join(FUNCTION.format(number, BODY) for number in range(12))
NUMBERED = "\n".join(f"{number:6}→{line}" for number, line in enumerate(CODE.split("\n"), 41))
FACTS = Facts(at=datetime(2026, 11, 30, tzinfo=UTC), model="m")


def body(*results, question="look at it"):
    """A request in which a tool returned these texts, one after another."""
    messages = [{"role": "user", "content": question}]
    for number, text in enumerate(results):
        call = {"id": f"c{number}", "type": "function", "function": {"name": "read", "arguments": "{}"}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{number}", "content": text},
        ]
    return json.dumps({"model": "m", "messages": messages}).encode()


def after(request, facts=FACTS, rules=(CODE_SKELETON,)):
    """What stands in the results after rules, and the decisions."""
    call = RequestCall(DIALECTS["openai-chat"], request, facts)
    decisions = run_rules(rules, call)
    return [one["content"] for one in json.loads(call.body)["messages"] if one["role"] == "tool"], decisions


def test_bodies_of_functions_go_and_each_gap_says_which_lines_of_the_file_it_was():
    (shown,), (decision,) = after(body(NUMBERED))

    assert decision.effect is RuleEffect.CHANGED
    assert decision.change.why == "code as skeletons: 1 tool result"
    assert len(shown) < len(NUMBERED) / 4
    assert [line for line in shown.split("\n") if "func" in line] == [
        one for one in NUMBERED.split("\n") if "func" in one
    ]
    assert shown.split("\n")[5] == f"{MARK}lines 46 to 58 of the file left out; read that range of it to see them]"


def test_what_was_left_out_is_read_back_to_the_byte_by_the_tool_of_the_gateway():
    shown = code_skeleton(CODE, is_readable=True)
    notes = re.findall(rf'{READ_TOOL.name} with result="(\w+)", start=(\d+), end=(\d+)', shown)

    restored = iter(shown.split("\n"))
    parts = iter([read_cut([CODE], handle, int(start), int(end)) for handle, start, end in notes])
    assert "\n".join(next(parts) if line.startswith(MARK) else line for line in restored) == CODE
    assert len(notes) == 12
    (through_rule,), _ = after(body(CODE), FACTS.__class__(at=FACTS.at, model="m", features=(ReadableCuts(),)))
    assert through_rule == code_skeleton(CODE, "look at it", is_readable=True)


def test_the_question_before_a_result_keeps_its_lines_and_later_ones_change_nothing():
    special = CODE.replace("\treturn 7\n", "\treturn voucher\n")
    (shown,), _ = after(body(special, question="why is the voucher returned"))
    assert "return voucher" in shown
    call = json.loads(body(special, question="why is the voucher returned"))
    call["messages"].append({"role": "user", "content": "and what is appended to items?"})

    assert after(json.dumps(call).encode())[0] == [shown]


def test_it_runs_only_where_it_is_named():
    def on(*names, off=()):
        return CODE_SKELETON in RuleChoice(RULES, (OwnerChoice(on=names, off=off),)).of_owner(NOBODY)

    assert [on("content.code_skeleton"), on("content"), on("all"), on()] == [True, False, False, False]
    assert not on("content.code_skeleton", off=("content",))
    why = RuleChoice(RULES, (OwnerChoice(on=("all",)),)).why_off(CODE_SKELETON, NOBODY)
    assert why == "it is lossy, so its owner has to choose it by its name"


def test_short_files_other_texts_and_failing_grammars_stay(monkeypatch):
    short, prose = CODE[: FEWEST_CHARACTERS - 1], "The cart is full of things.\n" * 400
    assert after(body(short, prose, code_skeleton(CODE))) == ([short, prose, code_skeleton(CODE)], [])

    def missing(_language):
        raise UserError("reading code needs a package that is not installed: pip install 'modicum[code]'")

    monkeypatch.setattr("modicum.optimizers.code.skeletons.parser_of", missing)
    monkeypatch.setattr(skeleton_rule, "_memory", skeleton_rule.EditMemory(skeleton_rule._cut_key))
    (same,), (decision,) = after(body(NUMBERED))
    assert (same, decision.effect) == (NUMBERED, RuleEffect.NOT_DECIDABLE)
    assert "pip install 'modicum[code]'" in decision.why


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from([FUNCTION.format(3, BODY), FUNCTION.format(1, ""), "שלום\n", MARK, "}\n"]), max_size=6),
    st.booleans(),
)
def test_it_is_idempotent_never_larger_and_gets_along_with_the_rules_behind_it(parts, is_numbered):
    text = "package a\n\nfunc b() {\n}\n\ntype c struct {\n}\n" + "".join(parts)
    text = "\n".join(f"{n:6}→{line}" for n, line in enumerate(text.split("\n"), 1)) if is_numbered else text

    shown = code_skeleton(text, "items")

    assert len(shown) <= len(text)
    assert code_skeleton(shown, "items") == shown
    assert len(after(body(text), rules=(CODE_SKELETON, *CONTENT_RULES))[0][0]) <= len(text)


def test_select_takes_skeletons_of_code_and_says_where_its_passages_stand():
    chosen = select([{"title": "cart.go", "text": CODE}, "items are added"], "items of Total3", 900, skeletons=True)

    assert all(CODE[one.start : one.end] == one.text for one in chosen.passages if one.document == 0)
    assert "func (c *Cart) Total3(items []int) int {" in chosen.text()
    assert "items, 3)" not in chosen.text()
    assert "items, 3)" in select([CODE], "items of Total3", 600).text()
    with pytest.raises(UserError, match="a document is a text"):
        select([7], "x", 5, skeletons=True)
