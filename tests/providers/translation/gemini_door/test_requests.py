import json

import pytest

from modicum.providers.facts import DialectError
from modicum.providers.translation.gemini_door.requests import request

PNG = "iVBORw0KGgo="


def sent(contents, **more):
    translated = request(json.dumps({"contents": contents, **more}).encode(), "gpt-5")
    return json.loads(translated.body)["messages"], translated.left_out


def user(*parts):
    return {"role": "user", "parts": list(parts)}


def model(*parts):
    return {"role": "model", "parts": list(parts)}


def test_results_find_their_calls_by_id_or_by_name_and_order():
    calls = [
        {"functionCall": {"name": name, "args": {}, **own}} for name, own in (("a", {"id": "x"}), ("b", {}), ("b", {}))
    ]
    results = [
        {"functionResponse": {"name": "b", "response": {"output": "first"}}},
        {"functionResponse": {"name": "a", "id": "x", "response": {"result": "of a"}}},
        {"functionResponse": {"name": "b", "response": {"error": "second"}}},
    ]
    messages, _ = sent([user({"text": "go"}), model(*calls), user(*results, {"text": "and?"})])

    assert [call["id"] for call in messages[1]["tool_calls"]] == ["x", "call_1", "call_2"]
    assert [(one["tool_call_id"], one["content"]) for one in messages[2:5]] == [
        ("call_1", "first"),
        ("x", "of a"),
        ("call_2", '{"error":"second"}'),
    ]
    assert messages[5] == {"role": "user", "content": "and?"}


def test_pictures_files_and_sound_are_carried_in_both_spellings():
    parts = [
        {"inline_data": {"mime_type": "image/png", "data": PNG.replace("+", "-")}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://example.org/a.png"}},
        {"inlineData": {"mimeType": "application/pdf", "data": PNG}},
        {"inlineData": {"mimeType": "audio/wav", "data": PNG}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "https://example.org/a.pdf"}},
    ]
    (message,), _ = sent([user(*parts)])
    kinds = [part["type"] for part in message["content"]]
    assert kinds == ["image_url", "image_url", "file", "input_audio", "file"]
    assert message["content"][0]["image_url"]["url"] == f"data:image/png;base64,{PNG}"


def test_a_picture_in_a_result_follows_it():
    result = {
        "functionResponse": {
            "name": "f",
            "response": {},
            "parts": [{"inlineData": {"mimeType": "image/png", "data": PNG}}],
        }
    }
    messages, _ = sent([user({"text": "go"}), model({"functionCall": {"name": "f"}}), user(result)])
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "user"]


def test_thoughts_and_what_google_ran_are_left_out_and_named():
    turn = model({"text": "hm", "thought": True}, {"text": "Kiel"}, {"executableCode": {"code": "1"}})
    messages, left_out = sent([user({"text": "go"}, {"videoMetadata": {"fps": 1}}), turn, model()], labels={"a": "b"})
    assert messages[1] == {"role": "assistant", "content": "Kiel"}
    assert left_out == ("labels", "videoMetadata", "thought", "executableCode")


@pytest.mark.parametrize(
    ("contents", "more"),
    [
        ([user({"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x"}})], {}),
        ([user({"fileData": {"fileUri": "gs://bucket/x"}})], {}),
        ([user({"inlineData": {"mimeType": "video/mp4", "data": PNG}})], {}),
        ([user({"functionResponse": {"name": "f", "response": {}}})], {}),
        ([user({"text": "go"})], {"cachedContent": "cachedContents/x"}),
        ([], {}),
    ],
)
def test_what_only_google_has_is_refused(contents, more):
    with pytest.raises(DialectError, match="cannot take"):
        sent(contents, **more)
