"""What a live call's context was made of, and that its counting delays nobody."""

import openai
import pytest

from context.doors import Writer, chat
from context.test_doors import ten_reads
from insights.planted import EVER
from modicum.calls import SegmentKind
from modicum.context.conversations import ContextPart
from modicum.context.live import LiveContext
from modicum.gateway.anatomy import counted
from modicum.insights.findings import reread_files
from modicum.insights.history import load
from modicum.ledger.opening import open_store


def test_a_growing_conversation_is_booked_as_its_additions(fresh_rig):
    told = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "One?"}]
    with openai.OpenAI(base_url=f"{fresh_rig.url}/v1", api_key=fresh_rig.key, max_retries=0) as client:
        client.chat.completions.create(model="gpt-4o-mini", messages=told)
        told += [{"role": "assistant", "content": "1"}, {"role": "user", "content": "Two?"}]
        fresh_rig.wait_for_records(1)
        client.chat.completions.create(model="gpt-4o-mini", messages=told)
    fresh_rig.wait_for_records(2)
    fresh_rig.stop()  # what is counted late is written by then
    fresh_rig.start()

    first, second = (entry.call for entry in fresh_rig.shipped())
    assert (first.conversation, second.turn) == (second.conversation, 1)
    assert [(call.anatomy.kept_segments, len(call.anatomy.added)) for call in (first, second)] == [(0, 2), (2, 2)]


def test_one_file_read_ten_times_is_found_by_the_audit_as_in_recorded_bodies(fresh_rig):
    talk, writer = ten_reads(), Writer(0)
    with openai.OpenAI(base_url=f"{fresh_rig.url}/v1", api_key=fresh_rig.key, max_retries=0) as client:
        for end in talk.ends:
            client.chat.completions.create(**chat(talk, talk.items[:end], writer))
    fresh_rig.wait_for_records(len(talk.ends))
    fresh_rig.stop()
    fresh_rig.start()

    entries = fresh_rig.shipped()
    store = open_store(":memory:")
    store.append(entries)
    found = reread_files.find(load(store, *EVER))
    store.close()

    assert found.details == {"reads": 9}
    assert {part.tool for entry in entries for part in entry.call.anatomy.added if part.detail} == {"Read"}


@pytest.mark.parametrize(("tokens", "is_complete"), [((3, 4), True), ((3, None), False), ((), True)])
def test_a_context_is_recorded_only_once_every_part_of_it_has_a_size(tokens, is_complete):
    parts = [ContextPart(SegmentKind.USER, "", b"d", b"", is_error=False, tokens=count) for count in tokens]

    assert counted(LiveContext(parts, "o200k_base")) == (parts if is_complete else None)
    assert counted(None) is None
