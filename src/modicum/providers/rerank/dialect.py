"""Documents ranked by a query, as Cohere began it and Jina, Voyage, vLLM and others speak it.

Most tell tokens; Cohere charges by the search, and tells how many. Sources: https://docs.cohere.com/reference/rerank,
https://api.jina.ai/redoc, https://docs.voyageai.com/reference/reranker-api,
https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from modicum.calls import NO_CHARGES, Charges, SegmentKind, Usage
from modicum.calls.usage import checked_count
from modicum.providers.blocks import Block, written
from modicum.providers.body_parsing import UNREADABLE, error_kind_of, identifier, parse_usage, unreadable_reply
from modicum.providers.dialect import Target
from modicum.providers.facts import ReplyFacts, RequestFacts
from modicum.providers.fields import listed, mapping
from modicum.providers.openai.dialect import OpenAIDialect
from modicum.providers.openai.forms import form_facts
from modicum.providers.rerank.replies import WRITER
from modicum.providers.stream import SilentTail
from modicum.providers.usage_guard import unknown_numbers

SEARCH_UNIT = "search_unit"
"""One query with up to a hundred documents, as Cohere charges it."""
_KNOWN = dict.fromkeys(("total_tokens", "prompt_tokens", "input_tokens"), "priced")


class Rerank(OpenAIDialect):
    """POST /v1/rerank and /v2/rerank."""

    name = "rerank"
    paths: ClassVar = {"/v1/rerank": Target("/rerank"), "/v2/rerank": Target("/rerank")}
    bills_text = generates = False
    repeatable_fields = frozenset(
        [
            "documents",
            "max_chunks_per_doc",
            "max_tokens_per_doc",
            "model",
            "query",
            "return_documents",
            "top_k",
            "top_n",
        ]
    )
    writer = WRITER

    def request(self, body: bytes, path: str) -> RequestFacts:
        return form_facts(body, path)

    @staticmethod
    def blocks_of(request: Mapping[str, Any]) -> list[Block]:
        """The query, and each document."""
        documents = [Block(SegmentKind.DOCUMENT, written(one)) for one in listed(request.get("documents"))]
        query = request.get("query")
        return documents if query is None else [Block(SegmentKind.USER, written(query)), *documents]

    def reply(self, body: bytes) -> ReplyFacts:
        try:
            reply = mapping(msgspec.json.decode(body))
        except UNREADABLE:
            return unreadable_reply(body)
        usage, problem = parse_usage(_usage_from, reply.get("usage"))
        return ReplyFacts(
            reply_id=identifier(reply.get("id")),
            model=identifier(reply.get("model")),
            usage=usage,
            usage_final=usage is not None,
            charges=_charges(reply),
            complete="results" in reply or "data" in reply,
            error_kind=error_kind_of(reply),
            problem=problem,
        )

    def tail(self, usage_asked: bool) -> SilentTail:  # noqa: ARG002 - there are no streams
        return SilentTail()


def _usage_from(usage: Mapping[str, Any]) -> Usage:
    """All of it is input.

    Raises:
        ValueError: a count is no count of tokens.
    """
    name = next((name for name in _KNOWN if usage.get(name) is not None), "total_tokens")
    return Usage(input_uncached=checked_count(name, usage.get(name)))


def _charges(reply: Mapping[str, Any]) -> Charges:
    units = mapping(mapping(reply.get("meta")).get("billed_units")).get("search_units")
    searches = int(units) if isinstance(units, int | float) and 0 < units < 1 << 31 else 0
    caveats = unknown_numbers(mapping(reply.get("usage")), _KNOWN)
    return Charges.of(caveats=caveats, requests={SEARCH_UNIT: searches}) if searches or caveats else NO_CHARGES


DIALECT = Rerank()
