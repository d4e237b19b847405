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


@pytest.mark.parametrize(
    ("path", "target", "deployment"),
    [
        ("/openai/deployments/mine/chat/completions", "/chat/completions", "mine"),
        ("/openai/deployments/mine/embeddings", "/embeddings", "mine"),
        ("/openai/v1/responses", "/responses", ""),
        ("/openai/responses", "/responses", ""),
        ("/v1beta/openai/chat/completions", "/chat/completions", ""),
    ],
)
def test_openais_paths_are_served_where_azure_and_google_have_them(path, target, deployment):
    found = served("POST", path, {b"anthropic-version"})

    assert (found.dialect.api.name, found.what, found.target) == ("openai", CALL, target)
    assert found.deployment == deployment
    assert dialect_of(path).api.name == "openai"


@pytest.mark.parametrize(
    ("method", "path", "headers", "dialect", "what", "target"),
    [
        ("POST", "/v1/fine_tuning/jobs", (), "openai-other", CALL, "/fine_tuning/jobs"),
        ("GET", "/v1/fine_tuning/jobs", (), "openai-other", ASIDE, "/fine_tuning/jobs"),
        ("DELETE", "/v1/assistants/asst_1", (), "openai-other", ASIDE, "/assistants/asst_1"),
        ("POST", "/v1/skills", {b"anthropic-version"}, "anthropic-other", CALL, "/skills"),
        ("POST", "/v1beta/cachedContents", (), "gemini-other", CALL, "/cachedContents"),
        ("POST", "/openai/threads", (), "openai-other", CALL, "/threads"),
    ],
)
def test_other_paths_of_an_api_pass_without_being_metered(method, path, headers, dialect, what, target):
    found = served(method, path, headers)

    assert (found.dialect.name, found.what, found.target, found.is_streamed) == (dialect, what, target, True)


def test_anthropics_clients_list_anthropics_models():
    assert served("GET", "/v1/models", {b"anthropic-version"}).dialect.name == "anthropic-messages"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/chat/completions", 405),
        ("POST", "/v1/chat/completions/", 404),
        ("POST", "/v1beta/files/", 404),
        ("POST", "/files", 404),
        ("OPTIONS", "/v1/files", 404),
        ("GET", "/v1/organization/admin_api_keys", 403),
        ("POST", "/v1/organizations/api_keys/x", 403),
        ("POST", "/v1/realtime/client_secrets", 403),
        ("POST", "/openai/v1/realtime/sessions", 403),
        ("POST", "/v1alpha/auth_tokens", 403),
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
