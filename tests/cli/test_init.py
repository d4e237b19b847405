"""`modicum init`, as a person types it."""

import tomllib

import msgspec
import pytest

from modicum.cli.init import TEXT
from modicum.settings import ConsoleSettings, GatewaySettings, OtelSettings


def test_the_file_that_it_writes_is_fine_for_doctor(folder, modicum):
    printed = modicum("init").out

    assert "modicum.toml written; 'modicum doctor' checks it" in printed
    assert {check["fine"] for check in modicum("doctor", "--json").json} == {True}


def test_a_file_that_is_there_stays_unless_force_is_said(folder, modicum):
    (folder / "modicum.toml").write_text("# mine\n")

    refused = modicum("init")
    assert refused.status == 2
    assert "'modicum init --force' overwrites it" in refused.err
    assert (folder / "modicum.toml").read_text() == "# mine\n"

    modicum("init", "--force")
    assert (folder / "modicum.toml").read_text() == TEXT


def test_it_writes_where_it_is_told_to_and_makes_the_folders(folder, modicum):
    path = folder / "etc" / "modicum" / "modicum.toml"

    modicum("init", path)

    assert path.read_text() == TEXT


@pytest.mark.parametrize(
    ("table", "kind"), [("gateway", GatewaySettings), ("console", ConsoleSettings), ("otel", OtelSettings)]
)
def test_the_lines_that_are_commented_out_are_settings_and_show_their_defaults(table, kind):
    """But for a few, which show an example of what has no default."""
    examples = {"hosts", "cors_origins", "tls_certificate_file", "tls_key_file", "own_keys", "endpoint", "headers"}
    section = TEXT.split(f"[{table}]\n")[1].split("\n[")[0]
    lines = [line.removeprefix("# ") for line in section.splitlines() if line.startswith("# ") and " = " in line]
    shown = tomllib.loads("\n".join(lines))

    defaults = msgspec.structs.asdict(kind())
    assert set(shown) <= set(defaults)
    assert {name: value for name, value in shown.items() if name not in examples} == {
        name: defaults[name] for name in shown if name not in examples
    }
    assert len(set(shown) - examples) > 0
