"""What a dialect gets that says nothing special about itself."""

import json

import pytest

from modicum.providers.dialect import Dialect, DialectApi, quoted
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
