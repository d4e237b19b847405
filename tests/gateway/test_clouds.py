"""Models that clouds serve, behind the gateway: asked by every kind of client, and signed for as the clouds want it.

The mock provider works every signature out anew, and a token has to be one that was given for a signed assertion.
"""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import anthropic
import botocore.session
import google.auth.jwt
import httpx2 as httpx
import openai
import pytest
from anthropic import AnthropicBedrock, AnthropicVertex
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google import genai

from gateway.mock_site import called, served
from gateway.rig import running
from modicum.calls import Basis, CallStatus
from modicum.gateway.process.mock import MockApp
from modicum.outbound.listener import bind_listener
from modicum.providers.mock.aws_signature import ACCESS_KEY, SECRET
from modicum.providers.mock.provider import MockProvider
from modicum.settings import GatewaySettings, Settings, UpstreamSettings

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-lite-v1:0"
VERTEX = "claude-sonnet-4-5@20250929"
HELLO = [{"role": "user", "content": "What is the capital of France?"}]
CONVERSED = [{"role": "user", "content": [{"text": "What is the capital of France?"}]}]
TOKEN = "ya29.given-by-the-mock"
WEATHER = {"name": "weather", "description": "of a city", "input_schema": {"type": "object", "properties": {}}}
PLACE = "/v1/projects/mine/locations/europe-west1"


