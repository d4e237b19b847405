"""Requests go on as they came where the rules cannot run."""

from modicum.sdk.client_requests import RequestRules


def test_fields_that_nobody_can_read_go_on_as_they_came(caplog):
    fields = {"messages": [{"role": "user", "content": "hi"}]}

    assert RequestRules().apply(fields, "no-such-api") is fields
    assert "rules failed with KeyError" in caplog.text


def test_fields_without_messages_go_on_as_they_came():
    for fields in ({}, {"messages": None}, {"messages": "hi"}, {"input": "hi"}):
        assert RequestRules().apply(fields, "openai-chat") is fields
        assert RequestRules().apply(fields, "openai-responses") is fields
