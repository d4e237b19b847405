"""Requests of OpenAI's responses to Claude and Gemini."""

from typing import Any

from translation_cases.case import GEMINI, MESSAGES, RESPONSES, Case, Json

_PNG = "iVBORw0KGgo="
_SCHEMA: Json = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_FUNCTION: Json = {"type": "function", "name": "weather", "description": "d", "parameters": _SCHEMA, "strict": False}
_CALL: Json = {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Kiel"}'}
_RESULT: Json = {"type": "function_call_output", "call_id": "call_1", "output": "sun"}


def _said(text: str, role: str = "user") -> Json:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def _asked(items: Any = "What is the weather in Kiel?", **fields: Any) -> Json:
    return {"input": items, "store": False, **fields}


def _claude(name: str, client: str, request: Json, *arrives: Any, **more: Any) -> Case:
    return Case(name, RESPONSES, MESSAGES, client, request, arrives, **more)


def _gemini(name: str, client: str, request: Json, *arrives: Any, **more: Any) -> Case:
    return Case(name, RESPONSES, GEMINI, client, request, arrives, **more)


_FORMAT: Json = {"format": {"type": "json_schema", "name": "answer", "schema": _SCHEMA, "strict": True}}
_CODEX: Json = {
    "instructions": "You are Codex.",
    "tools": [_FUNCTION],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "019a",
    "text": {"verbosity": "low"},
    "stream": True,
}
_PATCH: Json = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Edits files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"},
}
_TO_CLAUDE = (
    _claude(
        "Codex's usual request",
        "Codex",
        _asked([_said("Be safe.", "developer"), _said("Fix it.")], **_CODEX),
        "You are Codex.",
        "Be safe.",
        {"role": "user", "content": [{"text": "Fix it."}]},
        {"name": "weather", "input_schema": {"required": ["city"]}},
        lacks=("prompt_cache_key", "include", "store"),
    ),
    _claude(
        "a plain text",
        "openai responses.create()",
        {"input": "Kiel?", "max_output_tokens": 99},
        {"max_tokens": 99},
        "Kiel?",
    ),
    _claude(
        "tools and their results",
        "OpenAI Agents",
        _asked([_said("Kiel?"), _CALL, _RESULT], tools=[_FUNCTION]),
        {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Kiel"}},
        {"type": "tool_result", "tool_use_id": "call_1"},
        "sun",
    ),
    _claude(
        "a JSON schema",
        "openai responses.parse()",
        _asked(text=_FORMAT),
        {"required": ["city"], "properties": {"city": {"type": "string"}}},
        ({"format": {"type": "json_schema"}}, {"output_format": {"type": "json_schema"}}, {"type": "tool"}),
    ),
    _claude(
        "an image and a PDF",
        "openai",
        _asked(
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_image", "image_url": f"data:image/png;base64,{_PNG}", "detail": "auto"},
                        {
                            "type": "input_file",
                            "filename": "a.pdf",
                            "file_data": "data:application/pdf;base64,JVBERi0=",
                        },
                    ],
                }
            ]
        ),
        {"type": "image", "source": {"data": _PNG}},
        {"type": "document", "source": {"data": "JVBERi0="}},
    ),
    _claude(
        "a custom tool",
        "Codex apply_patch",
        _asked(
            [
                _said("Fix it."),
                {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": "*** Begin Patch"},
                {"type": "custom_tool_call_output", "call_id": "c1", "output": "Done"},
            ],
            tools=[_PATCH],
        ),
        {"name": "apply_patch", "input_schema": {"type": "object"}},
        {"type": "tool_use", "id": "c1", "name": "apply_patch"},
        "*** Begin Patch",
        {"type": "tool_result", "tool_use_id": "c1"},
    ),
    _claude(
        "a forced tool, one at a time",
        "OpenAI Agents",
        _asked(tools=[_FUNCTION], tool_choice={"type": "function", "name": "weather"}, parallel_tool_calls=False),
        {"tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": True}},
    ),
    _claude(
        "web search", "OpenAI Agents WebSearchTool", _asked(tools=[{"type": "web_search"}]), {"name": "web_search"}
    ),
    _claude("reasoning effort", "openai", _asked(reasoning={"effort": "high"}), {"effort": "high"}),
    _claude(
        "an answer that nobody here keeps",
        "openai previous_response_id",
        _asked(previous_response_id="resp_1"),
        rightly_refused=True,
    ),
)

_TO_GEMINI = (
    _gemini(
        "Codex's usual request",
        "Codex",
        _asked([_said("Be safe.", "developer"), _said("Fix it.")], **_CODEX),
        "You are Codex.",
        "Be safe.",
        {"role": "user", "parts": [{"text": "Fix it."}]},
        {"functionDeclarations": [{"name": "weather"}]},
    ),
    _gemini(
        "a bound and sampling",
        "openai",
        _asked(max_output_tokens=99, temperature=0.3),
        {"maxOutputTokens": 99, "temperature": 0.3},
    ),
    _gemini(
        "tools and their results",
        "OpenAI Agents",
        _asked([_said("Kiel?"), _CALL, _RESULT], tools=[_FUNCTION]),
        {"functionCall": {"name": "weather", "args": {"city": "Kiel"}}},
        {"functionResponse": {"name": "weather"}},
    ),
    _gemini(
        "a JSON schema",
        "openai responses.parse()",
        _asked(text=_FORMAT),
        {"responseMimeType": "application/json"},
        {"type": "object", "required": ["city"]},
    ),
    _gemini(
        "an image",
        "openai",
        _asked([{"role": "user", "content": [{"type": "input_image", "image_url": f"data:image/png;base64,{_PNG}"}]}]),
        {"data": _PNG},
    ),
    _gemini(
        "reasoning effort", "openai", _asked(reasoning={"effort": "low"}), {"thinkingConfig": {"thinkingBudget": 1024}}
    ),
    _gemini(
        "a conversation of several turns",
        "openai",
        _asked([_said("Kiel?"), _said("Sunny.", "assistant"), _said("And Husum?")]),
        {"role": "model", "parts": [{"text": "Sunny."}]},
        {"role": "user", "parts": [{"text": "And Husum?"}]},
    ),
    _gemini(
        "web search",
        "OpenAI Agents WebSearchTool",
        _asked(tools=[{"type": "web_search"}]),
        {"tools": [{"googleSearch": {}}]},
    ),
)

RESPONSES_DOOR: tuple[Case, ...] = _TO_CLAUDE + _TO_GEMINI
