"""Rules on the requests of Anthropic's official client, without a gateway.

    client = optimized(anthropic.Anthropic(), choose_rules(on=["content"]))
    client.messages.create(...)

Messages, plain and streamed, of both the client and its asynchronous twin; other requests go as they are. The client
that is given stays as it is, and shares its connections with the one that comes back.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from modicum.calls import UserError
from modicum.optimizers.rule_choice import RuleChoice
from modicum.sdk.client_requests import OnReport, RequestRules
from modicum.sdk.optimizing import api_at

Client = TypeVar("Client")


def optimized(
    client: Client, choice: RuleChoice | None = None, *, task: str = "", on_report: OnReport | None = None
) -> Client:
    """A copy of the client that runs the rules on what it sends, as the innermost of its middleware.

    Args:
        client: an `Anthropic`, `AsyncAnthropic` or one of theirs.
        choice: which rules run (`choose_rules`); None: those that lose nothing.
        task: what the calls are made for; it decides what is held out of the choice.
        on_report: is called with what became of each request (`OptimizedRequest`).

    Raises:
        UserError: it is no client of this kind, or of a version without middleware.
    """
    own = getattr(client, "middleware", None)
    with_options = getattr(client, "with_options", None)
    if not isinstance(own, tuple) or with_options is None:
        raise UserError(
            "rules run in clients of anthropic with middleware (version 2.12 is tested), and this is "
            f"{type(client).__name__}: pip install --upgrade anthropic"
        )
    rules = RequestRules(choice, task=task, on_report=on_report)
    return with_options(middleware=[*own, _middleware(rules)])  # type: ignore[no-any-return]


def _middleware(rules: RequestRules) -> Any:
    from anthropic import Middleware  # the caller's, not a package of ours

    class RuleMiddleware(Middleware):
        def handle(self, request: Any, call_next: Any) -> Any:
            return call_next(_with_rules(request, rules))

        async def handle_async(self, request: Any, call_next: Any) -> Any:
            return await call_next(_with_rules(request, rules))

    return RuleMiddleware()


def _with_rules(request: Any, rules: RequestRules) -> Any:
    api = api_at(str(request.url).partition("?")[0])
    if not api or not isinstance(request.json, Mapping):
        return request
    fields = rules.apply(request.json, api)
    return request if fields is request.json else request.copy(body=fields)
