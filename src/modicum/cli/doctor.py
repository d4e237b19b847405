"""`modicum doctor`: checks the installation, and says what to type next."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.library import resources
from modicum.settings import (
    USUAL_UPSTREAMS,
    Settings,
    beside_settings,
    host_and_port,
    ledger_place,
    read_settings,
    state_folder,
    webhook_of,
)


class Check(NamedTuple):
    what: str
    fine: bool
    said: str
    """The text behind the name; the JSON calls it so."""
    is_off: bool = False
    """Whether it is something that could run and does not."""


@click.command()
@click.option(
    "--unknown-fields",
    "report_path",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="Write a report of what this version does not know in your calls, to FILE or to the terminal; no checks.",
)
@json_option
def command(*, report_path: str | None, as_json: bool) -> None:
    """Check settings, keys, folders, ledger, gateway and the export of spans. No provider is called.

    Exits with status 1 if something is wrong.

    \b
    Examples:
      modicum doctor
      modicum doctor --json
      modicum doctor --unknown-fields unknown-fields.json
    """
    if report_path is not None:
        write_report(report_path)
        return
    checks = list(_run_checks())
    if as_json:
        output.print_json_list(check._asdict() for check in checks)
    else:
        for check in checks:
            word = "off" if check.is_off else "ok" if check.fine else "WRONG"
            click.echo(f"{word:5} {check.what}: {check.said}")
    if not all(check.fine for check in checks):
        raise SystemExit(1)


def write_report(path: str) -> None:
    """The report on unknown fields, to a file (`-`: the terminal). It goes nowhere by itself.

    Raises:
        UserError: the file cannot be written.
    """
    from modicum.cli.terminal.unknown_fields import make_report

    report = make_report(read_settings())
    if path == "-":
        output.print_json(report)
        return
    try:
        Path(path).write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error}") from None
    number = len(report["fields"])
    click.echo(f"{path}: {number_of(number, 'field')} that this version does not know; read it, then send it")


def _run_checks() -> Iterator[Check]:
    try:
        settings = read_settings()
    except UserError as error:
        yield Check("settings", fine=False, said=str(error))
        return
    yield Check("settings", fine=True, said=settings.file or "none; defaults ('modicum init' writes a file)")
    yield from _check_fields(settings)
    yield from _check_upstreams(settings)
    yield from _check_teams(settings)
    yield _run_check("folder", _check_folder)
    yield from _check_journals()
    yield _run_check("file of keys", _check_keys)
    yield _run_check("open files", lambda: _check_open_files(settings))
    yield _run_check("memory of requests", lambda: _check_body_budget(settings))
    yield _run_check("key of digests", lambda: f"{len(resources.read_digest_key())} bytes")
    yield _run_check("ledger", lambda: _check_ledger(settings))
    yield _run_check("listener", lambda: _check_listener(settings))
    yield _run_check("gateway", lambda: _check_gateway(settings))
    yield _run_check("metrics", lambda: _check_metrics(settings))
    yield _run_check("alerts", lambda: _check_alerts(settings))
    yield _run_check("otel", lambda: _check_otel(settings))


def _check_fields(settings: Settings) -> Iterator[Check]:
    """What of the ledger's calls this version does not know: their cost is no exact figure."""
    from modicum.cli.terminal.unknown_fields import fields_in_ledger

    try:
        with resources.open_ledger(None, settings) as store:
            fields = fields_in_ledger(store)
    except (UserError, OSError):
        return  # the check of the ledger says why
    for field in fields:
        message = f"in {number_of(field.calls, 'call')} of {field.source}, which makes their cost an estimate; "
        message += "'modicum doctor --unknown-fields FILE' writes a report to send"
        yield Check(f"unknown field {field.field}", fine=False, said=message)


def _check_upstreams(settings: Settings) -> Iterator[Check]:
    from modicum.gateway.process.from_settings import upstream_of

    for name, one in (settings.upstreams or USUAL_UPSTREAMS).items():
        what = f"upstream {name}"
        try:
            upstream = upstream_of(settings, name, one)
        except UserError as error:
            yield Check(what, fine=False, said=str(error))
            continue
        takes_own = settings.gateway.own_keys and upstream.own_keys
        if one.key and not upstream.has_key:
            message = f"{one.url}; no key in {one.key}: "
            message += "only callers with a key of their own can use it" if takes_own else "set it, or own_keys = true"
            yield Check(what, fine=takes_own, said=message)
        elif upstream.host_provider and not upstream.has_key and not takes_own:
            message = f"{one.url}; it has no key: set upstreams.{name}.key, or own_keys = true for callers' own keys"
            yield Check(what, fine=False, said=message)
        else:
            yield Check(what, fine=True, said=f"{one.url}, billed by {upstream.provider or 'somebody unknown'}")


