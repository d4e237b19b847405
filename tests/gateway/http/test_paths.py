import pytest

from modicum.gateway.http.paths import ASIDE, CALL, dialect_of, served
from modicum.gateway.http.refusal import Refused


@pytest.mark.parametrize(
    ("method", "path", "dialect", "what", "target"),
    [
        ("POST", "/v1/chat/completions", "openai-chat", CALL, "/chat/completions"),
        ("POST", "/v1/responses", "openai-responses", CALL, "/responses"),
        ("POST", "/v1/messages/count_tokens", "anthropic-messages", ASIDE, "/messages/count_tokens"),
        ("GET", "/v1/models", "openai-chat", ASIDE, "/models"),
        ("GET", "/v1beta/models/", "gemini-generate", ASIDE, "/models"),
        ("POST", "/v1beta/models/m:streamGenerateContent", "gemini-generate", CALL, "/models/m:streamGenerateContent"),
        ("POST", "/v1/models/m:countTokens", "gemini-generate", ASIDE, "/models/m:countTokens"),
    ],
)
def test_what_is_served(method, path, dialect, what, target):
    found = served(method, path, ())

    assert (found.dialect.name, found.what, found.target) == (dialect, what, target)


def test_anthropics_clients_list_anthropics_models():
    assert served("GET", "/v1/models", {b"anthropic-version"}).dialect.name == "anthropic-messages"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/models", 404),
        ("POST", "/v1beta/models/a/b:generateContent", 404),
        ("POST", "/v1beta/models/:generateContent", 404),
        ("GET", "/v1/models/m:generateContent", 404),
        ("POST", "/v1/chat/completions\n", 404),
    ],
)
def test_everything_else_is_refused(method, path, status):
    with pytest.raises(Refused) as refusal:
        served(method, path, ())

    assert refusal.value.status == status


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/v1/messages/batches", "anthropic-messages"),
        ("/v1beta/files", "gemini-generate"),
        ("/v1/models/m:embed", "gemini-generate"),
        ("/v1/models/m", "openai-chat"),
        ("/nothing", "openai-chat"),
    ],
)
def test_a_path_is_refused_in_the_words_of_whose_area_it_is_in(path, dialect):
    assert dialect_of(path).name == dialect
