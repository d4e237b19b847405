"""A booked call as attributes of a span: what the gateway exports. `otel` reads them back.

The GenAI conventions have renamed their attributes and have no release, so a call can be told in the present names
(https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/client-inference.md), in those that most
dashboards still ask for, or in both. What has no name there (cost, owner, basis, writes for one hour) is `modicum.*`.
No text of a prompt or reply is in any of them.
"""

from typing import Any, Literal

from modicum.calls import BUCKETS, Basis, Call, CallStatus, Charges, Entry, Tier
from modicum.calls.usage import TEXT_BUCKETS

Names = Literal["new", "old", "both"]

PROVIDER_NAMES = {
    "aws": "aws.bedrock",
    "azure": "azure.ai.openai",
    "google": "gcp.gen_ai",
    "mistral": "mistral_ai",
    "moonshotai": "moonshot_ai",
    "x-ai": "x_ai",
}
"""The conventions' names of providers, where they are not the ids of genai-prices."""


def operation_of(call: Call) -> str:
    """What was done. A call does not say so; a model for embeddings gives no output."""
    return "embeddings" if "embed" in call.model.lower() and not call.usage.completion_tokens else "chat"


def attributes_of(entry: Entry, names: Names = "both") -> dict[str, Any]:
    """The attributes of a call's span; without those that are empty. `modicum.call.id` is its identity."""
    call = entry.call
    found: dict[str, Any] = {
        "gen_ai.operation.name": operation_of(call),
        "gen_ai.request.model": call.model,
        "gen_ai.response.model": call.model,
        "gen_ai.response.id": call.tags.get("response_id") or ("" if ":" in call.call_id else call.call_id),
        "gen_ai.conversation.id": call.task or call.conversation,
        "gen_ai.agent.name": call.agent,
    }
    if call.finish_reason and call.status is not CallStatus.ERROR:
        found["gen_ai.response.finish_reasons"] = [call.finish_reason]
    if call.status is not CallStatus.OK:
        found["error.type"] = _error(call)
    if names != "old":
        found |= _new(call)
    if names != "new":
        found |= _old(entry)
    found |= _ours(entry)
    return {name: value for name, value in found.items() if value not in ("", None)}


def _error(call: Call) -> str:
    return (call.finish_reason if call.status is CallStatus.ERROR else call.status.value) or "_OTHER"


def _new(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = {"gen_ai.provider.name": PROVIDER_NAMES.get(call.provider, call.provider)}
    if call.first_token is not None:
        found["gen_ai.response.time_to_first_chunk"] = (call.first_token - call.started).total_seconds()
    if call.usage_basis is not Basis.UNKNOWN:
        usage = call.usage
        found |= {
            "gen_ai.usage.input_tokens": usage.prompt_tokens,
            "gen_ai.usage.output_tokens": _output_tokens(call),
            "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens,
            "gen_ai.usage.cache_write.input_tokens": usage.cache_write_tokens,
            "gen_ai.usage.reasoning.output_tokens": usage.output_reasoning,
        }
    return found


def _output_tokens(call: Call) -> int | None:
    return None if call.output_basis is Basis.UNKNOWN else call.usage.completion_tokens


def _old(entry: Entry) -> dict[str, Any]:
    """Names before 1.37, of 1.41 where the newest differ, and of OpenLLMetry: they are what dashboards ask for."""
    call = entry.call
    found: dict[str, Any] = {
        "gen_ai.system": PROVIDER_NAMES.get(call.provider, call.provider),
        "enduser.id": call.owner.user,
    }
    if call.usage_basis is not Basis.UNKNOWN:
        usage = call.usage
        written = usage.cache_write_tokens
        found |= {
            "gen_ai.usage.prompt_tokens": usage.prompt_tokens,
            "gen_ai.usage.completion_tokens": _output_tokens(call),
            "gen_ai.usage.cache_creation.input_tokens": written,
            "gen_ai.usage.cache_read_input_tokens": usage.cache_read_tokens,
            "gen_ai.usage.cache_creation_input_tokens": written,
            "gen_ai.usage.reasoning_tokens": usage.output_reasoning,
            "llm.usage.total_tokens": None if _output_tokens(call) is None else usage.total_tokens,
        }
    if entry.cost.usd is not None:
        found["gen_ai.usage.cost"] = float(entry.cost.usd)
    return found


_MORE_BUCKETS = ("cache_write_1h", *(bucket for bucket in BUCKETS if bucket not in TEXT_BUCKETS))
"""What the conventions have no name for."""


def _charged(charges: Charges) -> dict[str, Any]:
    found: dict[str, Any] = {f"modicum.requests.{unit}": count for unit, count in charges.requests.items()}
    if charges.web_searches:
        found["modicum.web_searches"] = charges.web_searches
    if charges.provider_cost_usd is not None:
        found["modicum.provider_cost_usd"] = str(charges.provider_cost_usd)
    found |= {"modicum.region": charges.region, "modicum.caveats": ",".join(charges.caveats)}
    return found


def _ours(entry: Entry) -> dict[str, Any]:
    call, owner = entry.call, entry.call.owner
    found: dict[str, Any] = {
        "modicum.call.id": call.call_id,
        "modicum.status": call.status.value,
        "modicum.task": call.task,
        "modicum.conversation": call.conversation,
        "modicum.project": call.project,
        "modicum.owner.team": owner.team,
        "modicum.owner.app": owner.app,
        "modicum.owner.user": owner.user,
        "modicum.owner.key": owner.key,
        "modicum.usage.basis": call.usage_basis.value,
        "modicum.usage.output_basis": call.output_basis.value,
        "modicum.cost.basis": entry.cost.basis.value,
        "modicum.cost.price_source": entry.cost.price_source,
    }
    if call.first_token is not None:
        found["modicum.first_token_seconds"] = (call.first_token - call.started).total_seconds()
    for bucket in _MORE_BUCKETS:
        if tokens := getattr(call.usage, bucket):
            found[f"modicum.usage.{bucket}"] = tokens
    found |= _charged(call.charges)
    if call.tier is not Tier.STANDARD:
        found["modicum.tier"] = call.tier.value
    if entry.cost.usd is not None:
        found["modicum.cost_usd"] = float(entry.cost.usd)
    return found
