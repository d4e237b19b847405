"""Log: what was decided about the gateway, by whom and when."""

from modicum.console.asking import Asking
from modicum.console.page import Cell, Content, Page, Table
from modicum.console.view import View
from modicum.ledger.records import AUDIT_EVENTS

MOST_ROWS = 500


def read(asking: Asking, view: View) -> Content:
    """The ledger's audit log, the newest first."""
    events = asking.records(AUDIT_EVENTS, view.scope.since, view.scope.until)
    kinds = sorted({event.kind for event in events})
    kind = view.word("kind")
    chosen = [event for event in events if not kind or event.kind == kind]
    if not events:
        return Content()
    table = Table(
        name="log",
        title="Decisions",
        most=MOST_ROWS,
        columns=["when", "what", "about", "who it concerns", "by", "more"],
        left=6,
        rows=[
            [
                Cell(f"{event.at.astimezone(view.zone.zone):%Y-%m-%d %H:%M:%S}", event.at.isoformat()),
                Cell(f"{event.kind} {event.what.replace('_', ' ')}"),
                Cell(event.owner.key or event.subject, event.subject),
                Cell(" / ".join(filter(None, (event.owner.team, event.owner.app, event.owner.user)))),
                Cell(event.by),
                Cell(", ".join(f"{name}: {value}" for name, value in sorted(event.details.items()) if value)),
            ]
            for event in reversed(chosen[-MOST_ROWS:])
        ],
        more=max(0, len(chosen) - MOST_ROWS),
    )
    tabs = [("all", view.query(), not kind), *((one, view.query(kind=one), one == kind) for one in kinds)]
    return Content(tables=[table], parts={"outcomes": tabs})


PAGE = Page(
    name="log",
    title="Log",
    about="Who issued and revoked keys, changed policies and budgets, started experiments, and what was decided by "
    "itself.",
    read=read,
    takes_where=False,
    nothing="Nothing was decided in that time. Keys, policies, raised budgets and experiments leave a line here: "
    "choose a longer time above.",
)
