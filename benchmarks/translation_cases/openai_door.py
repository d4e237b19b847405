"""Requests of OpenAI's chat completions to Claude and Gemini."""

from typing import Any

from translation_cases.case import CHAT, GEMINI, MESSAGES, Case, Json

_PNG = "iVBORw0KGgo="
_SCHEMA: Json = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_MARK: Json = {"type": "ephemeral"}


def _user(*parts: Any) -> list[Json]:
    return [{"role": "user", "content": parts[0] if isinstance(parts[0], str) else list(parts)}]


_HELLO = _user("What is the weather in Kiel?")
_PARAMETERS: Json = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def _function(name: str = "weather", **more: Any) -> Json:
    return {"type": "function", "function": {"name": name, "description": "d", "parameters": _PARAMETERS, **more}}


def _called(call_id: str = "call_1", name: str = "weather", **more: Any) -> Json:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": '{"city":"Kiel"}'}, **more}


def _loop(*, calls: int = 1, **assistant: Any) -> list[Json]:
    """A question, the model's calls and their results."""
    made = [_called(f"call_{place}") for place in range(1, calls + 1)]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": f"sun {call['id']}"} for call in made]
    return [*_HELLO, {"role": "assistant", "content": None, "tool_calls": made, **assistant}, *results]


def _asked(messages: Any = None, **fields: Any) -> Json:
    return {"max_tokens": 100, "messages": messages or _HELLO, **fields}


def _claude(name: str, client: str, request: Json, *arrives: Any, **more: Any) -> Case:
    return Case(name, CHAT, MESSAGES, client, request, arrives, **more)


def _gemini(name: str, client: str, request: Json, *arrives: Any, **more: Any) -> Case:
    return Case(name, CHAT, GEMINI, client, request, arrives, **more)


def _format(schema: Json = _SCHEMA, **more: Any) -> Json:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, **more}}


