import asyncio
from datetime import UTC, datetime

import msgspec

from modicum.calls import Basis, Call, Usage
from modicum.gateway.batches.results import BatchResults
from modicum.ledger.journal import Journal
from modicum.providers.dialects import DIALECTS

FIRST = Call(
    call_id="gateway:n",
    source="gateway",
    provider="openai",
    model="m",
    started=datetime(2026, 11, 30, tzinfo=UTC),
    usage=Usage(),
)
BODY = b'{"status_code":200,"body":{"id":"x","model":"m","usage":%b}}'
ROW = b'{"id":"batch_req_%d","custom_id":"my secret","response":' + BODY + b"}\n"
USAGE = b'{"prompt_tokens":3,"completion_tokens":2}'


def booked(tmp_path, *chunks, number="n"):
    async def run():
        journal = Journal(tmp_path)
        results = BatchResults(journal, DIALECTS["openai-batches"], "batch_1", FIRST, number)
        for chunk in chunks:
            await results.take(chunk)
        await results.end()
        rows = journal._base.execute("SELECT number, body FROM records ORDER BY seq").fetchall()
        journal.close()
        return results, [(number, msgspec.msgpack.decode(body, type=Call)) for number, body in rows]

    return asyncio.run(run())


def test_rows_without_an_id_of_their_own_have_one_of_the_batch_and_no_text_of_the_caller(tmp_path):
    whole = ROW % (1, USAGE) + ROW % (2, USAGE)
    results, records = booked(tmp_path, whole[:50], whole[50:], b'{"id":"batch_req_3","response":null}')

    waiting, *rows, nothing = [call for _, call in records]
    assert records[0][0] == "n"
    assert len({call.call_id for call in rows}) == 2
    assert all(call.call_id.startswith("gateway:batch_1:") and "secret" not in call.call_id for call in rows)
    assert (waiting.usage_basis, nothing.calls_count) == (FIRST.usage_basis, 0)
    assert waiting.revision < nothing.revision
    assert (results.usage.total_tokens, results.rows_count) == (10, 2)


def test_a_batch_from_elsewhere_has_no_record_of_its_own_and_rows_without_usage_none_at_all(tmp_path):
    _, records = booked(tmp_path, ROW % (1, USAGE) + ROW % (2, b"null"), number="")

    assert [(call.usage.total_tokens, call.usage_basis) for _, call in records] == [(5, Basis.EXACT)]
