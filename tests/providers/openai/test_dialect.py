"""What OpenAI's APIs have in common."""

import httpx2 as httpx
import openai
import pytest

from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import DialectError
from modicum.providers.openai.dialect import error_type, model_in


@pytest.mark.parametrize("name", ["openai-chat", "openai-responses", "openai-embeddings"])
def test_openai_reads_our_errors(name):
    body = DIALECTS[name].error(429, "the budget of team blue is spent \ud800", "budget_exceeded")
    answer = httpx.Response(429, content=body, request=httpx.Request("POST", "https://gateway.test/v1"))
    error = openai.OpenAI(api_key="none", base_url="https://gateway.test/v1")._make_status_error_from_response(answer)
    assert isinstance(error, openai.RateLimitError)
    assert error.code == "budget_exceeded"
    assert error.type == "rate_limit_error"
    assert "team blue" in error.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request_error"), (404, "invalid_request_error"), (429, "rate_limit_error"), (502, "server_error")],
)
def test_the_type_of_an_error_follows_its_status(status, kind):
    assert error_type(status) == kind


def test_the_model_is_the_deployment_of_an_azure_path_or_else_that_of_the_body():
    path = "/openai/deployments/our-gpt/chat/completions?api-version=2024-10-21"

    assert model_in("gpt-5", path) == "our-gpt"
    assert model_in("gpt-5", "/v1/chat/completions") == "gpt-5"
    assert model_in(None, path) == "our-gpt"
    with pytest.raises(DialectError, match="names no model"):
        model_in(None, "/v1/chat/completions")
