"""Requests of Gemini's clients to Claude and GPT models."""

from typing import Any

from translation_cases.case import CHAT, GEMINI, MESSAGES, Case, Json

_PNG = "iVBORw0KGgo="
_SCHEMA: Json = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
_TOOLS: Json = {"tools": [{"functionDeclarations": [{"name": "weather", "description": "d", "parameters": _SCHEMA}]}]}
_CALL: Json = {"functionCall": {"name": "weather", "args": {"city": "Kiel"}}}
_RESULT: Json = {"functionResponse": {"name": "weather", "response": {"output": "sun"}}}
_CLI: Json = {
    "systemInstruction": {"role": "user", "parts": [{"text": "You are Gemini CLI."}]},
    "generationConfig": {
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 8192},
    },
    "safetySettings": [],
}


def _said(*parts: Any, role: str = "user") -> Json:
    return {"role": role, "parts": [{"text": part} if isinstance(part, str) else part for part in parts]}


def _both(
    name: str, client: str, request: Json, chat: tuple[Any, ...], claude: tuple[Any, ...], **more: Any
) -> list[Case]:
    return [
        Case(name, GEMINI, CHAT, client, request, chat, **more),
        Case(name, GEMINI, MESSAGES, client, request, claude, **more),
    ]


def _asked(*contents: Json, **fields: Any) -> Json:
    return {"contents": list(contents or [_said("What is the weather in Kiel?")]), **fields}


_USED_CHAT = {"type": "function", "function": {"name": "weather", "arguments": "Kiel"}}
_USED_CLAUDE = {"type": "tool_use", "name": "weather", "input": {"city": "Kiel"}}
_WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_SHAPE_CLAUDE: Json = {"type": "json_schema", "schema": _WEATHER}

GEMINI_DOOR: tuple[Case, ...] = (
    *_both(
        "Gemini CLI's usual request",
        "Gemini CLI",
        _asked(**_CLI, **_TOOLS),
        ({"role": "system", "content": "You are Gemini CLI."}, {"name": "weather", "parameters": _WEATHER}),
        ("You are Gemini CLI.", {"name": "weather", "input_schema": _WEATHER}, {"thinking": {"type": "enabled"}}),
        lacks=("safetySettings", "topK"),
    ),
    *_both(
        "tools and their results",
        "google-genai, automatic function calling",
        _asked(_said("Kiel?"), _said(_CALL, role="model"), _said(_RESULT), **_TOOLS),
        (_USED_CHAT, {"role": "tool", "content": "sun"}),
        (_USED_CLAUDE, {"type": "tool_result"}, "sun"),
    ),
    *_both(
        "two calls of one tool without ids",
        "Gemini CLI, parallel calls",
        _asked(_said("Both?"), _said(_CALL, _CALL, role="model"), _said(_RESULT, _RESULT), **_TOOLS),
        ({"tool_call_id": "call_0"}, {"tool_call_id": "call_1"}),
        ({"tool_use_id": "call_0"}, {"tool_use_id": "call_1"}),
    ),
    *_both(
        "a picture",
        "google-genai, types.Part.from_bytes",
        _asked(_said("What is this?", {"inline_data": {"mime_type": "image/png", "data": _PNG}})),
        ({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PNG}"}},),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": _PNG}},),
    ),
    *_both(
        "a PDF",
        "google-genai",
        _asked(_said({"inlineData": {"mimeType": "application/pdf", "data": _PNG}}, "Sum it up.")),
        ({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{_PNG}"}},),
        ({"type": "document", "source": {"media_type": "application/pdf", "data": _PNG}},),
    ),
    *_both(
        "an answer of a shape",
        "google-genai, response_schema",
        _asked(generationConfig={"responseMimeType": "application/json", "responseSchema": _SCHEMA}),
        ({"type": "json_schema", "json_schema": {"schema": _WEATHER}},),
        (({"format": _SHAPE_CLAUDE}, {"output_format": _SHAPE_CLAUDE}),),
        lacks=("responseMimeType", "responseSchema"),
    ),
    *_both(
        "JSON without a shape",
        "google-genai, response_mime_type",
        _asked(generationConfig={"responseMimeType": "application/json"}),
        ({"response_format": {"type": "json_object"}},),
        ("JSON",),
    ),
    *_both(
        "one function that must be called",
        "google-genai, tool_config",
        _asked(**_TOOLS, toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}}),
        (({"tool_choice": {"type": "function", "function": {"name": "weather"}}}, {"tool_choice": "required"}),),
        (({"tool_choice": {"type": "tool", "name": "weather"}}, {"tool_choice": {"type": "any"}}),),
    ),
    *_both(
        "bounds and sampling",
        "google-genai, GenerateContentConfig",
        _asked(generationConfig={"maxOutputTokens": 99, "temperature": 0.5, "stopSequences": ["END"]}),
        ({"max_completion_tokens": 99, "temperature": 0.5, "stop": ["END"]},),
        ({"max_tokens": 99, "temperature": 0.5, "stop_sequences": ["END"]},),
    ),
    *_both(
        "Google's search",
        "Gemini CLI, google_web_search",
        _asked(tools=[{"googleSearch": {}}]),
        ({"web_search_options": {}},),
        ({"name": "web_search"},),
    ),
    *_both(
        "code that Google runs",
        "google-genai, ToolCodeExecution",
        _asked(tools=[{"codeExecution": {}}]),
        (),
        (),
        rightly_refused=True,
    ),
    *_both(
        "a file that only Google has",
        "google-genai, client.files.upload",
        _asked(
            _said(
                {
                    "fileData": {
                        "mimeType": "image/png",
                        "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/a",
                    }
                }
            )
        ),
        (),
        (),
        rightly_refused=True,
    ),
)
