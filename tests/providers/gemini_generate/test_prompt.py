import json

import pytest

from modicum.calls.change import Change, DoesNotFit
from modicum.providers.prompt import GO_ON
from providers.prompt_rig import only, prompt, told


def called(name, call_id=None, **args):
    return {"functionCall": {"name": name, "args": args} | ({"id": call_id} if call_id else {})}


def answered(name, said, call_id=None):
    return {"functionResponse": {"name": name, "response": {"output": said}} | ({"id": call_id} if call_id else {})}


def gemini(*messages, **fields):
    roles = ("user", "model")
    contents = [{"role": roles[number % 2], "parts": list(parts)} for number, parts in enumerate(messages)]
    return prompt("gemini-generate", contents=contents, **fields)


def body(found, *left_out, **replaced):
    return json.loads(found.write(Change(left_out=frozenset(left_out), **replaced)))


PARALLEL = (
    [{"text": "look"}],
    [{"text": "hm", "thought": True}, called("search", q=1), called("search", q=2)],
    [answered("search", "one"), answered("search", "two")],
)


def test_calls_of_one_tool_made_at_once_belong_to_their_results_by_order():
    found = gemini(*PARALLEL)
    kinds = [kind for kind, *_ in told(found)]
    details = [unit.detail for unit in found.units]

    assert kinds == ["user", "reasoning", "tool_call", "tool_call", "tool_result", "tool_result"]
    assert details[2] == details[4] != details[3] == details[5]
    assert body(found, 3, 5)["contents"][1:] == [
        {"role": "model", "parts": [{"text": "hm", "thought": True}, called("search", q=1)]},
        {"role": "user", "parts": [answered("search", "one")]},
    ]
    with pytest.raises(DoesNotFit, match="go or stay together"):
        body(found, 2, 5)


def test_ids_tie_where_there_are_some():
    found = gemini(
        [{"text": "look"}],
        [called("search", "c1"), called("search", "c2")],
        [answered("search", "two", "c2"), answered("search", "one", "c1")],
    )

    assert [set(unit.links) for unit in found.units] == [set(), {"c1"}, {"c2"}, {"c2"}, {"c1"}]


def test_names_in_either_spelling_are_read_and_left_as_they_are():
    found = prompt(
        "gemini-generate",
        system_instruction={"parts": [{"text": "be brief"}]},
        tools=[{"function_declarations": [{"name": "a"}, {"name": "b"}]}],
        contents=[
            {"role": "user", "parts": [{"text": "hi"}, {"inline_data": {"mime_type": "image/png", "data": "AA=="}}]},
            {"role": "model", "parts": [{"function_call": {"name": "a"}}]},
            {"role": "user", "parts": [{"function_response": {"name": "a", "response": {"result": "long"}}}]},
        ],
    )

    assert [unit.kind.value for unit in found.units][2:5] == ["system", "user", "image"]
    changed = body(found, 1, replaced={2: "terse", 6: "short"})
    assert changed["system_instruction"] == {"parts": [{"text": "terse"}]}
    assert changed["tools"] == [{"function_declarations": [{"name": "a"}]}]
    assert changed["contents"][2]["parts"] == [{"function_response": {"name": "a", "response": {"result": "short"}}}]
    assert "systemInstruction" not in changed


def test_tools_of_googles_own_go_out_whole_and_an_entry_with_several_kinds_is_one():
    mixed = {"functionDeclarations": [{"name": "a"}], "codeExecution": {}}
    found = gemini([{"text": "hi"}], tools=[{"googleSearch": {}}, mixed])

    assert [unit.tool for unit in found.units[:2]] == ["googleSearch", "functionDeclarations"]
    assert body(found, 0)["tools"] == [mixed]
    assert "tools" not in body(found, 0, 1)


def test_the_last_message_of_the_user_leaves_a_place_where_the_model_would_have_the_last_word():
    found = gemini([{"text": "one"}], [{"text": "two"}], [{"text": "three"}])

    assert body(found, 2)["contents"][-1] == {"role": "user", "parts": [{"text": GO_ON}]}
    assert only(found, [found.units[1]]) is None


def test_a_result_that_is_more_than_one_text_is_not_replaced():
    odd = {"functionResponse": {"name": "f", "response": {"rows": [1, 2]}}}
    found = gemini([{"text": "look"}], [called("f")], [odd])

    assert found.units[2].text is None
    with pytest.raises(DoesNotFit, match="more than text"):
        body(found, replaced={2: "x"})


def test_what_stays_keeps_what_models_signed():
    signed = {**called("f", q=1), "thoughtSignature": "c2lnbmVk"}
    found = gemini([{"text": "a"}, {"text": "b"}], [signed], [answered("f", "long " * 50)])

    contents = body(found, 0, replaced={3: "short"})["contents"]
    assert contents == [
        {"role": "user", "parts": [{"text": "b"}]},
        {"role": "model", "parts": [signed]},
        {"role": "user", "parts": [answered("f", "short")]},
    ]
