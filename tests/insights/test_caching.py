import json
from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from insights.planted import PRICES, Conversation, history_of, tool_round, user
from modicum.calls import Anatomy, Segment, SegmentKind, Usage
from modicum.importers import read_calls
from modicum.importers.format import Reading
from modicum.insights.caching import Caching
from modicum.ledger.booking import book


def shrunk(cause, read):
    talk = Conversation().call(user("q", 5000)).call(*tool_round("Read", "a", "text", 3000))
    return talk.call(anatomy=Anatomy(1, 5000, (), cause), usage=Usage(0, read, 6000 - read, 0, 30))


def test_a_cut_that_was_guessed_from_the_read_does_not_predict_that_read():
    low, high = (Caching.compute(history_of(shrunk("edited", read))).predicted.read[2] for read in (0, 5000))

    assert low == high == 0


def test_a_cut_that_is_on_record_does():
    assert Caching.compute(history_of(shrunk("compaction", 5000))).predicted.read[2] == 5000


def test_the_time_of_a_reply_is_taken_for_later_than_that_of_its_request():
    def late(source):
        talk = Conversation(source=source).call(user("q", 5000), lasts=0.0).call(user("r", 10), after=305.0)
        return Caching.compute(history_of(talk)).predicted.warm[1]

    assert (late("gateway"), late("claude-code")) == (False, True)


def transcript(sizes, reads, pause_s):
    """A Claude Code transcript: prompts that grow, shrink, are compacted and rewound, of which so much was read."""
    rows, texts = [], ["all of it", "more words to go on with", "again", "and so on and on " * 40]
    for n, (size, read) in enumerate(zip(sizes, reads, strict=True)):
        at = f"2026-02-03T{n * pause_s // 3600:02}:{n * pause_s // 60 % 60:02}:{n * pause_s % 60:02}Z"
        head = {"sessionId": "s", "timestamp": at, "version": "2.1.0", "cwd": "/w"}
        if n % 5 == 4:
            rows.append({**head, "type": "system", "subtype": "compact_boundary", "uuid": f"b{n}"})
        parent = "u0" if n % 7 == 6 else f"a{n - 1}"
        said = {"role": "user", "content": texts[n % 4] + str(n)}
        rows.append({**head, "type": "user", "uuid": f"u{n}", "parentUuid": parent, "message": said})
        usage = {
            "input_tokens": 3,
            "cache_read_input_tokens": min(read, size),
            "cache_creation_input_tokens": size - min(read, size),
            "output_tokens": 20,
        }
        thought = [{"type": "thinking", "thinking": "hm " * 300}, {"type": "text", "text": "done"}]
        reply = {"role": "assistant", "id": f"m{n}", "model": "claude-opus-4-5", "usage": usage, "content": thought}
        rows.append({**head, "type": "assistant", "uuid": f"a{n}", "requestId": f"r{n}", "parentUuid": f"u{n}"})
        rows[-1]["message"] = reply
    return "".join(json.dumps(row) + "\n" for row in rows)


@settings(max_examples=settings.default.max_examples // 4)
@given(
    st.lists(st.tuples(st.integers(-9_000, 6_000), st.sampled_from([0.0, 0.6, 1.0])), min_size=3, max_size=8),
    st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    st.sampled_from([20, 290, 400]),
    st.data(),
)
def test_what_a_transcript_says_that_a_call_read_does_not_change_what_is_predicted_for_it(
    tmp_path_factory, calls, other, pause_s, data
):
    growth, shares = zip(*calls, strict=True)
    sizes = [max(size, 1_000) for size in accumulate(growth, initial=15_000)][1:]
    reads = [int(share * size) for share, size in zip(shares, sizes, strict=True)]
    place = data.draw(st.sampled_from([n for n in range(2, len(calls)) if growth[n] < 0] or [len(calls) - 1]))
    other = int(other * sizes[place])
    path = tmp_path_factory.mktemp("logs") / "t.jsonl"
    found = []
    for told in (reads, [*reads[:place], other, *reads[place + 1 :]]):
        path.write_text(transcript(sizes, told, pause_s))
        talk = Conversation()
        talk.entries = [book(call, PRICES) for call in read_calls([path], Reading(anatomy=True))]
        caching = Caching.compute(history_of(talk))
        found.append((caching.predicted, caching.habits))

    (one, habits), (two, others) = found
    for name in ("read", "written", "uncached"):
        assert getattr(one, name)[place] == getattr(two, name)[place]
    assert habits.ttl_guess_s[place] == others.ttl_guess_s[place]


def test_a_cut_that_an_importer_placed_by_the_read_does_not_tell_it(tmp_path):
    path, found = tmp_path / "t.jsonl", []
    for read in (0, 18_000):
        path.write_text(transcript([15_000, 20_000, 25_000, 18_000], [0, 15_000, 20_000, read], 20))
        talk = Conversation()
        talk.entries = [book(call, PRICES) for call in read_calls([path], Reading(anatomy=True))]
        history = history_of(talk)
        found.append((history.kept_tokens[3], Caching.compute(history).predicted.read[3]))

    (kept, predicted), (other_kept, other_predicted) = found
    assert kept < other_kept  # the importer saw the read
    assert predicted == other_predicted


def test_a_setting_that_a_request_changed_loses_the_messages_and_keeps_the_front():
    def planted(source):
        made = (
            Conversation(model="claude-sonnet-4-5", source=source)
            .call(Segment(SegmentKind.SYSTEM, 9000, b"s" * 16), user("a", 3000))
            .call(user("b", 100))
        )
        last = made.entries[-1]
        anatomy = replace(last.call.anatomy, events=("thinking",))
        made.entries[-1] = replace(last, call=replace(last.call, anatomy=anatomy))
        return Caching.compute(history_of(made)).calls.kept[1]

    assert planted("anthropic") == 9000
    assert planted("claude-code") == 12_000  # a transcript does not show requests: it only seems so
