"""Rules on the requests of OpenAI's official client, without a gateway.

    client = optimized(openai.OpenAI(), choose_rules(on=["content"]))
    client.chat.completions.create(...)

Chat completions and responses, plain and streamed, of both the client and its asynchronous twin; other requests go as
they are. The client that is given stays as it is, and shares its connections with the one that comes back.
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
    """A copy of the client that runs the rules on what it sends. Its own copies (`with_options`) do so too.

    Args:
        client: an `OpenAI`, `AsyncOpenAI` or one of theirs.
        choice: which rules run (`choose_rules`); None: those that lose nothing.
        task: what the calls are made for; it decides what is held out of the choice.
        on_report: is called with what became of each request (`OptimizedRequest`).

    Raises:
        UserError: it is no client of this kind, or of a version that lets nobody look at requests.
    """
    from openai import AsyncOpenAI, OpenAI  # the caller's, not a package of ours

    if not isinstance(client, OpenAI | AsyncOpenAI) or not hasattr(client, "_prepare_options"):
        raise UserError(f"rules run in clients of openai 2 and later, and this is {type(client).__name__}")
    rules = RequestRules(choice, task=task, on_report=on_report)
    copy: Any = client.copy()
    made_by: Any = _asynchronous if isinstance(client, AsyncOpenAI) else _synchronous
    # The class is what survives `with_options`; an attribute of the object would be lost there without a word.
    copy.__class__ = made_by(type(client), rules)
    return copy  # type: ignore[no-any-return]


def _synchronous(base: Any, rules: RequestRules) -> Any:
    class OptimizedOpenAI(base):
        def _prepare_options(self, options: Any) -> Any:
            return super()._prepare_options(_with_rules(options, rules))

    return OptimizedOpenAI


def _asynchronous(base: Any, rules: RequestRules) -> Any:
    class OptimizedAsyncOpenAI(base):
        async def _prepare_options(self, options: Any) -> Any:
            return await super()._prepare_options(_with_rules(options, rules))

    return OptimizedAsyncOpenAI


def _with_rules(options: Any, rules: RequestRules) -> Any:
    """The client hands over a copy of its options for each attempt, so they are ours to change."""
    api = api_at(str(options.url).partition("?")[0])
    if api and isinstance(options.json_data, Mapping):
        options.json_data = rules.apply(options.json_data, api)
    return options