def _check_teams(settings: Settings) -> Iterator[Check]:
    from modicum.gateway.teams.plans import read_team

    for name, one in settings.teams.items():
        what = f"plan of team {name}"
        try:
            plan = read_team(name, one, beside_settings(settings, one.plan)).plan
        except UserError as error:
            yield Check(what, fine=False, said=f"{error}; it is not applied")
        else:
            verified = "verified" if plan.verified else "not verified: see 'modicum team verify'"
            yield Check(what, fine=True, said=f"{one.plan}, {plan.decision.replace('_', ' ')}, {verified}")
    workers = settings.gateway.workers
    if settings.teams and workers > 1:
        message = (
            f"{number_of(workers, 'worker')}, each of which knows only the calls that it saw: callers must send "
            "x-modicum-round"
        )
        yield Check("rounds of teams", fine=True, said=f"{message} (docs/gateway.md)")


def _check_folder() -> str:
    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not os.access(folder, os.W_OK):
        raise UserError(f"{folder} cannot be written to")
    free = os.statvfs(folder)
    megabytes = free.f_bavail * free.f_frsize // 1_000_000
    if megabytes < 200:
        raise UserError(f"{folder} has {megabytes} MB left; a full disk stops the gateway")
    return f"{folder}, {megabytes:,} MB free"