_TIMED: Json = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
_TO_CLAUDE = (
    _claude(
        "cache mark on a message",
        "opencode, @ai-sdk/openai-compatible",
        _asked([{"role": "system", "content": "Be brief.", "cache_control": _MARK}, *_HELLO]),
        {"text": "Be brief.", "cache_control": _MARK},
    ),
    _claude(
        "cache mark on a message of the user",
        "opencode",
        _asked([{"role": "user", "content": "Kiel?", "cache_control": _MARK}]),
        {"text": "Kiel?", "cache_control": _MARK},
    ),
    _claude(
        "cache mark on a part",
        "aider --cache-prompts",
        _asked(_user({"type": "text", "text": "Kiel?", "cache_control": _MARK})),
        {"text": "Kiel?", "cache_control": _MARK},
    ),
    _claude(
        "cache mark of an hour on a tool",
        "LiteLLM SDK",
        _asked(tools=[{**_function(), **_TIMED}]),
        {"name": "weather", **_TIMED},
    ),
    _claude(
        "cache mark within a tool's function",
        "OpenRouter's documentation",
        _asked(tools=[_function(cache_control=_MARK)]),
        {"name": "weather", "cache_control": _MARK},
    ),
    _claude(
        "cache mark on a tool's result",
        "opencode",
        _asked([*_loop()[:-1], {**_loop()[-1], "cache_control": _MARK}], tools=[_function()]),
        {"type": "tool_result", "tool_use_id": "call_1", "cache_control": _MARK},
    ),
    _claude(
        "thinking with a budget",
        "LiteLLM SDK, DSPy",
        _asked(max_tokens=4000, thinking={"type": "enabled", "budget_tokens": 2000}),
        {"thinking": {"type": "enabled", "budget_tokens": 2000}},
    ),
    _claude(
        "adaptive thinking", "LiteLLM SDK", _asked(thinking={"type": "adaptive"}), {"thinking": {"type": "adaptive"}}
    ),
    _claude("reasoning effort", "Codex, opencode", _asked(reasoning_effort="high"), {"effort": "high"}),
    _claude(
        "reasoning effort for a model that has budgets",
        "opencode",
        _asked(max_tokens=32000, reasoning_effort="high"),
        {"thinking": {"type": "enabled"}},
        model="claude-sonnet-4-5",
    ),
    _claude("top_k", "LangChain model_kwargs, vLLM clients", _asked(top_k=40), {"top_k": 40}),
    _claude(
        "sampling for a model that refuses it",
        "aider",
        _asked(temperature=0.2, top_p=0.9),
        {"model": "claude-sonnet-5"},
        lacks=("temperature", "top_p"),
        model="claude-sonnet-5",
    ),
    _claude(
        "JSON object",
        "instructor JSON mode, DSPy JSONAdapter",
        _asked(_user("Answer in JSON."), response_format={"type": "json_object"}),
        ("JSON object", {"tool_choice": {"type": "tool"}}),
    ),
    _claude(
        "JSON schema",
        "pydantic-ai NativeOutput, openai parse()",
        _asked(response_format=_format(strict=True)),
        {"required": ["city"], "properties": {"city": {"type": "string"}}},
        ({"format": {"type": "json_schema"}}, {"output_format": {"type": "json_schema"}}, {"type": "tool"}),
    ),
    _claude(
        "JSON schema with bounds that Claude refuses",
        "pydantic models with Field(ge=0)",
        _asked(
            response_format=_format(
                {
                    "type": "object",
                    "properties": {"age": {"type": "integer", "minimum": 0}},
                    "required": ["age"],
                }
            )
        ),
        (
            {"format": {"type": "json_schema", "schema": {"additionalProperties": False, "required": ["age"]}}},
            {"tool_choice": {"type": "tool"}},
        ),
    ),
    _claude(
        "JSON schema for a model without them",
        "openai parse()",
        _asked(response_format=_format(strict=True)),
        {"input_schema": {"properties": {"city": {"type": "string"}}}},
        {"tool_choice": {"type": "tool"}},
        lacks=("output_config",),
        model="claude-3-7-sonnet-20250219",
    ),
    _claude(
        "replayed provider fields",
        "LiteLLM SDK",
        _asked(
            _loop(
                provider_specific_fields={"citations": None},
                annotations=[],
                refusal=None,
                audio=None,
                function_call=None,
                reasoning_details=[{"type": "reasoning.text", "text": "Hm."}],
            ),
            tools=[_function()],
        ),
        {"type": "tool_use", "id": "call_1"},
        lacks=("provider_specific_fields", "reasoning_details", "annotations"),
    ),
    _claude(
        "thinking that goes back",
        "LiteLLM SDK, opencode",
        _asked(
            _loop(
                reasoning_content="Hm.",
                thinking_blocks=[{"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}],
            ),
            tools=[_function()],
        ),
        {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
    ),
    _claude(
        "allowed tools",
        "openai 2.x (tool_choice)",
        _asked(
            tools=[_function(), _function("tide")],
            tool_choice={
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "tide"}}],
                },
            },
        ),
        {"name": "tide", "input_schema": {"type": "object"}},
        {"tool_choice": {"type": "any"}},
        lacks=("allowed_tools",),
    ),
    _claude(
        "web search",
        "openai web_search_options",
        _asked(
            web_search_options={
                "search_context_size": "medium",
                "user_location": {"type": "approximate", "approximate": {"city": "Kiel", "country": "DE"}},
            }
        ),
        {"name": "web_search", "user_location": {"type": "approximate", "city": "Kiel", "country": "DE"}},
    ),
    _claude(
        "parallel tool calls and results",
        "OpenAI Agents, LangGraph",
        _asked(_loop(calls=2), tools=[_function()]),
        {"role": "user", "content": [{"tool_use_id": "call_1"}, {"tool_use_id": "call_2"}]},
    ),
    _claude(
        "one tool call at a time",
        "LangChain bind_tools(parallel_tool_calls=False)",
        _asked(tools=[_function()], parallel_tool_calls=False),
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
    ),
    _claude(
        "an image, a PDF and a document by address",
        "Vercel AI SDK",
        _asked(
            _user(
                {"type": "text", "text": "See:"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PNG}", "detail": "high"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
                {"type": "file", "file": {"file_data": "https://example.com/b.pdf", "format": "application/pdf"}},
            )
        ),
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": _PNG}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf"}},
        {"type": "document", "source": {"type": "url", "url": "https://example.com/b.pdf"}},
    ),
    _claude(
        "penalties and a seed",
        "continue.dev, LangChain defaults",
        _asked(presence_penalty=0.1, frequency_penalty=0.2, seed=7, temperature=1.3),
        {"role": "user"},
        lacks=("presence_penalty", "frequency_penalty", "seed"),
    ),
    _claude("two answers", "openai n=2", _asked(n=2), rightly_refused=True),
    _claude("log probabilities", "lm-eval", _asked(logprobs=True, top_logprobs=5), rightly_refused=True),
)

