"""Writes the reference of settings, of log formats and of the library from the code; `--check` fails where the pages are not as it says."""

import ast
import inspect
import re
import sys
import textwrap
import typing
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

import modicum
from modicum.importers import FORMATS, format_named
from modicum.settings import Settings

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
NOT_SET_BY_HAND = frozenset({"file", "policy_rules"})


def main(*, checks: bool) -> int:
    written = {"settings.md": settings_page(), "library.md": library_page(), "formats.md": formats_page()}
    pages = {name: "\n".join(lines) for name, lines in written.items()}
    stale = [name for name, text in pages.items() if not _is_written(FOLDER / name, text)]
    if checks:
        if stale:
            sys.stderr.write(
                f"docs/reference is not as the code: {', '.join(stale)}; run 'python scripts/reference.py'\n"
            )
        return len(stale)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


def _is_written(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def settings_page() -> Iterator[str]:
    """Every table of modicum.toml with its fields."""
    yield "# Settings\n"
    yield "Every field of `modicum.toml`, from the code (`scripts/reference.py`). The pages of the features say what they are for.\n"
    yield from _table("", Settings)
    hints = typing.get_type_hints(Settings)
    for name in Settings.__struct_fields__:
        if name in NOT_SET_BY_HAND:
            continue
        for kind in _structs_in(hints[name]):
            yield from _tables(_title(name, hints[name]), name, kind)


def _tables(title: str, path: str, kind: type[msgspec.Struct]) -> Iterator[str]:
    """A table, and those that stand within it, as `[[showback.shared]]`."""
    yield from _table(title, kind)
    for name, hint in typing.get_type_hints(kind).items():
        for inner in _structs_in(hint) if name in kind.__struct_fields__ else ():
            within = f"{path}.{name}"
            yield from _tables(_title(within, hint), within, inner)


def _title(path: str, hint: Any) -> str:
    origin = typing.get_origin(hint)
    return f"[[{path}]]" if origin is tuple else f"[{path}.NAME]" if origin is dict else f"[{path}]"


def _structs_in(hint: Any) -> list[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return [hint]
    return [found for inner in typing.get_args(hint) for found in _structs_in(inner)]


def _table(title: str, kind: type[msgspec.Struct]) -> Iterator[str]:
    docs = {name: text for base in reversed(kind.__mro__[:-1]) for name, text in _field_docs(base).items()}
    hints = typing.get_type_hints(kind)
    plain = [one for one in msgspec.structs.fields(kind) if title or not _structs_in(hints[one.name])]
    yield f"## `{title}`\n" if title else "## At the top of the file\n"
    yield "| field | default | meaning |\n|---|---|---|"
    for one in plain:
        if one.name in NOT_SET_BY_HAND:
            continue
        yield f"| `{one.encode_name}` | {_default(one)} | {_cell(docs.get(one.name, ''))} |"
    yield ""


def _default(one: Any) -> str:
    if one.required:
        return "required"
    value = one.default_factory() if one.default is msgspec.NODEFAULT else one.default
    if isinstance(value, msgspec.Struct) or value in ((), [], {}, None, "", frozenset()):
        return ""
    if isinstance(value, (bool, tuple)):
        value = msgspec.json.encode(value).decode().replace('","', '", "').replace(",0", ", 0").replace(",1", ", 1")
    return f"`{_cell(str(value))}`"


def _field_docs(kind: type) -> dict[str, str]:
    """The text under each field."""
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    except (OSError, TypeError):
        return {}
    docs: dict[str, str] = {}
    body = typing.cast("ast.ClassDef", node).body
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            docs[field.target.id] = str(typing.cast("ast.Constant", text.value).value)
    return docs


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def library_page() -> Iterator[str]:
    """What `import modicum` offers."""
    yield "# The library\n"
    yield "What `import modicum` offers, from the code (`scripts/reference.py`); [the page](../library.md) goes through it.\n"
    for name in sorted(modicum._LIBRARY):  # noqa: SLF001 - the list of what is public
        function = getattr(modicum, name)
        yield f"## `modicum.{name}`\n"
        yield f"```text\n{name}{_signature(function)}\n\n{inspect.getdoc(function)}\n```\n"


def _signature(function: Any) -> str:
    parameters = inspect.signature(function).parameters.values()
    star = "*, "
    parts: list[str] = []
    for one in parameters:
        is_plain = isinstance(one.default, (str, int, float, tuple)) or one.default is None
        default = "" if one.default is one.empty else f"={one.default!r}" if is_plain else "=..."
        mark = star if one.kind is one.KEYWORD_ONLY and star else ""
        star = "" if mark else star
        parts.append(f"{mark}{one.name}{default}")
    return "(" + ", ".join(parts) + ")"


def formats_page() -> Iterator[str]:
    """Every log format that is read; of one without a page of its own, what its file says at the top."""
    yield "# Log formats\n"
    yield "All that is read, from the code (`scripts/reference.py`). `modicum doctor` lists where on this machine it looks."
    yield "One more is a file, a fixture pair and a line: [adding a format](../formats/adding.md).\n"
    yield "| `--source` | what | checked against |\n|---|---|---|"
    own: list[str] = []
    for name in sorted(FORMATS):
        one = format_named(name)
        has_page = (FOLDER.parent / "formats" / f"{name}.md").exists()
        if not has_page:
            own.append(name)
        page = f"../formats/{name}.md" if has_page else f"#{name}"
        yield f"| [{name}]({page}) | {one.title} | {one.checked_against} |"
    for name in own:
        text = inspect.getdoc(import_module(f"modicum.importers.{FORMATS[name]}")) or ""
        yield f"\n## {name}\n\n{_with_space_before_lists(text)}"
    yield ""


def _with_space_before_lists(text: str) -> str:
    return re.sub(r"(?m)^((?!- |  )\S.*)\n(?=- )", r"\1\n\n", text)


if __name__ == "__main__":
    raise SystemExit(main(checks="--check" in sys.argv))
