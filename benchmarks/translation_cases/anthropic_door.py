"""Requests of Anthropic's messages to OpenAI and Gemini."""

from typing import Any

from translation_cases.case import CHAT, GEMINI, MESSAGES, Case, Json

_PNG = "iVBORw0KGgo="
_MARK: Json = {"type": "ephemeral"}
_SCHEMA: Json = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_HELLO: list[Json] = [{"role": "user", "content": "What is the weather in Kiel?"}]
_IMAGE: Json = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": _PNG}}


def _tool(name: str = "weather", **more: Any) -> Json:
    return {"name": name, "description": "d", "input_schema": _SCHEMA, **more}


def _loop(*, calls: int = 1, before: tuple[Json, ...] = (), result: Any = "sun", **more: Any) -> list[Json]:
    uses = [
        {"type": "tool_use", "id": f"toolu_{place}", "name": "weather", "input": {"city": "Kiel"}}
        for place in range(1, calls + 1)
    ]
    results = [{"type": "tool_result", "tool_use_id": use["id"], "content": result, **more} for use in uses]
    return [*_HELLO, {"role": "assistant", "content": [*before, *uses]}, {"role": "user", "content": results}]


def _asked(messages: Any = None, **fields: Any) -> Json:
    return {"max_tokens": 100, "messages": messages or _HELLO, **fields}


def _openai(name: str, client: str, request: Json, *arrives: Any, **more: Any) -> Case:
    return Case(name, MESSAGES, CHAT, client, request, arrives, **more)


def _gemini(name: str, client: str, request: Json, *arrives: Any, **more: Any) -> Case:
    return Case(name, MESSAGES, GEMINI, client, request, arrives, **more)


