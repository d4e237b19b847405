"""The same head on one connection is not checked twice; whatever differs, in it or in what decides on it, is."""

import http.client
import json
from contextlib import closing
from datetime import UTC, datetime

import pytest

from modicum.calls import Owner
from modicum.gateway.callers.owners import Caller
from modicum.gateway.http.known_head import KnownHead
from modicum.gateway.http.paths import served
from modicum.governance.keys import KeyEvent, Keys, revoke
from modicum.ledger.events import EventFile
from modicum.providers.facts import RequestFacts

PATH = "/v1/chat/completions"
BODY = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}]})


def known(in_force=("hosts", "owners", "keys")):
    headers = {b"authorization": b"Bearer k", b"content-length": b"10"}
    caller = Caller(Owner(team="blue", key="k"), (), None)
    return KnownHead(in_force, served("POST", PATH, headers), caller, headers, [])


def test_the_length_of_a_body_is_none_of_the_next():
    assert known().headers == {b"authorization": b"Bearer k"}


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_it_holds_while_all_is_as_it_was(changed):
    before = ["hosts"], ["owners"], ["keys"]
    now = [*before]
    now[changed] = [*now[changed]]

    assert known(before).holds(before)
    assert not known(before).holds(tuple(now))


def test_tags_of_one_call_are_none_of_the_next():
    head, owner = known(), Owner(team="blue", key="k")
    first = head.attribution({b"x-modicum-step": b"plan"}, RequestFacts(model="m"), owner)
    first.tags["server"] = "here"

    assert head.attribution({b"x-modicum-step": b"plan"}, RequestFacts(model="m"), owner).tags == {"step": "plan"}
    assert head.attribution({}, RequestFacts(model="m", user="ann"), owner).owner.user == "ann"


def ask(connection, rig, headers=()):
    connection.request("POST", PATH, BODY, {"content-type": "application/json", **rig.headers(), **dict(headers)})
    reply = connection.getresponse()
    reply.read()
    return reply.status


def test_a_key_that_is_revoked_is_refused_on_a_connection_that_it_has_opened(fresh_rig):
    rig = fresh_rig
    port = int(rig.url.rsplit(":", 1)[1])
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        assert [ask(connection, rig), ask(connection, rig)] == [200, 200]
        assert ask(connection, rig, {"x-note": rig.key}) == 401  # a key where it does not belong
        assert ask(connection, rig) == 200

        events = EventFile(rig.folder / "events.sqlite")
        keys = Keys(events.read("key", KeyEvent))
        events.append("key", revoke(keys, "ci", datetime.now(UTC), "test"))
        events.close()

        assert ask(connection, rig) == 401