def _check_open_files(settings: Settings) -> str:
    """Checks the limit of a gateway that is started from here; the one that runs says in its log if its own limit is
    too low.
    """
    from modicum.gateway.process.open_files import OpenFiles, raise_limit

    gateway = settings.gateway
    files = OpenFiles(raise_limit(), -(-gateway.most_calls // gateway.workers))
    if files.problem:
        raise UserError(files.problem)
    return f"{files.limit:,} in one process, enough for {number_of(files.calls, 'call')} at once"


def _check_body_budget(settings: Settings) -> str:
    from modicum.gateway.http.body_budget import MEBIBYTE, budget_of
    from modicum.gateway.process.machine_memory import memory_bytes

    gateway = settings.gateway
    budget = budget_of(gateway.most_bodies_mb, gateway.most_body_mb, gateway.workers, memory_bytes())
    origin = "gateway.most_bodies_mb" if gateway.most_bodies_mb else "an eighth of the memory"
    return f"{budget.most_bytes // MEBIBYTE:,} MB at once in each gateway process ({origin})"


def _check_journals() -> Iterator[Check]:
    """What gateways recorded: which of it cannot be read, and what is not in the ledger yet."""
    from modicum.ledger.journals import check_journals

    for what, folder in (("journals", "journal"), ("journals of spans", "spans")):
        place = state_folder() / folder
        found = check_journals(place)
        for problem in found.problems:
            yield Check(f"journal {problem.path}", fine=False, said=problem.reason)
        for path in found.set_aside:
            message = "it was broken and was set aside: nothing reads it. 'sqlite3 FILE .recover' shows what is left; "
            yield Check(f"file {path}", fine=False, said=f"{message}delete or move it when it is not needed")
        if found.journals:
            message = f"{found.journals} in {place}, {number_of(found.waiting, 'record')} not in the ledger yet"
            yield Check(what, fine=True, said=message)


def _check_keys() -> str:
    from modicum.governance.keys import KeyEvent, Keys
    from modicum.ledger.events import EventFile

    path = state_folder() / "events.sqlite"
    if not path.exists():
        return "none yet ('modicum key create NAME' makes one)"
    events = EventFile(path)
    try:
        return f"{path}, {number_of(len(Keys(events.read('key', KeyEvent)).in_force()), 'key')} in force"
    finally:
        events.close()


def _check_ledger(settings: Settings) -> str:
    with resources.open_ledger(None, settings) as store:
        rows = store.ask("holdings")
    calls = sum(row["calls"] for row in rows)
    return f"{ledger_place(settings)}, {number_of(calls, 'call')}"


def _check_listener(settings: Settings) -> str:
    """Who can call, under which names, and whether what passes is encrypted."""
    from modicum.gateway.http.hosts import LOOPBACK
    from modicum.gateway.process.tls import shown

    gateway = settings.gateway
    host, _ = host_and_port("gateway.listen", gateway.listen)
    if gateway.tls_certificate_file:
        certificate = shown(settings)
        encrypted = f"TLS for {', '.join(certificate.names) or 'no name'} until {certificate.until:%Y-%m-%d}"
    elif host in LOOPBACK:
        encrypted = "no TLS, only this machine can call"
    else:
        encrypted = (
            "no TLS: keys and prompts pass in clear unless something in front encrypts them "
            "(gateway.tls_certificate_file)"
        )
    anybody = host not in LOOPBACK and not gateway.hosts
    names = "; answers to any name, also one that a page pointed here (gateway.hosts lists yours)" if anybody else ""
    return f"{gateway.listen}, {encrypted}{names}"


def _check_gateway(settings: Settings) -> str:
    from modicum.gateway.process.tls import caller_context
    from modicum.outbound.blocking import ask
    from modicum.outbound.hosts import Origin
    from modicum.outbound.unreachable import OtherProtocol, Unreachable, Untrusted

    host, port = host_and_port("gateway.listen", settings.gateway.listen)
    file = settings.gateway.tls_certificate_file
    origin = Origin(host, port, tls=bool(file), trust=caller_context(settings) if file else None)
    try:
        reply = ask(origin, "GET", "/readyz", timeout_s=2)
    except Untrusted as trouble:
        raise UserError(f"on {trouble}: shows another certificate than {file}; send it SIGHUP") from None
    except OtherProtocol:
        spoken = "no TLS" if file else "no plain HTTP"
        raise UserError(f"on {host}:{port}: speaks {spoken}; start 'modicum up' again, with these settings") from None
    except Unreachable:
        raise _NotRunningError(_describe_absence(f"{host}:{port}")) from None
    answer = reply.body[:200].decode("utf-8", "replace").strip()
    if reply.status != 200:
        raise UserError(f"on {host}:{port}: {answer}")
    return f"on {host}:{port}: {answer}"


class _NotRunningError(UserError):
    """Nothing is wrong with it, but it does not run."""


def _describe_absence(place: str) -> str:
    """A gateway that was never started is told from one that ran here."""
    journals = state_folder() / "journal"
    if journals.is_dir() and any(journals.iterdir()):
        return f"stopped: it recorded calls here before, and nothing listens on {place}; 'modicum up' starts it again"
    return f"not running on {place} ('modicum up' starts it)"


def _check_metrics(settings: Settings) -> str:
    """Who may see figures of owners."""
    from modicum.settings.metrics import token_of

    if not token_of(settings.metrics):
        return "figures by team, app and key for this user alone; token under [metrics] shows them to Prometheus"
    return f"figures by team, app and key for who has the token of {settings.metrics.token}"


def _check_alerts(settings: Settings) -> str:
    """Where alerts go; nothing is posted."""
    webhook = webhook_of(settings.alerts)
    if webhook is None:
        return "in the log and 'modicum alert list'; webhook under [alerts] posts them too"
    return f"in the log, and posted to {webhook.shown}; 'modicum alert test' tries it"


def _check_otel(settings: Settings) -> str:
    """Whether the endpoint of spans takes a request, by one without spans."""
    import asyncio

    from modicum.ledger_process.otel_endpoint import Endpoint, endpoint_of
    from modicum.outbound.client import Outbound
    from modicum.outbound.hosts import AllowedHosts
    from modicum.outbound.unreachable import Unreachable

    async def send_empty(endpoint: Endpoint) -> str:
        headers = {**endpoint.headers, "content-type": "application/x-protobuf"}
        async with Outbound(AllowedHosts([endpoint.url]), timeout_s=5.0) as outbound:
            try:
                await outbound.post(endpoint.url, b"", headers)
            except Unreachable as trouble:
                hint = {401: "; is the key in otel.headers right?", 403: "; may the key write traces?"}
                status = "does not answer" if trouble.status is None else f"answers with status {trouble.status}"
                message = hint.get(trouble.status or 0, "; is it the port and path of OTLP over HTTP?")
                raise UserError(f"{endpoint.shown} {status}{message}") from None
        return f"{endpoint.shown} takes spans ({endpoint.names} names)"

    endpoint = endpoint_of(settings.otel)
    return "no export; [otel] in modicum.toml turns it on" if endpoint is None else asyncio.run(send_empty(endpoint))


def _run_check(what: str, check: Callable[[], str]) -> Check:
    try:
        return Check(what, fine=True, said=check())
    except _NotRunningError as absence:
        return Check(what, fine=True, said=str(absence), is_off=True)
    except UserError as error:
        return Check(what, fine=False, said=str(error))
    except OSError as error:  # of a folder that cannot be made, or a disk that is broken: the other checks go on
        return Check(what, fine=False, said=f"{error.filename or what}: {error.strerror or error}")
