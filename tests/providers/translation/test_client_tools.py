import pytest

from modicum.providers.translation.client_tools import client_tool


@pytest.mark.parametrize(
    ("kind", "field", "command"),
    [
        ("bash_20250124", "command", None),
        ("text_editor_20241022", "path", "undo_edit"),
        ("text_editor_20250124", "path", "undo_edit"),
        ("text_editor_20250728", "path", None),
        ("memory_20250818", "old_path", "rename"),
        ("computer_20251124", "action", None),
    ],
)
def test_a_tool_that_clients_run_has_a_schema(kind, field, command):
    schema = client_tool(kind).schema
    assert field in schema["properties"]
    assert set(schema["required"]) <= set(schema["properties"])
    commands = schema["properties"].get("command", {}).get("enum", [])
    assert (command in commands) if command else "undo_edit" not in commands


@pytest.mark.parametrize("kind", ["code_execution_20250825", "web_fetch_20250910", "custom", ""])
def test_others_have_none(kind):
    assert client_tool(kind) is None
