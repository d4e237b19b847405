"""Anthropic's tools that the client runs, as functions for models of others.

Anthropic defines their input by a name with a date; its models know it from training. Others need a schema: these are
ours, from the documentation of each tool. Source, 2026-11:
https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview and the page of each tool.
"""

from typing import Any, NamedTuple

Json = dict[str, Any]


class ClientTool(NamedTuple):
    description: str
    schema: Json


def _object(required: tuple[str, ...], **properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(required)}


def _text(description: str) -> Json:
    return {"type": "string", "description": description}


_LINES: Json = {
    "type": "array",
    "items": {"type": "integer"},
    "description": "First and last line to show; -1 is the end of the file.",
}
_BASH = ClientTool(
    "Runs commands in a bash session that stays open between calls.",
    _object(
        (),
        command=_text("The command to run. Needed unless the session is restarted."),
        restart={"type": "boolean", "description": "Starts the session anew."},
    ),
)
_EDIT_COMMANDS = ["view", "create", "str_replace", "insert"]


def _editor(*more: str) -> ClientTool:
    return ClientTool(
        "Looks at files and changes them.",
        _object(
            ("command", "path"),
            command={"type": "string", "enum": [*_EDIT_COMMANDS, *more]},
            path=_text("The file, or for view a folder."),
            file_text=_text("For create: what the file is to hold."),
            old_str=_text("For str_replace: the text to replace, exactly as it stands in the file, once."),
            new_str=_text("For str_replace: what comes in its place."),
            insert_line={"type": "integer", "description": "For insert: the line behind which to insert; 0: the top."},
            insert_text=_text("For insert: the text to insert."),
            view_range=_LINES,
        ),
    )


_MEMORY = ClientTool(
    "Keeps notes in files below /memories, between conversations.",
    _object(
        ("command",),
        command={"type": "string", "enum": [*_EDIT_COMMANDS, "delete", "rename"]},
        path=_text("The file or folder, below /memories."),
        file_text=_text("For create: what the file is to hold."),
        old_str=_text("For str_replace: the text to replace."),
        new_str=_text("For str_replace: what comes in its place."),
        insert_line={"type": "integer", "description": "For insert: the line behind which to insert."},
        insert_text=_text("For insert: the text to insert."),
        old_path=_text("For rename: the file as it is called now."),
        new_path=_text("For rename: its new name."),
        view_range=_LINES,
    ),
)
_POINT: Json = {"type": "array", "items": {"type": "integer"}, "description": "x and y in pixels."}
_COMPUTER = ClientTool(
    "Moves the mouse, types, and takes pictures of the screen.",
    _object(
        ("action",),
        action=_text(
            "One of key, type, mouse_move, left_click, left_click_drag, right_click, middle_click, double_click, "
            "triple_click, left_mouse_down, left_mouse_up, scroll, hold_key, wait, screenshot, cursor_position."
        ),
        text=_text("What to type, or the keys to press, as ctrl+s."),
        coordinate=_POINT,
        start_coordinate=_POINT,
        scroll_direction={"type": "string", "enum": ["up", "down", "left", "right"]},
        scroll_amount={"type": "integer"},
        duration={"type": "number", "description": "Seconds to wait or to hold a key."},
    ),
)

_FAMILIES = {
    "bash_": _BASH,
    "text_editor_2024": _editor("undo_edit"),
    "text_editor_20250124": _editor("undo_edit"),
    "text_editor_": _editor(),
    "memory_": _MEMORY,
    "computer_": _COMPUTER,
}
"""By the beginning of their type, the longer ones first."""


def client_tool(kind: str) -> ClientTool | None:
    """The tool of that type; None: it is not one that clients run."""
    return next((tool for begin, tool in _FAMILIES.items() if kind.startswith(begin)), None)