_CODE = "Claude Code"
_SEARCH_RESULT: Json = {
    "type": "search_result",
    "source": "https://example.com",
    "title": "Tides",
    "content": [{"type": "text", "text": "High at noon."}],
}
_TO_OPENAI = (
    _openai(
        "Claude Code's usual request",
        _CODE,
        _asked(
            [{"role": "user", "content": [{"type": "text", "text": "Fix it.", "cache_control": _MARK}]}],
            system=[{"type": "text", "text": "You are Claude Code.", "cache_control": _MARK}],
            tools=[_tool("Read", eager_input_streaming=True), _tool("Bash", cache_control=_MARK)],
            metadata={"user_id": "user_0a_account_11111111-1111-1111-1111-111111111111_session_2"},
            thinking={"type": "adaptive"},
            output_config={"effort": "medium"},
            context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
            temperature=1,
            stream=True,
        ),
        {"role": "system"},
        "You are Claude Code.",
        "Fix it.",
        {"function": {"name": "Bash"}},
        lacks=("cache_control", "context_management", "eager_input_streaming"),
    ),
    _openai(
        "tools that load later",
        f"{_CODE}, tool search",
        _asked(
            tools=[
                {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"},
                _tool(defer_loading=True),
            ]
        ),
        {"name": "weather"},
        lacks=("defer_loading",),
    ),
    _openai(
        "examples of a tool's input",
        "anthropic (advanced tool use)",
        _asked(tools=[_tool(input_examples=[{"city": "Husum"}])]),
        {"name": "weather"},
        "Husum",
        lacks=("input_examples",),
    ),
    _openai(
        "web search",
        f"{_CODE} WebSearch",
        _asked(
            tools=[
                {
                    "type": "web_search_20250305",
                    "name": "web_search",
                    "max_uses": 8,
                    "user_location": {"type": "approximate", "city": "Kiel", "country": "DE"},
                }
            ]
        ),
        {"web_search_options": {"user_location": {"approximate": {"city": "Kiel", "country": "DE"}}}},
        model="gpt-5-search-api",
    ),
    _openai(
        "the client's own bash",
        "anthropic (bash_20250124)",
        _asked(tools=[{"type": "bash_20250124", "name": "bash"}]),
        {"function": {"name": "bash", "parameters": {"properties": {"command": {"type": "string"}}}}},
    ),
    _openai(
        "the client's own editor",
        "anthropic (text_editor_20250728)",
        _asked(tools=[{"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 1000}]),
        {
            "function": {
                "name": "str_replace_based_edit_tool",
                "parameters": {"properties": {"command": {"enum": ["view", "create", "str_replace", "insert"]}}},
            }
        },
    ),
    _openai(
        "the client's own memory",
        "anthropic (memory_20250818)",
        _asked(tools=[{"type": "memory_20250818", "name": "memory"}]),
        {"function": {"name": "memory", "parameters": {"properties": {"command": {"type": "string"}}}}},
    ),
    _openai("top_k", "LangChain ChatAnthropic(top_k=40)", _asked(top_k=40), {"role": "user"}, lacks=("top_k",)),
    _openai(
        "thinking with a budget",
        _CODE,
        _asked(max_tokens=32000, thinking={"type": "enabled", "budget_tokens": 16000}),
        {"reasoning_effort": "high"},
        lacks=("thinking",),
    ),
    _openai(
        "effort and a JSON schema",
        "anthropic parse()",
        _asked(output_config={"effort": "low", "format": {"type": "json_schema", "schema": _SCHEMA}}),
        {"reasoning_effort": "low"},
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"required": ["city"]}}}},
    ),
    _openai(
        "the older field of a JSON schema",
        "anthropic 0.7x (beta structured outputs)",
        _asked(output_format={"type": "json_schema", "schema": _SCHEMA}),
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"required": ["city"]}}}},
    ),
    _openai(
        "parallel tool calls and results",
        _CODE,
        _asked(_loop(calls=2), tools=[_tool()]),
        {"tool_calls": [{"id": "toolu_1"}, {"id": "toolu_2"}]},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "sun"},
        {"role": "tool", "tool_call_id": "toolu_2", "content": "sun"},
    ),
    _openai(
        "a tool's result with an image",
        f"{_CODE} Read of a picture",
        _asked(_loop(result=[{"type": "text", "text": "shot"}, _IMAGE]), tools=[_tool()]),
        {"role": "tool", "tool_call_id": "toolu_1"},
        {"image_url": {"url": f"data:image/png;base64,{_PNG}"}},
    ),
    _openai(
        "a tool's result with a document",
        f"{_CODE} Read of a PDF",
        _asked(
            _loop(
                result=[
                    {
                        "type": "document",
                        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                    }
                ]
            ),
            tools=[_tool()],
        ),
        {"role": "tool", "tool_call_id": "toolu_1"},
        "data:application/pdf;base64,JVBERi0=",
    ),
    _openai(
        "thinking of earlier turns",
        _CODE,
        _asked(
            _loop(
                before=(
                    {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
                    {"type": "redacted_thinking", "data": "xyz"},
                )
            ),
            tools=[_tool()],
        ),
        {"tool_calls": [{"id": "toolu_1"}]},
        lacks=("signature",),
    ),
    _openai(
        "search results of an earlier turn",
        f"{_CODE} after WebSearch",
        _asked(
            [
                *_HELLO,
                {
                    "role": "assistant",
                    "content": [
                        {
                            "type": "server_tool_use",
                            "id": "srvtoolu_1",
                            "name": "web_search",
                            "input": {"query": "Kiel"},
                        },
                        {
                            "type": "web_search_tool_result",
                            "tool_use_id": "srvtoolu_1",
                            "content": [
                                {
                                    "type": "web_search_result",
                                    "url": "https://example.com",
                                    "title": "Kiel",
                                    "encrypted_content": "x",
                                }
                            ],
                        },
                        {"type": "text", "text": "It is sunny."},
                    ],
                },
                {"role": "user", "content": "And tomorrow?"},
            ]
        ),
        {"role": "assistant", "content": "It is sunny."},
        lacks=("encrypted_content",),
    ),
    _openai(
        "search results of the client's",
        "anthropic (search_result blocks)",
        _asked([{"role": "user", "content": [_SEARCH_RESULT, {"type": "text", "text": "When?"}]}]),
        "High at noon.",
        "https://example.com",
    ),
    _openai(
        "a failed tool",
        _CODE,
        _asked(_loop(result="no such city", is_error=True), tools=[_tool()]),
        {"role": "tool", "tool_call_id": "toolu_1"},
        "no such city",
    ),
    _openai(
        "context edits",
        "anthropic (clear_tool_uses)",
        _asked(context_management={"edits": [{"type": "clear_tool_uses_20250919"}]}),
        {"role": "user"},
        lacks=("context_management",),
    ),
    _openai(
        "an image by address and a forced tool",
        "Vercel AI SDK",
        _asked(
            [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "https://e.com/a.png"}}]}],
            tools=[_tool()],
            tool_choice={"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
        ),
        {"image_url": {"url": "https://e.com/a.png"}},
        {"tool_choice": {"type": "function", "function": {"name": "weather"}}, "parallel_tool_calls": False},
    ),
    _openai(
        "code that Anthropic would run",
        "anthropic (code_execution)",
        _asked(tools=[{"type": "code_execution_20250825", "name": "code_execution"}]),
        rightly_refused=True,
    ),
    _openai(
        "a server of tools that Anthropic would ask",
        "anthropic (mcp_servers)",
        _asked(mcp_servers=[{"type": "url", "url": "https://example.com/sse", "name": "m"}]),
        rightly_refused=True,
    ),
)

