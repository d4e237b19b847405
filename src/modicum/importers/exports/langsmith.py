"""LangSmith: runs from its SDK or its API (`/runs/query`), as JSON or CSV.

Traps, each with a fixture:

- Chains carry the sums of the model runs below them; only runs of type `llm` and `embedding` are calls, and of two of
  those inside each other (a framework and its client, both traced) the inner one.
- `input_tokens` includes cached tokens, and the details need not sum up to it.
- `session_id` of a run is its project; the conversation is `thread_id` or `session_id` of its metadata.
- The provider's id of the reply stands where the client left it, so that a call seen elsewhere too is booked once.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, CallStatus, Charges, Owner, Tier, Usage
from modicum.calls.provider_names import is_native_id, provider_id, provider_of_model
from modicum.importers.exports.export_record import Record, Recorded, fields_in, read_export
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.tags import named, tags
from modicum.providers.fields import (
    checked_dollars,
    checked_moment,
    count,
    first,
    label,
    parsed_list,
    parsed_mapping,
    start,
)
from modicum.providers.openai.usage import KNOWN as KNOWN_BY_OPENAI
from modicum.providers.openai.usage import LANES, provider_cost
from modicum.providers.token_buckets import (
    MODALITIES,
    both_sides,
    disjoint,
    split_writes,
    tokens_by_modality,
    with_modalities,
)
from modicum.providers.usage_guard import KnownFields, unknown_counts, unknown_numbers, word

NAME = "langsmith"
CALLS = {"llm", "embedding"}
ROLES = {
    "HumanMessage": "user",
    "SystemMessage": "system",
    "AIMessage": "assistant",
    "ToolMessage": "tool",
    "FunctionMessage": "function",
}


def read(path: Path, reading: Reading) -> Found:
    yield from read_export(path, reading, recorded, with_children)


def with_children(run: Record) -> Iterator[Record]:
    """A run and those that an export has put inside it."""
    waiting = [run]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += [child for child in parsed_list(one.get("child_runs")) if isinstance(child, Mapping)]


def recorded(run: Record) -> Recorded:
    """One run of the export as what was recorded of a call.

    Raises:
        ValueError: a count, an amount or a time is none.
    """
    identity = label(run.get("id"))
    if not identity:
        raise ValueError("the run has no id")
    parent = label(run.get("parent_run_id"))
    if label(run.get("run_type")) not in CALLS:
        return Recorded(None, span=identity, parent=parent)
    outputs, extra = parsed_mapping(run.get("outputs")), parsed_mapping(run.get("extra"))
    metadata, parameters = parsed_mapping(extra.get("metadata")), parsed_mapping(extra.get("invocation_params"))
    reply = reply_message(outputs)
    about = parsed_mapping(reply.get("response_metadata"))
    counts = counts_of(run, outputs, reply, metadata)
    usage, service_tier = usage_from(counts)
    basis = Basis.UNKNOWN if usage is None else Basis.EXACT
    model = label(first(metadata, "ls_model_name") or first(parameters, "model", "model_name") or outputs.get("model"))
    ids = (label(holder.get("id")) for holder in (about, outputs, reply))
    trace = label(run.get("trace_id"))
    thread = label(first(metadata, "thread_id", "session_id", "conversation_id"))
    cost = checked_dollars(run.get("total_cost"))
    call = Call(
        call_id=next((found for found in ids if is_native_id(found)), f"{NAME}:{identity}"),
        source=NAME,
        provider=provider_id(label(first(metadata, "ls_provider"))) or provider_of_model(model),
        model=model,
        started=start(run.get("start_time")),
        first_token=checked_moment(run.get("first_token_time")),
        finished=checked_moment(run.get("end_time")),
        status=status(run),
        finish_reason=finish_reason(about, outputs),
        usage=usage or Usage(),
        usage_basis=basis,
        output_basis=basis,
        tier=Tier.from_name(label(about.get("service_tier") or outputs.get("service_tier")) or service_tier),
        charges=charges(run, counts, outputs, about),
        reported_cost_usd=cost or None,
        task=thread or trace,
        conversation=trace,
        project=label(first(run, "session_name", "session_id")),
        owner=Owner(user=label(first(metadata, "user_id"))),
        tags=tags(parsed_list(run.get("tags"))) | named(name=run.get("name"), environment=metadata.get("environment")),
        revision=usage.total_tokens if usage else 0,
    )
    inputs = parsed_mapping(run.get("inputs"))
    sent = first(inputs, "messages", "input", "prompts", "prompt")
    tools = parameters.get("tools") or inputs.get("tools")
    return Recorded(call, plain_messages(sent), tools, None, identity, parent, reply=reply or outputs)


def reply_message(outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The message that a LangChain model run gave back."""
    generation: Any = outputs.get("generations")
    while isinstance(generation, list) and generation:
        generation = generation[0]
    message = parsed_mapping(parsed_mapping(generation).get("message"))
    return parsed_mapping(message.get("kwargs")) or parsed_mapping(message.get("data")) or message


