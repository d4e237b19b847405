"""`modicum budget raise`: more for a while, with who approved it and why."""

import getpass
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

import click

from modicum.calls import UserError
from modicum.cli.budgets.events import append_event, declared_budget
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.governance.budget_raises import RaiseEvent, raised
from modicum.governance.budgets import EACH, Budget, LimitUnit, plain_amount, show_amount
from modicum.settings import read_settings

MOST_DAYS = 366
_LENGTH = re.compile(r"([1-9][0-9]{0,4})(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@click.command("raise")
@click.argument("name")
@click.option("--to", "limit", required=True, metavar="AMOUNT", help="The new limit, in the budget's own unit.")
@click.option("--until", required=True, metavar="TIME", help="When it ends: 4h, 3d, 2026-12-24 or 2026-12-24T18:00.")
@click.option("--why", required=True, metavar="TEXT", help="The reason, for the audit log.")
@click.option("--approved-by", default="", metavar="NAME", help="Who approved it. Default: who types this.")
@click.option("--of", multiple=True, metavar="NAME", help="Whose sum, of a budget that is one for each name.")
@json_option
def command(
    name: str, limit: str, until: str, why: str, approved_by: str, of: tuple[str, ...], *, as_json: bool
) -> None:
    """Raise a budget until a moment, at which it is as before by itself.

    Running gateways apply it at their next call, those of other hosts that share a [state] server within a second or
    two. It stands in the audit log.

    \b
    Examples:
      modicum budget raise platform-month --to 800 --until 3d --why 'launch week' --approved-by ann
      modicum budget raise each-key-day --of ci --to 50 --until 4h --why 'release tests'
    """
    settings = read_settings()
    budget, now = declared_budget(settings, name), datetime.now(UTC)
    event = raised(
        budget,
        _amount(budget, limit),
        _checked_of(budget, of),
        now,
        _moment(until, ZoneInfo(settings.timezone or "UTC"), now),
        getpass.getuser(),
        approved_by or getpass.getuser(),
        why.strip() or _no_reason(),
    )
    append_event(event)
    if as_json:
        output.print_json(raise_document(event))
        return
    whose = f" of {', '.join(event.of)}" if event.of else ""
    zone = ZoneInfo(settings.timezone or "UTC")
    assert event.until is not None  # noqa: S101 - it was given above
    ends = f"{event.until.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    click.echo(
        f"'{name}'{whose} is {show_amount(budget.unit, event.limit)} until {ends} "
        f"in place of {show_amount(budget.unit, budget.limit)}; 'modicum budget lower {name}' ends that before"
    )


def raise_document(event: RaiseEvent) -> dict[str, object]:
    """Dollars as numbers, as in other documents of ours."""
    return {
        "id": event.raise_id,
        "name": event.budget,
        "what": event.what,
        "unit": event.unit.value,
        "limit": plain_amount(event.unit, event.limit),
        "of": event.of,
        "at": event.at,
        "until": event.until,
        "by": event.by,
        "approved_by": event.approved_by,
        "why": event.why,
    }


def _amount(budget: Budget, text: str) -> int:
    try:
        amount = Decimal(text.replace("_", "").removeprefix("$"))
        whole = int(amount * budget.unit.scale)
    except (InvalidOperation, ValueError, OverflowError):
        raise UserError(f"--to '{text}' is no amount; write a number, as 800") from None
    most = 10**18 if budget.unit is LimitUnit.USD else 10**15  # whole numbers that every counter holds
    if not budget.limit < whole <= most:
        limit = show_amount(budget.unit, budget.limit)
        raise UserError(
            f"--to {text}: a raise must be above the limit of '{budget.name}', {limit}, and at most "
            f"{show_amount(budget.unit, most)}; a lower limit is set in modicum.toml"
        )
    return whole


def _moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    length = _LENGTH.fullmatch(text)
    try:
        if length is not None:
            until = now + timedelta(**{_UNITS[length[2]]: int(length[1])})
        else:
            at = datetime.fromisoformat(text)
            until = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UserError(f"--until '{text}' is no time; write 90m, 4h, 3d, 2026-12-24 or 2026-12-24T18:00") from None
    if not now < until <= now + timedelta(days=MOST_DAYS):
        raise UserError(f"--until '{text}' must lie within the next {MOST_DAYS} days: a raise ends by itself")
    return until


def _checked_of(budget: Budget, of: tuple[str, ...]) -> tuple[str, ...]:
    names = [budget.team, budget.app, budget.user, budget.key, budget.task, budget.tag_value].count(EACH)
    if of and len(of) != names:
        raise UserError(
            f"--of came {len(of)} times, and '{budget.name}' has sums by {names or 'no'} names; "
            f"'modicum budget show {budget.name}' shows them in their order"
        )
    return of


def _no_reason() -> str:
    raise UserError("--why is empty: write the reason, which stands in the audit log")
