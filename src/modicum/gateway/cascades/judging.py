"""The verdict on a cheap model's answer, by the verifier that a cascade names."""

import asyncio

import msgspec

from modicum.gateway.exchange import Exchange
from modicum.outbound.client import Outbound
from modicum.outbound.hosts import AllowedHosts
from modicum.outbound.unreachable import Unreachable
from modicum.providers.answer_schema import answer_schema
from modicum.routing.verifiers import AnswerVerdict, ModelAnswer, VerifierKind, check_complete, check_schema, refused
from modicum.settings.cascades import CascadeSettings

OK = 200


class OwnVerdict(msgspec.Struct):
    """What a program of the owner's answers: `{"believed": true}`."""

    believed: bool


class CascadeJudge:
    """Judges the answers of one cascade."""

    def __init__(self, name: str, settings: CascadeSettings) -> None:
        self.name, self.settings, self.kind = name, settings, VerifierKind(settings.verifier)
        self._outbound: Outbound | None = None

    def can_judge(self, body: bytes) -> bool:
        """Whether the request has what the verifier needs."""
        return self.kind is not VerifierKind.SCHEMA or answer_schema(body) is not None

    async def judge(self, exchange: Exchange, answer: ModelAnswer | None) -> AnswerVerdict:
        """Of one answer alone; two that must agree are compared by who sends them."""
        if answer is None:
            return refused("failed")
        verdict = check_complete(answer)
        if not verdict.is_believed or self.kind is VerifierKind.AGREEMENT:
            return verdict
        if self.kind is VerifierKind.HTTP:
            return await self._ask(exchange, answer)
        schema = answer_schema(exchange.edited)
        if answer.calls_tools or schema is None:
            return refused("calls_tools" if answer.calls_tools else "no_schema")
        return check_schema(answer, schema)

    async def _ask(self, exchange: Exchange, answer: ModelAnswer) -> AnswerVerdict:
        """A verifier that is silent, away or unreadable believes nothing."""
        url = self.settings.url
        if self._outbound is None:
            self._outbound = Outbound(AllowedHosts([url]), timeout_s=self.settings.timeout_s)
        question = {
            "cascade": self.name,
            "task": exchange.about.task,
            "model": exchange.route.model,
            "request": msgspec.Raw(exchange.edited),
            "answer": answer.text,
            "calls_tools": answer.calls_tools,
        }
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                reply = await self._outbound.post(
                    url, msgspec.json.encode(question), {"content-type": "application/json"}
                )
            is_believed = msgspec.json.decode(reply, type=OwnVerdict).believed
        except TimeoutError:
            return refused("verifier_silent")
        except (Unreachable, msgspec.DecodeError):
            return refused("verifier_away")
        return AnswerVerdict(is_believed, "" if is_believed else "verifier")


def answer_of(exchange: Exchange, body: bytes) -> ModelAnswer | None:
    """What stands in a whole reply, in the caller's dialect; None: it is an error, or cannot be read."""
    if exchange.answer is None or exchange.answer.status != OK or exchange.reply is None or exchange.reply.error_kind:
        return None
    text = exchange.request.served.dialect.reply_text(body, stream=False)
    return None if text is None else ModelAnswer(text.text, exchange.reply.finish_reason, text.calls_tools)