def counts_of(
    run: Record, outputs: Mapping[str, Any], reply: Mapping[str, Any], metadata: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The usage object of a run, in LangChain's words.

    Raises:
        ValueError: a count is no count of tokens.
    """
    holders = (outputs.get("usage_metadata"), reply.get("usage_metadata"), metadata.get("usage_metadata"))
    counts = next((found for holder in holders if (found := parsed_mapping(holder))), {})
    if not counts:
        counts = {
            "input_tokens": first(run, "prompt_tokens", "input_tokens"),
            "output_tokens": first(run, "completion_tokens", "output_tokens"),
            "total_tokens": run.get("total_tokens"),
            "input_token_details": first(run, "prompt_token_details", "input_token_details"),
            "output_token_details": first(run, "completion_token_details", "output_token_details"),
        }
    if not any(count(counts, name) for name in ("input_tokens", "output_tokens")):
        old = parsed_mapping(parsed_mapping(outputs.get("llm_output")).get("token_usage"))
        inputs, outs = (parsed_mapping(old.get(f"{side}_tokens_details")) for side in ("prompt", "completion"))
        counts = {"input_tokens": old.get("prompt_tokens"), "output_tokens": old.get("completion_tokens")}
        counts["input_token_details"] = {
            "cache_read": inputs.get("cached_tokens"),
            **{kind: inputs.get(f"{kind}_tokens") for kind in MODALITIES},
        }
        counts["output_token_details"] = {
            "reasoning": outs.get("reasoning_tokens"),
            **{kind: outs.get(f"{kind}_tokens") for kind in MODALITIES},
        }
    return counts


def usage_from(counts: Mapping[str, Any]) -> tuple[Usage | None, str]:
    """The buckets of a run, or None where it has none, and the price lane that the details name.

    Raises:
        ValueError: a count is no count of tokens.
    """
    prompt, completion = count(counts, "input_tokens"), count(counts, "output_tokens")
    inputs, outs = parsed_mapping(counts.get("input_token_details")), parsed_mapping(counts.get("output_token_details"))
    lane = next((lane for lane in ("flex", "priority") for name in (*inputs, *outs) if name.startswith(lane)), "")
    total = count(counts, "total_tokens") or 0
    sides = both_sides(prompt, completion, total)
    if sides is None:
        return None, lane
    written = split_writes(
        count(inputs, "cache_creation", "cache_write") or 0,
        count(inputs, "ephemeral_5m_input_tokens") or 0,
        count(inputs, "ephemeral_1h_input_tokens", "ephemeral_1hr_input_tokens") or 0,
    )
    whole = disjoint(
        *sides,
        read=count(inputs, "cache_read", "flex_cache_read", "priority_cache_read") or 0,
        written=written,
        reasoning=count(outs, "reasoning", "flex_reasoning", "priority_reasoning") or 0,
        total=total,
    )
    usage = with_modalities(
        whole, prompt=tokens_by_modality(inputs, "{}"), cached={}, output=tokens_by_modality(outs, "{}")
    )
    return usage, lane


_LANES = ("", "flex_", "priority_")
_IN_LANES: KnownFields = dict.fromkeys(("flex", "priority"), "priced: the lane")
KNOWN: KnownFields = {
    **dict.fromkeys(("input_tokens", "output_tokens"), "priced"),
    "total_tokens": "the sum",
    "input_token_details": {
        **_IN_LANES,
        **dict.fromkeys((f"{lane}cache_read" for lane in _LANES), "priced"),
        **dict.fromkeys(("cache_creation", "cache_write", "text", *MODALITIES), "priced"),
        **dict.fromkeys((f"ephemeral_{time}_input_tokens" for time in ("5m", "1h", "1hr")), "priced"),
    },
    "output_token_details": {
        **_IN_LANES,
        **dict.fromkeys((f"{lane}reasoning" for lane in _LANES), "priced"),
        **dict.fromkeys(("text", *MODALITIES), "priced"),
    },
    **dict.fromkeys(("input_cost", "output_cost", "total_cost"), "LangSmith's own estimate"),
    **dict.fromkeys(("input_cost_details", "output_cost_details"), "LangSmith's own estimate"),
}
"""What is done with every number of a usage object."""
KNOWN_COLUMNS = {
    *("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens"),
    *("prompt_token_details", "completion_token_details", "input_token_details", "output_token_details"),
    "first_token_time",
}


def charges(run: Record, counts: Mapping[str, Any], outputs: Mapping[str, Any], about: Mapping[str, Any]) -> Charges:
    """What is charged beside the tokens, also by the provider's own usage where LangChain keeps it beside its own."""
    own = parsed_mapping(about.get("token_usage"))
    older = parsed_mapping(parsed_mapping(outputs.get("llm_output")).get("token_usage"))
    caveats = [
        *unknown_numbers(counts, KNOWN, "usage_metadata"),
        *unknown_numbers(own, KNOWN_BY_OPENAI, "token_usage"),
        *unknown_numbers(older, KNOWN_BY_OPENAI, "token_usage"),
        *unknown_counts(run, KNOWN_COLUMNS, "run"),
        *word("service_tier", about.get("service_tier") or outputs.get("service_tier"), LANES),
    ]
    return Charges.of(caveats=caveats, provider_cost_usd=provider_cost(own) or provider_cost(older))


def status(run: Record) -> CallStatus:
    if run.get("error"):
        return CallStatus.ERROR
    word = label(run.get("status"))
    return {"error": CallStatus.ERROR, "pending": CallStatus.UNKNOWN}.get(word, CallStatus.OK)


def finish_reason(about: Mapping[str, Any], outputs: Mapping[str, Any]) -> str:
    choices = parsed_list(outputs.get("choices"))
    choice = parsed_mapping(choices[0]) if choices else {}
    return label(first(about, "finish_reason", "stop_reason") or first(choice, "finish_reason"))


def plain_messages(sent: Any) -> Any:
    """Messages out of LangChain's wrappings: a list of a list, and objects that name their class."""
    while isinstance(sent, list) and len(sent) == 1 and isinstance(sent[0], list):
        sent = sent[0]
    return [_plain(message) for message in sent] if isinstance(sent, list) else sent


def _plain(message: Any) -> Any:
    if not isinstance(message, Mapping) or "role" in message:
        return message
    kind = message.get("type")
    path = message.get("id")
    inner = message.get("kwargs") if kind == "constructor" else message.get("data") or message
    if kind == "constructor" and isinstance(path, list) and path:
        kind = ROLES.get(str(path[-1]).removesuffix("Chunk"), "user")
    if not isinstance(inner, Mapping) or not isinstance(kind, str) or "content" not in inner:
        return message
    content, tool_calls = inner.get("content"), inner.get("tool_calls")
    if tool_calls and isinstance(content, list):  # the calls stand in both places
        content = [block for block in content if not isinstance(block, Mapping) or block.get("type") != "tool_use"]
    return {**inner, "role": kind, "content": content}


def recognises(path: Path, start_of_file: bytes) -> bool:
    del path
    names = fields_in(start_of_file)
    return {"run_type", "start_time"} <= names and bool(names & {"trace_id", "dotted_order", "parent_run_id"})


FORMAT = LogFormat(
    name=NAME,
    title="LangSmith runs",
    recognises=recognises,
    read=read,
    checked_against="documentation",
)