class Clouds:
    """The mock provider, and a token endpoint in front of it that looks at assertions as Google does."""

    def __init__(self, certificate):
        self.mock, self.certificate = MockApp(MockProvider()), certificate
        self.asked = []  # path and headers
        self.tokens_given = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["path"] == "/token":
            form = parse_qs((await receive())["body"].decode())
            claims = google.auth.jwt.decode(form["assertion"][0], certs=self.certificate)
            assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
            self.tokens_given += 1
            await answer(send, 200, {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
            return
        headers = {name.decode(): value.decode() for name, value in scope.get("headers", ())}
        self.asked.append((scope.get("raw_path", b"").decode(), headers))
        if "/publishers/" in scope.get("path", "") and headers.get("authorization") != f"Bearer {TOKEN}":
            await answer(
                send, 401, {"error": {"code": 401, "message": "no token of ours", "status": "UNAUTHENTICATED"}}
            )
            return
        await self.mock(scope, receive, send)


async def answer(send, status, document):
    kind = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": kind})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})


def service_account(folder, url):
    """A key file as Google gives one out, and the certificate that goes with it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "robot")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    document = {"type": "service_account", "project_id": "mine", "private_key": pem, "private_key_id": "1"}
    document |= {"client_email": "robot@mine.iam.gserviceaccount.com", "token_uri": f"{url}/token"}
    (folder / "robot.json").write_text(json.dumps(document))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def settings_for(url):
    aws = {"speaks": "bedrock", "auth": "aws", "region": "us-east-1", "pass_headers": ("x-mock-*",)}
    google_ = {"auth": "google", "pass_headers": ("x-mock-*",), "provider": "google", "region": "europe-west1"}
    return lambda _port: Settings(
        gateway=GatewaySettings(listen="127.0.0.1:0"),
        upstreams={
            "bedrock": UpstreamSettings(url=url, models=("*anthropic.*", "amazon.*"), **aws),
            "vertex": UpstreamSettings(url=url + PLACE, speaks="vertex", models=("claude-*",), **google_),
            "gemini": UpstreamSettings(
                url=f"{url}{PLACE}/publishers/google", speaks="gemini", models=("gemini-*",), **google_
            ),
        },
        models={"sonnet": f"bedrock/{SONNET}"},
    )


@pytest.fixture(scope="module")
def clouds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clouds")
    bound = bind_listener("test", "127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    app = Clouds(service_account(folder, url))
    app.url = url
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(folder / "robot.json"))
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK"):
            patch.delenv(name, raising=False)
        with served(app, bound), running(folder, settings_for(url)) as rig:
            rig.clouds = app
            yield rig


def cost_of(rig, call):
    return next(entry.cost for entry in rig.shipped() if entry.call.call_id == call.call_id)


def boto(rig):
    """AWS's own client, which sends a bearer's key over TLS alone: here it signs nothing, and a header has the key."""
    client = botocore.session.Session().create_client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=rig.url,
        config=Config(retries={"total_max_attempts": 1}, signature_version=UNSIGNED),
    )
    client.meta.events.register("before-call", lambda params, **_: params["headers"].update({"x-api-key": rig.key}))
    return client


def claude(rig):
    return anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0)


def test_claude_on_bedrock_for_a_client_that_speaks_to_anthropic(clouds):
    with claude(clouds) as client:
        told, call = called(
            clouds,
            lambda: client.messages.create(
                model=SONNET,
                max_tokens=30,
                messages=HELLO,
                tools=[WEATHER],
                extra_headers={"anthropic-beta": "one,two"},
            ),
        )
        with client.messages.stream(model="sonnet", max_tokens=30, messages=HELLO) as stream:
            streamed = stream.get_final_message()
    second = clouds.wait_for_records(len(clouds.records()))[-1]

    path, headers = clouds.clouds.asked[-2]
    assert path == "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke"
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=")
    assert (call.model, call.provider, call.status) == (SONNET, "aws", CallStatus.OK)
    assert (call.usage.output_visible, call.usage_basis) == (told.usage.output_tokens, Basis.EXACT)
    assert call.call_id == told.id
    assert clouds.clouds.asked[-1][0].endswith("/invoke-with-response-stream")
    assert (second.usage.output_visible, second.output_basis) == (streamed.usage.output_tokens, Basis.EXACT)
    assert second.model == SONNET
    cost = cost_of(clouds, second)
    assert cost.usd
    assert cost.basis is Basis.EXACT


def test_claude_on_bedrock_for_clients_of_openai(clouds):
    with openai.OpenAI(base_url=f"{clouds.url}/v1", api_key=clouds.key, max_retries=0) as client:
        tool = {"type": "function", "function": {"name": "weather", "parameters": WEATHER["input_schema"]}}
        told, call = called(
            clouds,
            lambda: client.chat.completions.create(
                model=SONNET, messages=HELLO, tools=[tool], extra_headers={"x-mock-tool-calls": "1"}
            ),
        )
        chunks = list(client.chat.completions.create(model=SONNET, messages=HELLO, stream=True))
        response = client.responses.create(model=SONNET, input="hi")
        with pytest.raises(openai.BadRequestError, match="only those of Anthropic"):
            client.chat.completions.create(model=NOVA, messages=HELLO)
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model=SONNET, messages=HELLO, extra_headers={"x-mock-fault": "rate_limited"})

    assert told.choices[0].message.tool_calls[0].function.name == "weather"
    assert call.usage.completion_tokens == told.usage.completion_tokens
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert response.usage.output_tokens > 0


def test_a_client_of_bedrock_itself_is_metered_whatever_it_calls(clouds):
    client = boto(clouds)
    conversed, first = called(
        clouds, lambda: client.converse(modelId=NOVA, messages=CONVERSED, inferenceConfig={"maxTokens": 9})
    )
    stream, second = called(clouds, lambda: list(client.converse_stream(modelId=SONNET, messages=CONVERSED)["stream"]))
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 12, "messages": HELLO}
    invoked, third = called(
        clouds, lambda: json.loads(client.invoke_model(modelId=SONNET, body=json.dumps(body))["body"].read())
    )
    with pytest.raises(ClientError) as refused:
        client.converse(modelId="meta.llama4-x", messages=CONVERSED)

    assert conversed["usage"]["outputTokens"] == first.usage.output_visible == 9
    assert (first.model, first.provider, first.finish_reason) == (NOVA, "aws", "max_tokens")
    assert cost_of(clouds, first).basis is Basis.EXACT
    counted = next(event["metadata"]["usage"] for event in stream if "metadata" in event)
    assert (second.usage.output_visible, second.usage.prompt_tokens) == (
        counted["outputTokens"],
        counted["inputTokens"] + counted["cacheReadInputTokens"],
    )
    assert second.output_basis is Basis.EXACT
    assert invoked["usage"]["output_tokens"] == third.usage.output_visible == 12
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_anthropics_client_for_bedrock_streams_through(clouds):
    with AnthropicBedrock(api_key=clouds.key, base_url=clouds.url, aws_region="us-east-1", max_retries=0) as client:
        ask = {"model": SONNET, "max_tokens": 25, "messages": HELLO, "stream": True}
        told, call = called(clouds, lambda: list(client.messages.create(**ask)))

        def fail():
            with pytest.raises(anthropic.APIError):
                list(client.messages.create(**ask, extra_headers={"x-mock-fault": "error_event"}))

        _, failed = called(clouds, fail)

    assert (call.usage.output_visible, call.output_basis) == (25, Basis.EXACT)
    assert (call.model, call.call_id) == (SONNET, told[0].message.id)
    assert (failed.status, failed.output_basis) == (CallStatus.ERROR, Basis.ESTIMATED)


def test_a_request_that_is_not_signed_gets_the_clouds_refusal_and_costs_nothing(clouds):
    reply = httpx.post(f"{clouds.clouds.url}/model/{NOVA}/converse", json={"messages": CONVERSED}, timeout=10)
    forged = httpx.post(
        f"{clouds.clouds.url}/model/{NOVA}/converse",
        json={"messages": CONVERSED},
        headers={**clouds.clouds.asked[-1][1], "authorization": "AWS4-HMAC-SHA256 Credential=x"},
        timeout=10,
    )

    assert (reply.status_code, reply.json()["__type"]) == (403, "AccessDeniedException")
    assert forged.status_code == 403


def test_claude_and_gemini_on_vertex_ai_have_one_token_for_an_hour(clouds):
    with claude(clouds) as client:
        told, first = called(clouds, lambda: client.messages.create(model=VERTEX, max_tokens=20, messages=HELLO))
        with client.messages.stream(model=VERTEX, max_tokens=20, messages=HELLO) as stream:
            streamed = stream.get_final_message()
        counted = client.messages.count_tokens(model=VERTEX, messages=HELLO)
    second = clouds.records()[-1]
    google_ = genai.Client(
        api_key=clouds.key, http_options=genai.types.HttpOptions(base_url=clouds.url, api_version="v1beta")
    )
    gemini, third = called(
        clouds, lambda: google_.models.generate_content(model="gemini-2.5-flash", contents="What is the capital?")
    )

    paths = [path for path, _ in clouds.clouds.asked[-3:]]
    assert paths[0] == f"{PLACE}/publishers/anthropic/models/{VERTEX}:rawPredict"
    assert paths[1] == f"{PLACE}/publishers/anthropic/models/{VERTEX}:streamRawPredict"
    assert paths[2] == f"{PLACE}/publishers/google/models/gemini-2.5-flash:generateContent"
    assert 2 <= clouds.clouds.tokens_given <= 4  # one for each upstream, and again when settings were read again
    assert (first.provider, first.usage.output_visible) == ("google", told.usage.output_tokens)
    assert (second.usage.output_visible, second.output_basis) == (streamed.usage.output_tokens, Basis.EXACT)
    assert counted.input_tokens > 0
    assert third.usage.completion_tokens == gemini.usage_metadata.candidates_token_count
    assert cost_of(clouds, first).usd


def test_clients_of_vertex_ai_itself_are_served(clouds):
    options = {"project_id": "mine", "region": "europe-west1", "access_token": clouds.key, "max_retries": 0}
    with AnthropicVertex(base_url=f"{clouds.url}/v1", **options) as client:
        told, first = called(clouds, lambda: client.messages.create(model=VERTEX, max_tokens=21, messages=HELLO))
        with client.messages.stream(model=VERTEX, max_tokens=22, messages=HELLO) as stream:
            streamed = stream.get_final_message()
        counted = client.messages.count_tokens(model=VERTEX, messages=HELLO)
    second = clouds.records()[-1]
    reply, third = called(
        clouds,
        lambda: httpx.post(
            f"{clouds.url}/v1beta1/projects/other/locations/x/publishers/google/models/gemini-2.5-flash:generateContent",
            json={"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
            headers=clouds.headers(),
            timeout=10,
        ),
    )

    assert (told.usage.output_tokens, first.usage.output_visible) == (21, 21)
    assert (streamed.usage.output_tokens, second.usage.output_visible) == (22, 22)
    assert counted.input_tokens > 0
    assert reply.json()["usageMetadata"]["candidatesTokenCount"] == third.usage.completion_tokens
    assert "/projects/mine/" in clouds.clouds.asked[-1][0]  # whose project it is, the settings say
