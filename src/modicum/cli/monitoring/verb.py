"""`modicum monitoring`: writes what Prometheus and Grafana need, with the addresses of the settings."""

import os
from importlib.resources import files
from pathlib import Path

import click

from modicum.calls import UserError
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.settings import Settings, host_and_port, read_settings

RULES, DASHBOARD, SCRAPES = "modicum.rules.yml", "modicum-dashboard.json", "prometheus.yml"
_ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - only compared


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIRECTORY")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@json_option
def command(folder: Path, *, force: bool, as_json: bool) -> None:
    """Write rules and scrapes for Prometheus and a dashboard for Grafana into DIRECTORY.

    prometheus.yml is a whole configuration to start from, or to copy the two scrapes from.

    \b
    Examples:
      modicum monitoring monitoring
      promtool check config monitoring/prometheus.yml
      prometheus --config.file monitoring/prometheus.yml
    """
    texts = {
        RULES: _packaged(RULES),
        SCRAPES: scrape_text(read_settings()),
        DASHBOARD: _packaged(DASHBOARD),
    }
    present = [str(folder / name) for name in texts if (folder / name).exists()]
    if present and not force:
        raise UserError(f"{', '.join(present)} would be overwritten; --force does that")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    if as_json:
        output.print_json({"files": [str(folder / name) for name in texts]})
        return
    for name in texts:
        click.echo(folder / name)
    if not read_settings().metrics.token:
        click.echo(
            "figures by team, app and key need a token: set 'token' under [metrics], write it again with --force",
            err=True,
        )


def scrape_text(settings: Settings) -> str:
    """The configuration of Prometheus that goes with the settings."""
    gateway, ledger = settings.gateway, settings.console
    scheme = "https" if gateway.tls_certificate_file else "http"
    return f"""\
# Two scrapes: of the gateway, and of the ledger process, which has the figures by team, app and key.
global:
  scrape_interval: 15s
  evaluation_interval: 15s
rule_files:
  - {RULES}
scrape_configs:
  - job_name: modicum-gateway
    scheme: {scheme}
    static_configs:
      - targets: ["{_target("gateway.listen", gateway.listen)}"]
  - job_name: modicum-ledger
{_authorization(settings)}    static_configs:
      - targets: ["{_target("console.listen", ledger.listen)}"]
"""


def _target(name: str, listen: str) -> str:
    host, port = host_and_port(name, listen)
    host = "127.0.0.1" if host in _ANYWHERE else host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _authorization(settings: Settings) -> str:
    """Prometheus reads a token from a file only."""
    kind, _, place = settings.metrics.token.partition(":")
    if kind == "file":
        path = Path(os.path.abspath(Path(place).expanduser()))  # noqa: PTH100 - a link stays a link
        return f"    authorization:\n      credentials_file: {_quoted(str(path))}\n"
    where = f"what {place} of the environment holds" if kind == "env" else "the token of metrics.token"
    return f"    # authorization:\n    #   credentials_file: /path/of/a/file  # with {where}\n"


def _quoted(text: str) -> str:
    """As YAML reads it, whatever is in it: JSON's strings are YAML's."""
    import json

    return json.dumps(text)


def _packaged(name: str) -> str:
    return files("modicum.cli.monitoring").joinpath(name).read_text(encoding="utf-8")
