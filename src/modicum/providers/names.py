"""Who serves a call, by the ids of genai-prices, from the many names that gateways and telemetry use.

Names: `gen_ai.provider.name` and `gen_ai.system` of OpenTelemetry, `custom_llm_provider` of LiteLLM, `provider` of
Helicone, `ls_provider` of LangSmith, and the prefix of models as `provider/model`.
"""

import re

_IDS = {
    "anthropic": "anthropic anthropictext claude",
    "aws": "aws amazon amazonbedrock awsbedrock bedrock bedrockconverse sagemaker sagemakerchat",
    "azure": "azure azureai azureaiinference azureaiopenai azureopenai azureopenairesponses azuretext azaiinference "
    "azaiopenai microsoft azureaifoundry",
    "baseten": "baseten",
    "cerebras": "cerebras",
    "cloudflare": "cloudflare cloudflareworkersai",
    "cohere": "cohere coherechat",
    "databricks": "databricks",
    "deepseek": "deepseek",
    "fireworks": "fireworks fireworksai",
    "github-copilot": "githubcopilot copilot",
    "google": "google gemini gcpgemini gcpgenai gcpvertexai vertex vertexai vertexaibeta googlegenai googlevertex "
    "googlevertexai googlegenerativeai googlegla googleaistudio googlevertexanthropic",
    "groq": "groq",
    "minimax": "minimax",
    "mistral": "mistral mistralai codestral",
    "moonshotai": "moonshot moonshotai",
    "novita": "novita novitaai",
    "openai": "openai openairesponses openaichat textcompletionopenai",
    "openrouter": "openrouter",
    "ovhcloud": "ovhcloud",
    "perplexity": "perplexity perplexityai",
    "together": "together togetherai",
    "voyageai": "voyage voyageai",
    "x-ai": "xai x grok",
    "zai": "zai",
}
_ID_OF = {name: identity for identity, names in _IDS.items() for name in names.split()}
_NATIVE_ID = re.compile(r"(chatcmpl-|cmpl-|resp_|msg_|gen-)[\w.:-]{8,200}\Z")


def provider_id(name: str) -> str:
    """The id of a provider, or nothing where the name is of none that is known (a self-hosted server, say)."""
    found = _ID_OF.get(_bare(name))
    if found is None and name.lower().startswith("vertex_ai"):  # vertex_ai-anthropic_models and its kind
        return "google"
    # The Vercel AI SDK says which part of a provider's interface was used: `openai.chat`.
    return found if found is not None else _ID_OF.get(_bare(name.partition(".")[0]), "")


def provider_of_model(model: str) -> str:
    """The provider that a model name itself gives: `openrouter/openai/gpt-4o`. Nothing where it gives none."""
    prefix, slash, _ = model.partition("/")
    return provider_id(prefix) if slash else ""


def is_native_id(identity: str) -> bool:
    """Whether an id was given out by a provider, so that it is the same call wherever it stands."""
    return _NATIVE_ID.match(identity) is not None


def _bare(name: str) -> str:
    return re.sub(r"[\s._-]", "", name.lower())
