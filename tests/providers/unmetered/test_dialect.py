import pytest

from modicum.providers.dialects import DIALECTS
from modicum.providers.unmetered.dialect import is_closed, path_name

OPENAI, ANTHROPIC, GEMINI = (DIALECTS[f"{name}-other"] for name in ("openai", "anthropic", "gemini"))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/fine_tuning/jobs", "path:/v1/fine_tuning/jobs"),
        ("/v1/threads/thread_8fbC2/runs?x=1", "path:/v1/threads/*/runs"),
        ("/v1beta/files/abc-123:download", "path:/v1beta/files/*:download"),
        ("/v1/evals/" + "a" * 200, "path:/v1/evals/*"),
        ("/v1/\u00e4", "path:/v1/*"),
        ("/v1/" + "a/" * 200, ("path:/v1/" + "a/" * 200)[:96]),
    ],
)
def test_a_path_has_a_short_name_without_ids(path, name):
    assert path_name(path) == name
    assert OPENAI.request(b"anything", path).model == name


def test_what_administers_an_account_or_hands_out_keys_is_closed():
    assert is_closed("/v1/organization/usage/completions")
    assert is_closed("/v1/realtime/client_secrets")
    assert not is_closed("/v1/organize")
    assert OPENAI.find("POST", "/v1/organization/projects") is None


def test_what_makes_something_is_a_call_and_what_reads_or_removes_is_none():
    assert OPENAI.find("POST", "/v1/evals").is_call
    assert not OPENAI.find("GET", "/v1/evals").is_call
    assert not OPENAI.find("DELETE", "/v1/evals/e_1").is_call
    assert OPENAI.find("OPTIONS", "/v1/evals") is None
    assert OPENAI.find("POST", "/evals") is None


def test_nothing_is_read_of_it_and_errors_are_in_the_words_of_its_api():
    assert (OPENAI.reply(b"{}").usage, OPENAI.segments(b"{"), OPENAI.blocks_of({})) == (None, [], [])
    assert b'"type":"error"' in ANTHROPIC.error(404, "no", "x")
    assert b"event: error" in ANTHROPIC.error_event(404, "no", "x")
    assert b'"status":"NOT_FOUND"' in GEMINI.error(404, "no", "x")
    tail = OPENAI.tail(usage_asked=True)
    assert tail.feed(b'data: {"usage":{"prompt_tokens":1}}\n\n').startswith(b"data")
    assert tail.facts().usage is None
