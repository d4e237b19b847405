"""What providers are called, by themselves and by all who stand between them and a caller; and what they call a call.

A provider's id is that of genai-prices. Names: `gen_ai.provider.name` and `gen_ai.system` of OpenTelemetry,
`custom_llm_provider` of LiteLLM, `provider` of Helicone, `ls_provider` of LangSmith, the prefix of models as
`provider/model`, host names, and names of models that one provider alone has.
"""

import re
from typing import NamedTuple


class _Provider(NamedTuple):
    names: str = ""
    """Besides its id; without spaces, dots, hyphens and underscores."""
    routes: str = ""
    """What gateways write before the name of a model, so that it is not the maker's name of OpenRouter's models."""
    hosts: str = ""
    """Ends of the names of hosts for which it bills."""
    models: str = ""
    """Beginnings of model names that it alone has."""


_PROVIDERS = {
    "anthropic": _Provider("anthropictext claude", "anthropic", "anthropic.com"),
    "aws": _Provider(
        "amazon amazonbedrock awsbedrock sagemaker sagemakerchat", "bedrock bedrock_converse", "amazonaws.com"
    ),
    "azure": _Provider(
        "azureaiinference azureaiopenai azureopenai azureopenairesponses azuretext azaiinference azaiopenai microsoft "
        "azureaifoundry",
        "azure azure_ai",
        "azure.com azure-api.net",
    ),
    "baseten": _Provider(),
    "cerebras": _Provider(hosts="cerebras.ai"),
    "cloudflare": _Provider("cloudflareworkersai"),
    "cohere": _Provider("coherechat", "cohere"),
    "databricks": _Provider(),
    "deepseek": _Provider("", "deepseek", "deepseek.com", "deepseek-chat deepseek-reasoner"),
    "fireworks": _Provider("", "fireworks_ai", "fireworks.ai"),
    "github-copilot": _Provider("copilot"),
    "google": _Provider(
        "gcpgemini gcpgenai gcpvertexai vertex vertexaibeta googlegenai googlevertex googlevertexai "
        "googlegenerativeai googlegla googleaistudio googlevertexanthropic",
        "gemini google vertex_ai",
        "googleapis.com",
    ),
    "groq": _Provider("", "groq", "groq.com"),
    "minimax": _Provider(),
    "mistral": _Provider("mistralai codestral", "mistral", "mistral.ai"),
    "moonshotai": _Provider("", "moonshot", "moonshot.ai moonshot.cn"),
    "novita": _Provider("novitaai"),
    "openai": _Provider(
        "openairesponses openaichat textcompletionopenai",
        "openai",
        "openai.com chatgpt.com",
        "gpt- chatgpt- o1 o3 o4 codex- text-embedding- davinci babbage",
    ),
    "openrouter": _Provider("", "openrouter", "openrouter.ai"),
    "ovhcloud": _Provider(),
    "perplexity": _Provider("perplexityai", hosts="perplexity.ai"),
    "together": _Provider("", "together_ai", "together.xyz together.ai"),
    "voyageai": _Provider("voyage"),
    "x-ai": _Provider("x grok", "xai", "x.ai", "grok-"),
    "zai": _Provider(),
}
_OPEN_WEIGHTS = ("gpt-oss",)
"""Model names that look like one provider's, though anybody may serve them."""


def _bare(name: str) -> str:
    return re.sub(r"[\s._-]", "", name.lower())


_OF_NAME = {
    name: provider
    for provider, row in _PROVIDERS.items()
    for name in (_bare(provider), *row.names.split(), *map(_bare, row.routes.split()))
}
_OF_ROUTE = {route: provider for provider, row in _PROVIDERS.items() for route in row.routes.split()}
_OF_HOST = {host: provider for provider, row in _PROVIDERS.items() for host in row.hosts.split()}
_OF_MODEL = [(tuple(row.models.split()), provider) for provider, row in _PROVIDERS.items() if row.models]
_NATIVE_ID = re.compile(r"(?=.{24,220}\Z)(?:chatcmpl-|cmpl-|resp_|msg_|gen-)[\w.:-]+\Z")


def provider_id(name: str) -> str:
    """The id of a provider, or nothing where the name is of none that is known (a self-hosted server, say)."""
    found = _OF_NAME.get(_bare(name))
    if found is None and name.lower().startswith("vertex_ai"):  # vertex_ai-anthropic_models and its kind
        return "google"
    # The Vercel AI SDK says which part of a provider's interface was used: `openai.chat`.
    return found if found is not None else _OF_NAME.get(_bare(name.partition(".")[0]), "")


def provider_of_model(model: str) -> str:
    """The provider that a model name itself gives: `openrouter/openai/gpt-4o`. Nothing where it gives none."""
    prefix, slash, _ = model.partition("/")
    return provider_id(prefix) if slash else ""


def provider_of_route(route: str) -> str:
    """The provider that a gateway means by the first part of a model name; nothing where it may be the maker."""
    return _OF_ROUTE.get(route, "")


def provider_of_host(host: str) -> str:
    """Who bills for what is served there; nothing for a host that nobody knows."""
    for end, provider in _OF_HOST.items():
        if host == end or host.endswith("." + end):
            return provider
    return ""


_REGIONAL_HOSTS = (
    re.compile(r"(\w{2,3})\.api\.openai\.com\Z"),
    re.compile(r"(?:([a-z]+-[a-z]+\d+)-)?aiplatform\.googleapis\.com\Z"),
    re.compile(r"aiplatform\.(\w+)\.rep\.googleapis\.com\Z"),
)
"""Hosts whose names say where they serve: OpenAI's regional ones; Vertex AI's, which is `global` without a place."""


def region_of_host(host: str) -> str:
    """The place to which a host binds what it serves, `global` where its name says that it binds to none, and nothing
    where the name says nothing.
    """
    for pattern in _REGIONAL_HOSTS:
        if found := pattern.match(host):
            return found[1] or "global"
    return ""


def provider_of_own_model(model: str) -> str:
    """The one provider that has models of such a name; nothing where several may."""
    if model.startswith(_OPEN_WEIGHTS):
        return ""
    return next((provider for beginnings, provider in _OF_MODEL if model.startswith(beginnings)), "")


def is_native_id(identity: str) -> bool:
    """Whether an id was given out by a provider, so that it is the same call wherever it stands.

    Providers' ids are long. A server on a desk may give out `chatcmpl-12` and `resp_12345678`, and so may the next
    one: such an id names no call.
    """
    return _NATIVE_ID.match(identity) is not None