_CONTENTS_CALL: Json = {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"city": "Kiel"}}}]}
_TO_GEMINI = (
    _gemini(
        "a system prompt and bounds",
        "openai",
        _asked([{"role": "system", "content": "Be brief."}, *_HELLO], temperature=1.2, top_p=0.9, stop=["END"], seed=7),
        {"parts": [{"text": "Be brief."}]},
        {"maxOutputTokens": 100, "temperature": 1.2, "topP": 0.9, "stopSequences": ["END"], "seed": 7},
        {"role": "user", "parts": [{"text": "What is the weather in Kiel?"}]},
    ),
    _gemini(
        "tools and their results",
        "LangGraph",
        _asked(_loop(), tools=[_function()]),
        {"functionDeclarations": [{"name": "weather"}]},
        _CONTENTS_CALL,
        {"functionResponse": {"name": "weather"}},
    ),
    _gemini(
        "parallel tool calls and results",
        "OpenAI Agents",
        _asked(_loop(calls=2), tools=[_function()]),
        {"role": "user", "parts": [{"functionResponse": {"name": "weather"}}]},
        "sun call_1",
        "sun call_2",
    ),
    _gemini(
        "a forced tool",
        "instructor TOOLS mode",
        _asked(tools=[_function()], tool_choice={"type": "function", "function": {"name": "weather"}}),
        {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
    ),
    _gemini(
        "allowed tools",
        "openai 2.x (tool_choice)",
        _asked(
            tools=[_function(), _function("tide")],
            tool_choice={
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [{"type": "function", "function": {"name": "tide"}}],
                },
            },
        ),
        {"name": "tide"},
        {"functionCallingConfig": {"mode": "ANY"}},
        lacks=("allowed_tools",),
    ),
    _gemini(
        "JSON object",
        "instructor JSON mode",
        _asked(response_format={"type": "json_object"}),
        {"responseMimeType": "application/json"},
    ),
    _gemini(
        "JSON schema",
        "openai parse()",
        _asked(response_format=_format(strict=True)),
        {"responseMimeType": "application/json"},
        {"type": "object", "required": ["city"]},
    ),
    _gemini(
        "an image and sound",
        "openai",
        _asked(
            _user(
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PNG}"}},
                {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
            )
        ),
        {"data": _PNG},
        {"data": "UklGRg=="},
    ),
    _gemini(
        "a PDF",
        "Vercel AI SDK",
        _asked(
            _user({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}})
        ),
        {"data": "JVBERi0="},
    ),
    _gemini(
        "reasoning effort", "opencode", _asked(reasoning_effort="low"), {"thinkingConfig": {"thinkingBudget": 1024}}
    ),
    _gemini(
        "reasoning effort of a model with levels",
        "opencode",
        _asked(reasoning_effort="low"),
        {"thinkingConfig": {"thinkingLevel": "low"}},
        model="gemini-3-pro-preview",
    ),
    _gemini(
        "the signature of a thought goes back",
        "clients of Google's own OpenAI endpoint",
        _asked(
            [
                *_HELLO,
                {
                    "role": "assistant",
                    "tool_calls": [_called(extra_content={"google": {"thought_signature": "c2ln"}})],
                },
                {"role": "tool", "tool_call_id": "call_1", "content": "sun"},
            ],
            tools=[_function()],
        ),
        {"functionCall": {"name": "weather"}, "thoughtSignature": "c2ln"},
        model="gemini-3-pro-preview",
    ),
    _gemini(
        "web search", "openai web_search_options", _asked(web_search_options={}), {"tools": [{"googleSearch": {}}]}
    ),
    _gemini(
        "cache marks and a cache key",
        "opencode",
        _asked(
            [{"role": "system", "content": "Be brief.", "cache_control": _MARK}, *_HELLO],
            prompt_cache_key="k",
            user="u",
        ),
        "Be brief.",
        lacks=("cache_control", "prompt_cache_key", "user"),
    ),
)

OPENAI_DOOR: tuple[Case, ...] = _TO_CLAUDE + _TO_GEMINI
