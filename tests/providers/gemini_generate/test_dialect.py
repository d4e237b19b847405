import msgspec
import pytest

from modicum.calls import SegmentKind
from modicum.providers.facts import DialectError
from modicum.providers.gemini_generate.dialect import DIALECT


@pytest.mark.parametrize(
    ("path", "model", "stream"),
    [
        ("/v1beta/models/gemini-2.5-pro:generateContent", "gemini-2.5-pro", False),
        ("/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", "gemini-2.5-pro", True),
        (
            "/v1/projects/p/locations/eu/publishers/google/models/gemini-2.5-flash:countTokens",
            "gemini-2.5-flash",
            False,
        ),
    ],
)
def test_the_path_names_model_and_method(path, model, stream):
    facts = DIALECT.request(b'{"contents":[]}', path)
    assert (facts.model, facts.stream, facts.usage_asked) == (model, stream, True)


@pytest.mark.parametrize(
    "path", ["/v1beta/models/gemini:deleteModel", "/v1beta/models", "", "/v1/models/:generateContent"]
)
def test_other_paths_are_not_served(path):
    with pytest.raises(DialectError) as refused:
        DIALECT.request(b"{}", path)
    assert refused.value.status == 404


def test_a_request_tells_its_facts():
    body = b'{"generationConfig":{"maxOutputTokens":80,"candidateCount":2},"labels":{"team":"blue"}}'
    facts = DIALECT.request(body, "/v1beta/models/gemini-2.5-pro:generateContent")
    assert (facts.most_output_tokens, facts.choices_count, facts.metadata) == (80, 2, {"team": "blue"})


def test_segments_come_in_cache_order():
    body = {
        "contents": [
            {"role": "user", "parts": [{"text": "Tide?"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "tide", "args": {}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "tide", "response": {"output": "high"}}}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "tools": [{"functionDeclarations": [{"name": "tide"}, {"name": "wind"}]}, {"googleSearch": {}}],
    }
    assert [(block.kind, block.tool) for block in DIALECT.segments(msgspec.json.encode(body))] == [
        (SegmentKind.TOOL_SCHEMA, "tide"),
        (SegmentKind.TOOL_SCHEMA, "wind"),
        (SegmentKind.TOOL_SCHEMA, "googleSearch"),
        (SegmentKind.SYSTEM, ""),
        (SegmentKind.USER, ""),
        (SegmentKind.IMAGE, ""),
        (SegmentKind.TOOL_CALL, "tide"),
        (SegmentKind.TOOL_RESULT, "tide"),
    ]
