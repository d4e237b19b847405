"""Rules on what agents of LangChain and LangGraph send to their models, without a gateway.

    agent = create_agent(model, tools, middleware=[OptimizeMiddleware(choose_rules(on=["content"]))])

A graph with nodes of one's own calls `optimize_messages` before it asks its model. The state keeps its messages as they
came: the model is sent the shorter ones, the same way in every turn.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from modicum.calls.extras import missing_extra
from modicum.optimizers.rule_choice import RuleChoice
from modicum.sdk.client_requests import OnReport, RequestRules
from modicum.sdk.optimizing import APIS

try:
    from langchain.agents.middleware import AgentMiddleware
    from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
except ImportError:  # pragma: no cover - in an environment without the extra
    raise missing_extra("langchain", "the middleware for LangChain") from None

_ROLES: dict[type[BaseMessage], str] = {HumanMessage: "user", SystemMessage: "system", ToolMessage: "tool"}


class OptimizeMiddleware(AgentMiddleware):
    """Middleware for `create_agent`: the rules on each call of the model.

    Args:
        choice: which rules run (`choose_rules`); None: those that lose nothing.
        task: what the calls are made for; it decides what is held out of the choice.
        on_report: is called with what became of each request (`OptimizedRequest`).
    """

    def __init__(self, choice: RuleChoice | None = None, *, task: str = "", on_report: OnReport | None = None) -> None:
        super().__init__()
        self._rules = RequestRules(choice, task=task, on_report=on_report)

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        return handler(self._with_rules(request))

    async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        return await handler(self._with_rules(request))

    def _with_rules(self, request: Any) -> Any:
        messages = _apply(self._rules, request.messages, request.tools or (), _model_name(request.model))
        return request if messages is None else request.override(messages=messages)


def optimize_messages(
    messages: Sequence[AnyMessage],
    choice: RuleChoice | None = None,
    *,
    tools: Sequence[Any] = (),
    model: str = "",
    task: str = "",
    on_report: OnReport | None = None,
) -> list[AnyMessage]:
    """The messages as the rules left them, for a node that calls its model itself (and for `pre_model_hook`, as
    `llm_input_messages`). Messages that no rule changed are the very objects that were given.

    Args:
        messages: of the state.
        choice: which rules run (`choose_rules`); None: those that lose nothing.
        tools: that the model may call: what a rule may touch depends on whether one of them changes files.
        model: for its price.
        task: what the calls are made for; it decides what is held out of the choice.
        on_report: is called with what became of the request.
    """
    rules = RequestRules(choice, task=task, on_report=on_report)
    changed = _apply(rules, messages, tools, model)
    return list(messages) if changed is None else changed


def _apply(rules: RequestRules, messages: Sequence[Any], tools: Sequence[Any], model: str) -> list[Any] | None:
    """None: nothing is changed."""
    before = [_as_chat(message) for message in messages]
    fields: dict[str, Any] = {"model": model, "messages": before}
    if tools:
        fields["tools"] = [{"type": "function", "function": {"name": _tool_name(tool)}} for tool in tools]
    after = rules.apply(fields, APIS[0])
    if after is fields or len(after["messages"]) != len(before):
        return None
    return [
        message if old is new else _with_text(message, new["content"])
        for message, old, new in zip(messages, before, after["messages"], strict=True)
    ]


def _as_chat(message: Any) -> dict[str, Any]:
    """A message as the first of `APIS`, OpenAI's chat, writes it. One whose content is more than a text has none, so
    that no rule touches it.
    """
    if isinstance(message, AIMessage):
        calls = [
            {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": str(call["args"])}}
            for call in message.tool_calls
        ]
        return {"role": "assistant", "content": _text_of(message), **({"tool_calls": calls} if calls else {})}
    role = next((name for kind, name in _ROLES.items() if isinstance(message, kind)), "user")
    link = {"tool_call_id": message.tool_call_id} if isinstance(message, ToolMessage) else {}
    return {"role": role, "content": _text_of(message), **link}


def _text_of(message: BaseMessage) -> str | None:
    content = message.content
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
        text = content[0].get("text") if content[0].get("type") == "text" else None
        return text if isinstance(text, str) else None
    return content if isinstance(content, str) else None


def _with_text(message: BaseMessage, text: str) -> BaseMessage:
    if isinstance(message.content, str):
        return message.model_copy(update={"content": text})
    block = message.content[0]
    return message.model_copy(update={"content": [{**block, "text": text}] if isinstance(block, dict) else [text]})


def _tool_name(tool: Any) -> str:
    if isinstance(tool, dict):
        inner = tool.get("function")
        return str((inner if isinstance(inner, dict) else tool).get("name", ""))
    return str(getattr(tool, "name", ""))


def _model_name(model: Any) -> str:
    name = getattr(model, "model_name", None) or getattr(model, "model", None)
    return name if isinstance(name, str) else ""