_TO_GEMINI = (
    _gemini(
        "Claude Code's usual request",
        _CODE,
        _asked(
            [{"role": "user", "content": [{"type": "text", "text": "Fix it.", "cache_control": _MARK}]}],
            system=[{"type": "text", "text": "You are Claude Code.", "cache_control": _MARK}],
            tools=[_tool("Read"), _tool("Bash", cache_control=_MARK)],
            metadata={"user_id": "user_0a_account_11111111-1111-1111-1111-111111111111_session_2"},
            thinking={"type": "adaptive"},
            output_config={"effort": "medium"},
            stream=True,
        ),
        {"parts": [{"text": "You are Claude Code."}]},
        {"role": "user", "parts": [{"text": "Fix it."}]},
        {"functionDeclarations": [{"name": "Read"}, {"name": "Bash"}]},
        lacks=("cache_control",),
    ),
    _gemini(
        "tools and their results",
        _CODE,
        _asked(_loop(calls=2), tools=[_tool()]),
        {"functionCall": {"name": "weather", "args": {"city": "Kiel"}}},
        {"functionResponse": {"name": "weather"}},
    ),
    _gemini("top_k", "LangChain", _asked(top_k=40, temperature=0.5), {"topK": 40, "temperature": 0.5}),
    _gemini(
        "thinking with a budget",
        _CODE,
        _asked(max_tokens=32000, thinking={"type": "enabled", "budget_tokens": 16000}),
        {"thinkingConfig": {"thinkingBudget": 16000, "includeThoughts": True}},
    ),
    _gemini(
        "a forced tool",
        "anthropic",
        _asked(tools=[_tool()], tool_choice={"type": "tool", "name": "weather"}),
        {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}},
    ),
    _gemini(
        "a JSON schema",
        "anthropic parse()",
        _asked(output_config={"format": {"type": "json_schema", "schema": _SCHEMA}}),
        {"responseMimeType": "application/json"},
        {"type": "object", "required": ["city"]},
    ),
    _gemini(
        "an image and a PDF",
        _CODE,
        _asked(
            [
                {
                    "role": "user",
                    "content": [
                        _IMAGE,
                        {
                            "type": "document",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                        },
                    ],
                }
            ]
        ),
        {"data": _PNG},
        {"data": "JVBERi0="},
    ),
    _gemini(
        "web search",
        f"{_CODE} WebSearch",
        _asked(tools=[{"type": "web_search_20250305", "name": "web_search"}]),
        {"tools": [{"googleSearch": {}}]},
    ),
    _gemini(
        "a document by address",
        "anthropic",
        _asked(
            [
                {
                    "role": "user",
                    "content": [{"type": "document", "source": {"type": "url", "url": "https://e.com/b.pdf"}}],
                }
            ]
        ),
        "https://e.com/b.pdf",
    ),
    _gemini(
        "the client's own bash",
        "anthropic (bash_20250124)",
        _asked(tools=[{"type": "bash_20250124", "name": "bash"}]),
        {"functionDeclarations": [{"name": "bash"}]},
        "command",
    ),
)

ANTHROPIC_DOOR: tuple[Case, ...] = _TO_OPENAI + _TO_GEMINI
