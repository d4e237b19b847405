import json

import httpx2 as httpx
import pytest

from modicum.calls.change import Change, DoesNotFit, EarlierEdits
from modicum.calls.prompt import content_digest
from modicum.calls.words.counted_nouns import number_of
from modicum.gateway.edit_tokens import EditTokens
from modicum.metering.tokens import count_tokens
from modicum.providers import seen_requests
from modicum.providers.dialects import DIALECTS
from modicum.providers.repeated.edited_beginnings import EditedBeginnings

FILE = "\n".join(f"{number:6}→    call({number})" for number in range(1, 80))


def request(*texts):
    messages = [{"role": "user", "content": "read them"}]
    for number, text in enumerate(texts):
        call = {"id": f"c{number}", "type": "function", "function": {"name": "read", "arguments": "{}"}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{number}", "content": text},
        ]
    return {"model": "gpt-4o-mini", "messages": messages}


def test_a_text_is_counted_once():
    tokens = EditTokens(most_texts=2)
    prompt = DIALECTS["openai-chat"].prompt(json.dumps(request("one " * 90, "two " * 90)).encode())
    change = Change(replaced={2: "one", 4: "two"})

    first = tokens.replaced(prompt, change, "gpt-4o-mini")
    assert (first.known_tokens, len(first.uncounted)) == (0, 2)
    assert first.removed_tokens() == 2 * (count_tokens("one " * 90, "gpt-4o-mini") - 1)
    again = tokens.replaced(prompt, change, "gpt-4o-mini")
    assert (again.known_tokens, again.uncounted) == (first.removed_tokens(), ())
    assert tokens.replaced(prompt, change, "gpt-4").uncounted
    tokens.replaced(prompt, Change(replaced={2: "else"}), "gpt-4o-mini").removed_tokens()
    assert len(tokens.replaced(prompt, change, "gpt-4o-mini").uncounted) == 1


def test_texts_of_a_beginning_are_counted_by_their_digests():
    tokens = EditTokens()
    prompt = DIALECTS["openai-chat"].prompt(json.dumps(request("one " * 90, "two " * 90)).encode())
    texts = prompt.units[2].digest, content_digest("one")
    again = Change(replaced={4: "two"}, earlier=EarlierEdits((0,), (80,), (texts,)))

    with pytest.raises(DoesNotFit, match="not counted"):
        tokens.replaced(prompt, again, "gpt-4o-mini")
    removed = tokens.replaced(prompt, Change(replaced={2: "one"}), "gpt-4o-mini").removed_tokens()
    replaced = tokens.replaced(prompt, again, "gpt-4o-mini")
    assert (replaced.known_tokens, len(replaced.uncounted)) == (removed, 1)


def test_what_runs_by_itself_is_sent_and_booked_by_what_it_leaves_out(fresh_rig):
    for _ in range(2):
        before = len(fresh_rig.records())
        reply = httpx.post(
            f"{fresh_rig.url}/v1/chat/completions", json=request(FILE, "ok"), headers=fresh_rig.headers()
        )
        assert reply.status_code == 200
        sent = json.loads(fresh_rig.provider.asked[-1][2])["messages"]
        (edit,) = fresh_rig.wait_for_records(before + 1)[-1].edits

        assert sent[2]["content"].startswith("[modicum: of the next 79 lines every tenth shows its number]")
        assert sent[4]["content"] == "ok"
        removed = count_tokens(FILE, "gpt-4o-mini") - count_tokens(sent[2]["content"], "gpt-4o-mini")
        assert (edit.rule, edit.tokens_before - edit.tokens_after) == ("content.line_numbers", removed)


def test_a_conversation_that_goes_on_books_what_each_call_leaves_out(fresh_rig, monkeypatch):
    monkeypatch.setattr(seen_requests, "CHUNK_BYTES", 256)
    files = [FILE.replace("call", f"call_{number}") for number in range(3)]
    removed, known = [], []
    look_up = EditedBeginnings.longest

    def longest(*arguments):
        found = look_up(*arguments)
        known.append(0 if found is None else found.messages)
        return found

    monkeypatch.setattr(EditedBeginnings, "longest", longest)
    for count in (1, 2, 2, 3):
        before = len(fresh_rig.records())
        body = request(*files[:count])
        reply = httpx.post(f"{fresh_rig.url}/v1/chat/completions", json=body, headers=fresh_rig.headers())
        assert reply.status_code == 200
        (edit,) = fresh_rig.wait_for_records(before + 1)[-1].edits
        sent = json.loads(fresh_rig.provider.asked[-1][2])["messages"]
        shown = [count_tokens(message["content"], "gpt-4o-mini") for message in sent if message["role"] == "tool"]
        left_out = sum(count_tokens(file, "gpt-4o-mini") for file in files[:count]) - sum(shown)
        assert edit.tokens_before - edit.tokens_after == left_out
        assert edit.why.endswith(f": {number_of(count, 'tool result')}")
        removed.append(left_out)

    assert removed == sorted(removed)
    assert known == [0, 3, 5, 5]
