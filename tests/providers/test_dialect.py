"""What a dialect gets that says nothing special about itself."""

import json

import pytest

from modicum.providers.dialect import Dialect, DialectApi, quoted
from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import DialectError, ReplyFacts, RequestFacts
from modicum.providers.own_reply import OwnText


class Plain(Dialect):
    """No more than what every dialect has to say."""

    name = "plain"
    api = DialectApi("plain")

    def request(self, body, path):  # noqa: ARG002 - the path says nothing here
        return RequestFacts(model=json.loads(body)["model"])

    @staticmethod
    def blocks_of(request):  # noqa: ARG004 - it has none
        return []

    def reply(self, body):  # noqa: ARG002 - all are good
        return ReplyFacts(complete=True)

    def tail(self, usage_asked):
        raise NotImplementedError

    def error(self, status, message, kind):
        return json.dumps([status, message, kind]).encode()


PLAIN = Plain()


def test_its_key_is_a_bearer_token_and_its_streams_end_with_the_connection():
    assert (PLAIN.api.key_header, PLAIN.api.key_prefix) == (b"authorization", b"Bearer ")
    assert (PLAIN.stream_ends, PLAIN.streams_json, PLAIN.overloaded_status) == ((), False, 503)


def test_it_tells_usage_unasked_and_has_the_model_in_the_body():
    assert PLAIN.with_usage_asked(b'{"model": "m"}') == b'{"model": "m"}'
    assert PLAIN.target_for("/v1/talk", "another") == "/v1/talk"
    assert PLAIN.find("GET", "/v1/models") is None


def test_an_error_in_a_stream_is_the_same_body_as_an_event():
    assert PLAIN.error_event(502, "it broke off", "broken") == b'data: [502, "it broke off", "broken"]\n\n'


def test_without_a_shape_and_words_it_is_not_taken_apart_and_gets_no_reply_of_our_own():
    own = OwnText("1", "m", "hi", 0, stream=False, usage_asked=True)

    assert PLAIN.prompt(b"{}") is None
    assert PLAIN.reply_text(b"{}", stream=False) is None
    assert PLAIN.own_reply(own) is None


def test_what_it_must_say_itself_cannot_be_left_out():
    class Silent(Dialect):
        name = "silent"
        api = DialectApi("silent")

    with pytest.raises(TypeError, match="abstract method"):
        Silent()


@pytest.mark.parametrize(
    ("decoded", "path"),
    [
        ("/models/gemini-2.5:generateContent", "/models/gemini-2.5:generateContent"),
        ("/models/a?key=b", "/models/a%3Fkey=b"),
        ("/models/a#b c", "/models/a%23b%20c"),
        ("/models/ä", "/models/%C3%A4"),
    ],
)
def test_nothing_in_a_decoded_path_begins_a_query(decoded, path):
    assert quoted(decoded) == path


def test_a_refusal_says_what_its_answer_needs():
    error = DialectError(429, "the budget is spent", "budget_exceeded")

    assert PLAIN.error(error.status, error.message, error.kind) == b'[429, "the budget is spent", "budget_exceeded"]'


LINE = "[modicum: budget 'b': 1 of 9 left.]"
MARKED = {"cache_control": {"type": "ephemeral"}}
THINKS = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
ADDED = {"type": "text", "text": LINE}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "3 kg"}


def with_line(dialect, **request):
    body = DIALECTS[dialect].with_last_line(json.dumps({"model": "m", **request}).encode(), LINE)
    return None if body is None else json.loads(body)


def user(content, **more):
    return {"role": "user", "content": content, **more}


CHAT_RESULT = {"role": "tool", "tool_call_id": "c"}
RETURNED = {"type": "function_call_output", "call_id": "c"}
MARKED_TEXT = {"type": "text", "text": "Hi", **MARKED}
INPUT, INPUT_ADDED = {"type": "input_text", "text": "Hi"}, {"type": "input_text", "text": LINE}


@pytest.mark.parametrize(
    ("dialect", "field", "last", "after"),
    [
        ("openai-chat", "messages", user("Hi"), user(f"Hi\n\n{LINE}")),
        ("openai-chat", "messages", user([MARKED_TEXT]), user([MARKED_TEXT, ADDED])),
        ("openai-chat", "messages", CHAT_RESULT | {"content": "3"}, CHAT_RESULT | {"content": f"3\n\n{LINE}"}),
        ("openai-responses", "input", user("Hi"), user(f"Hi\n\n{LINE}")),
        ("openai-responses", "input", user([INPUT]), user([INPUT, INPUT_ADDED])),
        ("openai-responses", "input", RETURNED | {"output": "3"}, RETURNED | {"output": f"3\n\n{LINE}"}),
        ("anthropic-messages", "messages", user("Hi"), user([{"type": "text", "text": "Hi"}, ADDED])),
        ("anthropic-messages", "messages", user([MARKED_TEXT]), user([MARKED_TEXT, ADDED])),
        ("anthropic-messages", "messages", user([{**RESULT, **MARKED}]), user([{**RESULT, **MARKED}, ADDED])),
    ],
)
def test_a_last_line_stands_behind_what_the_caller_wrote_and_changes_nothing_of_it(dialect, field, last, after):
    before = [user("first"), {"role": "assistant", "content": "ok"}]

    assert with_line(dialect, **{field: [*before, last]}) == {"model": "m", field: [*before, after]}


def test_a_last_line_goes_into_the_result_of_a_tool_where_the_model_thinks():
    changed = with_line("anthropic-messages", messages=[user([RESULT])], **THINKS)

    assert changed["messages"] == [user([{**RESULT, "content": [{"type": "text", "text": "3 kg"}, ADDED]}])]
    assert with_line("openai-responses", input="Hi") == {"model": "m", "input": f"Hi\n\n{LINE}"}


@pytest.mark.parametrize(
    ("dialect", "request_"),
    [
        ("openai-chat", {"messages": [user("Hi"), {"role": "assistant", "content": "The"}]}),
        ("openai-chat", {"messages": [user("Hi", **MARKED)]}),
        ("openai-chat", {"messages": []}),
        ("openai-chat", {"messages": 7}),
        ("openai-chat", {"messages": [7]}),
        ("openai-chat", {}),
        ("openai-responses", {"input": [{"type": "computer_call_output", "call_id": "c", "output": {"type": "x"}}]}),
        ("openai-responses", {"input": [{"type": "local_shell_call_output", "id": "c", "output": "{}"}]}),
        ("openai-responses", {"input": [{"role": "assistant", "content": "The"}]}),
        ("anthropic-messages", {"messages": [user("Hi")], **MARKED}),
        ("anthropic-messages", {"messages": [user([{**RESULT, **MARKED}])], **THINKS}),
        ("anthropic-messages", {"messages": [user("Hi"), {"role": "assistant", "content": "The"}]}),
        ("anthropic-messages", {"messages": [user([])]}),
        ("anthropic-messages", {"messages": [user(None)]}),
        ("gemini-generate", {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}),
        ("openai-embeddings", {"input": "Hi"}),
    ],
)
def test_there_is_no_last_line_where_it_has_no_place(dialect, request_):
    assert with_line(dialect, **request_) is None


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())
def test_whether_results_of_tools_may_be_there_is_what_the_prompt_says(dialect):
    marks = [
        mark for one in DIALECTS.values() if one.prompt_shape is not None for mark in one.prompt_shape.result_marks
    ]
    for body in (b'{"messages": []}', *(b'{"messages": [{%b: 1}]}' % mark for mark in marks)):
        prompt = dialect.prompt(body)
        assert dialect.may_hold_results(body) is (True if prompt is None else prompt.may_hold_results)
