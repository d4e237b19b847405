"""Every text of a JSON document, whoever's API it is of."""

from typing import Any, Protocol

TOOLS = frozenset({"arguments", "args", "partial_json"})
"""Fields that hold what a tool is called with."""
JSON_IN_TEXT = frozenset({"arguments", "partial_json"})
"""Those whose text is JSON itself."""
_NOT_TEXT = frozenset(
    """bytes call_id container data encrypted_content file_data file_id id media_type mimeType mime_type model
    object previous_response_id role signature thoughtSignature tool_call_id tool_use_id type""".split()  # noqa: SIM905
)
"""Names, numbers of things, signatures and packed data: a change would break them."""


class TextEdit(Protocol):
    """Gives a text anew. `in_tool`: it is what a tool is called with; `is_json`: it is JSON itself."""

    def __call__(self, text: str, *, in_tool: bool = False, is_json: bool = False) -> str: ...


def edit_texts(value: Any, edit: TextEdit, *, in_tool: bool = False) -> Any:
    """The document with every text edited, names of fields within a tool's call too. What is handed over stays."""
    if isinstance(value, str):
        return edit(value, in_tool=in_tool)
    if isinstance(value, list):
        return [edit_texts(one, edit, in_tool=in_tool) for one in value]
    if not isinstance(value, dict):
        return value
    edited = {}
    for name, one in value.items():
        of_tool = in_tool or name in TOOLS or (name == "input" and is_tool_call(value))
        if isinstance(one, str) and not in_tool and (name in _NOT_TEXT or one.startswith("data:")):
            edited[name] = one
        elif isinstance(one, str) and name in JSON_IN_TEXT:
            edited[name] = edit(one, in_tool=of_tool, is_json=True)
        else:
            edited[edit(name, in_tool=True) if in_tool else name] = edit_texts(one, edit, in_tool=of_tool)
    return edited


def is_tool_call(value: dict[str, Any]) -> bool:
    """Whether an object says so of itself; elsewhere `input` is a whole prompt."""
    kind = value.get("type")
    return isinstance(kind, str) and ("tool" in kind or "call" in kind)
