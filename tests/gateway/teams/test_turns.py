"""Plans applied on the wire: official clients, the gateway, and the mock provider that says what it was sent."""

import json
import time
import tomllib
from contextlib import closing
from pathlib import Path

import anthropic
import openai
import pytest

from gateway.team_rig import plan, planned, turn
from modicum.agents.plan_rules import EarlyExit
from modicum.calls import Basis, CallStatus, Usage
from modicum.experiments.team_runs import GivenAnswer, TeamOutcomes
from modicum.ledger.booking import book
from modicum.metering.prices import PriceBook

TASK = {"role": "user", "content": "the task"}
TOOL = {"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}


def said(name, text, **fields):
    return {"role": "assistant", "name": name, "content": text, **fields}


@pytest.fixture(scope="module")
def dropping(tmp_path_factory):
    with planned(tmp_path_factory.mktemp("teams"), plan(drop=["critic"], protect=("judge",))) as rig:
        yield rig


@pytest.fixture
def client(dropping):
    with openai.OpenAI(base_url=f"{dropping.url}/v1", api_key=dropping.key, max_retries=0) as client:
        yield client


def chat(client, headers, *messages, **fields):
    messages = messages or (TASK,)
    return client.chat.completions.create(
        model=fields.pop("model", "gpt-4o-mini"), messages=list(messages), extra_headers=headers, **fields
    )


def shown(rig):
    """What the provider was last asked."""
    return [message.get("content") for message in rig.mock.asked[-1]["messages"]]


def test_a_dropped_agents_call_is_answered_without_a_provider_and_costs_nothing(dropping, client):
    sent, booked = len(dropping.mock.asked), len(dropping.records())

    raw = client.chat.completions.with_raw_response.create(
        model="gpt-4o-mini", messages=[TASK], extra_headers=turn("critic")
    )

    reply = raw.parse()
    assert raw.headers["x-modicum-plan"] == "dropped"
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == ("", "stop")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (0, 0)
    assert len(dropping.mock.asked) == sent
    call = dropping.wait_for_records(booked + 1)[-1]
    assert (call.provider, call.calls_count, call.usage, call.status) == ("modicum", 0, Usage(), CallStatus.OK)
    assert (call.agent, call.tags["run"], call.tags["agent_team"]) == ("critic", "run-1", "support")
    cost = book(call, PriceBook()).cost
    assert (cost.usd, cost.basis) == (0, Basis.EXACT)
    (edit,) = call.edits
    assert (edit.rule, edit.tokens_after, edit.basis) == ("team_plan.drop", 0, Basis.ESTIMATED)
    assert edit.tokens_before > 0
    assert edit.why == "'critic' is dropped in round 1"


@pytest.mark.parametrize("usage", [True, False])
def test_a_chat_stream_of_a_dropped_agent(dropping, client, usage):
    options = {"stream_options": {"include_usage": True}} if usage else {}
    chunks = list(chat(client, turn("critic"), stream=True, **options))

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == ""
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == ([0] if usage else [])


def test_messages_whole_and_streamed_of_a_dropped_agent(dropping):
    asked = {"model": "claude-haiku-4-5", "max_tokens": 50, "messages": [TASK], "extra_headers": turn("critic")}
    sent = len(dropping.mock.asked)
    with anthropic.Anthropic(base_url=dropping.url, api_key=dropping.key, max_retries=0) as client:
        whole = client.messages.create(**asked)
        with client.messages.stream(**asked) as stream:
            streamed = stream.get_final_message()

    for message in (whole, streamed):
        assert [block.text for block in message.content] == ["(nothing to add)"]
        assert (message.stop_reason, message.usage.input_tokens, message.usage.output_tokens) == ("end_turn", 0, 0)
    assert len(dropping.mock.asked) == sent


def test_responses_whole_and_streamed_of_a_dropped_agent(dropping, client):
    asked = {"model": "gpt-5", "input": "the task", "store": False, "extra_headers": turn("critic")}
    sent = len(dropping.mock.asked)

    whole = client.responses.create(**asked)
    events = list(client.responses.create(**asked, stream=True))

    assert (whole.output_text, whole.usage.total_tokens, whole.status) == ("", 0, "completed")
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert len(dropping.mock.asked) == sent


@pytest.mark.parametrize(
    ("why", "fields"),
    [
        ("it wants structured output", {"response_format": {"type": "json_object"}}),
        ("it wants a tool call", {"tools": [TOOL], "tool_choice": "required"}),
        ("it wants log probabilities", {"logprobs": True}),
        ("it wants several choices", {"n": 2}),
    ],
)
def test_who_could_not_take_an_empty_reply_is_passed_on(dropping, client, why, fields):
    sent, booked = len(dropping.mock.asked), len(dropping.records())

    chat(client, turn("critic"), **fields)

    assert len(dropping.mock.asked) == sent + 1
    call = dropping.wait_for_records(booked + 1)[-1]
    assert (call.tags["plan_passed_on"], call.edits, call.calls_count) == (why, (), 1)


def test_a_response_that_the_provider_keeps_is_passed_on(dropping, client):
    sent = len(dropping.mock.asked)

    client.responses.create(model="gpt-5", input="the task", extra_headers=turn("critic"))

    assert len(dropping.mock.asked) == sent + 1


def test_tools_that_may_be_called_do_not_keep_a_dropped_agent(dropping, client):
    reply = chat(client, turn("critic"), tools=[TOOL])

    assert reply.choices[0].message.tool_calls is None


def test_the_trace_of_a_dropped_agent_is_not_in_the_prompts_of_others(dropping, client):
    run = "traceless"
    answer = chat(client, turn("planner", run, says="a plan")).choices[0].message.content
    silent = chat(client, turn("critic", run)).choices[0].message.content
    booked = len(dropping.records())

    chat(client, turn("judge", run), TASK, said("planner", answer), said("critic", silent))
    assert shown(dropping) == ["the task", "a plan"]
    chat(client, turn("judge", run), TASK, {"role": "user", "content": "critic: "}, {"role": "user", "content": silent})
    assert shown(dropping) == ["the task"]
    chat(client, turn("judge", run), TASK, said("critic", "words of an old session"))
    assert shown(dropping) == ["the task"]

    call = dropping.wait_for_records(booked + 3)[-1]
    (edit,) = call.edits
    assert edit.rule == "team_plan.hide"
    assert edit.tokens_before > edit.tokens_after > 0
    assert call.usage_basis is Basis.EXACT


def test_bytes_that_stay_are_the_callers(dropping, client):
    mine = {"role": "user", "content": [{"type": "text", "text": "the task"}], "extra": {"b": 1, "a": 2}}
    chat(client, turn("judge", "bytes"), mine, said("critic", "x"), temperature=0.25, seed=7)

    assert dropping.mock.asked[-1] == {"model": "gpt-4o-mini", "messages": [mine], "temperature": 0.25, "seed": 7}


def test_a_tool_call_goes_with_its_results_and_results_are_never_orphans(dropping, client):
    call = {"id": "call-1", "type": "function", "function": {"name": "search", "arguments": "{}"}}
    result = {"role": "tool", "tool_call_id": "call-1", "content": "found"}
    for name, left in (("critic", ["the task", "so"]), ("planner", ["the task", None, "found", "so"])):
        asked = {"role": "assistant", "name": name, "content": None, "tool_calls": [call]}
        chat(client, turn("judge", "tools"), TASK, asked, result, {"role": "user", "content": "so"})
        assert shown(dropping) == left


def test_a_prompt_that_would_be_empty_stays(dropping, client):
    chat(client, turn("judge", "empty"), {"role": "system", "content": "be fair"}, said("critic", "first"))

    assert shown(dropping) == ["be fair", "first"]


def test_anthropic_blocks_are_hidden_by_what_passed_before(tmp_path):
    with (
        planned(tmp_path, plan(mute=[("planner", "judge")])) as rig,
        anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0) as client,
    ):

        def ask(agent, messages, **more):
            return client.messages.create(
                model="claude-haiku-4-5", max_tokens=50, messages=messages, extra_headers=turn(agent, **more)
            )

        plan_text = ask("planner", [TASK], says="do this then that").content[0].text
        blocks = [{"type": "text", "text": part} for part in ("the task", f"[planner]: {plan_text}", "a thing of mine")]
        ask("judge", [{"role": "user", "content": blocks}])
        one = [block["text"] for block in rig.mock.asked[-1]["messages"][0]["content"]]
        ask("judge", [TASK, {"role": "assistant", "content": "hm"}, {"role": "user", "content": plan_text}])
        two = [message["content"] for message in rig.mock.asked[-1]["messages"]]
        ask("critic", [{"role": "user", "content": blocks}])
        three = rig.mock.asked[-1]["messages"][0]["content"]

    assert one == ["the task", "a thing of mine"]
    assert two == ["the task", "hm", "(no new message)"]
    assert three == blocks


def test_marks_of_the_settings_name_authors(tmp_path):
    with (
        planned(tmp_path, plan(drop=["critic"]), marks=("<{agent}> ",)) as rig,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
    ):
        texts = ["<planner> yes", "<critic> no", "critic: a person said this"]
        chat(client, turn("judge"), TASK, *({"role": "user", "content": text} for text in texts))
        assert shown(rig) == ["the task", "<planner> yes", "critic: a person said this"]


def test_responses_lose_hidden_items_with_their_reasoning(tmp_path):
    with (
        planned(tmp_path, plan(mute=[("planner", "judge")])) as rig,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
    ):
        told = {"model": "gpt-5", "store": False}
        client.responses.create(input="the task", extra_headers=turn("planner", says="do this"), **told)
        items = [
            {"role": "user", "content": "the task"},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "do this"}]},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "ok"},
        ]
        client.responses.create(input=items, extra_headers=turn("judge"), **told)

    assert rig.mock.asked[-1]["input"] == [items[0], *items[3:]]


def test_the_team_stops_when_enough_agree(tmp_path):
    stop = {"early_exit": {"agree": 2, "of": 3}}
    agents = ("a", "b", "c", "judge")
    told = json.loads(json.dumps({"rounds": 2, "agents": agents}))
    document = plan_document(protect=["judge"], **told, **stop)
    with (
        planned(tmp_path, document, answer=r"ANSWER: (\w+)") as rig,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
    ):
        chat(client, turn("a", round=1, says="first words ANSWER: B"))
        list(chat(client, turn("b", round=1, says="other words ANSWER: b"), stream=True))
        sent = len(rig.mock.asked)
        for agent in ("c", "a"):
            assert chat(client, turn(agent, round=2)).choices[0].message.content == ""
        assert len(rig.mock.asked) == sent
        told = {"x-modicum-tag-team_answer": "B.", "x-modicum-tag-gold": "C"}
        chat(client, turn("judge", round=2) | told)  # protected: has its word
        chat(client, turn("a", round=3))  # beyond what the plan knows
        chat(client, turn("c", "another run", round=1))
        assert len(rig.mock.asked) == sent + 3
        calls = rig.wait_for_records(7)

    assert [edit.why for edit in calls[2].edits] == ["2 of the first 3 answers of round 1 agree"]
    answers = [call.tags.get("answer", "") for call in calls]
    assert answers[0] == answers[1] != ""
    assert "B" not in json.dumps(answers)
    assert calls[4].tags["team_answer"] == answers[0] != calls[4].tags["gold"]


def plan_document(**fields):
    document = {"schema": "team-plan/1", "team": "support", "decision": "reduce", "canary_share": 0}
    return json.dumps(document | fields, indent=1)


def test_a_cheaper_model_goes_where_that_model_goes(tmp_path):
    document = plan_document(
        agents=["planner", "critic", "judge"],
        rounds=1,
        substitute=[
            {"agent": "critic", "model": "gpt-4o-nano"},
            {"agent": "planner", "model": "claude-haiku-4-5"},
            {"agent": "judge", "model": "nobody-serves-this"},
        ],
    )
    with (
        planned(tmp_path, document) as rig,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
    ):
        for agent in ("critic", "planner", "judge"):
            chat(client, turn(agent))
        models = [asked["model"] for asked in rig.mock.asked]
        chat(client.with_options(api_key=rig.held), turn("critic", "held"))
        chat(client, turn("planner", "odd"), n=2)  # which the other API does not know
        calls = rig.wait_for_records(5)

    assert models == ["gpt-4o-nano", "claude-haiku-4-5", "gpt-4o-mini"]
    assert [asked["model"] for asked in rig.mock.asked[3:]] == ["gpt-4o-mini"] * 2
    assert [(edit.rule, edit.why, edit.tokens_before) for edit in calls[1].edits] == [
        ("team_plan.model", "gpt-4o-mini to claude-haiku-4-5", None)
    ]
    assert calls[1].provider == "anthropic"


def test_the_example_of_the_documentation_goes_as_it_says(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "teams.md").read_text()
    page = page[page.index("## Without touching code") :]
    settings, document = (page.split(f"```{kind}\n")[1].split("```")[0] for kind in ("toml", "json"))
    table = tomllib.loads(settings)["teams"]["support"]
    running = document.replace('"canary_share": 0.05', '"canary_share": 0')
    with (
        planned(tmp_path, running, answer=table["answer"]) as rig,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
    ):
        messages, marks = [TASK], []
        for agent, number in (("solver", 1), ("critic", 1), ("checker", 1), ("solver", 2), ("judge", 2)):
            headers = turn(agent, "ticket-17", round=number, says=f"{agent} thinks so. ANSWER: B")
            raw = client.chat.completions.with_raw_response.create(
                model="gpt-4o", messages=messages, extra_headers=headers
            )
            marks.append(raw.headers["x-modicum-plan"])
            messages = [*messages, said(agent, raw.parse().choices[0].message.content)]

    assert f"`x-modicum-plan: {marks[1]}`" in page
    assert marks == ["plan", "dropped", "plan", "agreed", "plan"]
    assert [asked["model"] for asked in rig.mock.asked] == ["gpt-4o", "gpt-4o-mini", "gpt-4o"]
    assert [len(asked["messages"]) for asked in rig.mock.asked] == [1, 2, 3]


def test_refusing_is_a_mode(tmp_path):
    with (
        planned(tmp_path, plan(drop=["critic"]), dropped="refuse") as rig,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key) as client,
    ):
        with pytest.raises(openai.PermissionDeniedError, match="'critic' is dropped") as refused:
            chat(client, turn("critic"))
        (call,) = rig.wait_for_records(1)

    assert refused.value.response.headers["x-modicum-plan"] == "dropped"
    assert (call.status, call.provider, call.calls_count) == (CallStatus.ERROR, "modicum", 0)
    assert rig.mock.asked == []


def test_a_reply_of_ones_own_choice_is_taken_out_again(tmp_path):
    with (
        planned(tmp_path, plan(drop=["critic"]), reply="(nothing to add)") as rig,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
    ):
        given = chat(client, turn("critic")).choices[0].message.content
        chat(client, turn("judge"), TASK, {"role": "user", "content": given})

    assert given == "(nothing to add)"
    assert shown(rig) == ["the task"]


def test_turns_with_tools_and_repeated_requests_count_as_one_round(tmp_path):
    """Without the header each call is the agent's next round; the critic may speak in the first alone."""
    with (
        planned(tmp_path, plan(rounds=2, drop=[("critic", 2)])) as rig,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
    ):
        asked = chat(client, turn("critic") | {"x-mock-tool-calls": "1"}, tools=[TOOL]).choices[0].message
        result = {"role": "tool", "tool_call_id": asked.tool_calls[0].id, "content": "found"}
        chat(client, turn("critic"), TASK, asked.model_dump(exclude_none=True), result, tools=[TOOL])
        chat(client, turn("critic") | {"x-stainless-retry-count": "1"})
        assert len(rig.mock.asked) == 3
        chat(client, turn("critic"))
        assert len(rig.mock.asked) == 3


def test_a_call_that_failed_is_the_same_turn_when_it_comes_again(tmp_path):
    with (
        planned(tmp_path, plan(rounds=2, drop=[("critic", 2)])) as rig,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
    ):
        with pytest.raises(openai.InternalServerError):
            chat(client, turn("critic") | {"x-mock-fault": "server_error"})
        chat(client, turn("critic"))
        assert len(rig.mock.asked) == 2
        chat(client, turn("critic"))
        assert len(rig.mock.asked) == 2


def test_embeddings_are_no_turns(dropping, client):
    sent = len(dropping.mock.asked)

    client.embeddings.create(model="gpt-embeds", input="x", extra_headers=turn("critic", "embeds"))

    assert len(dropping.mock.asked) == sent + 1


def test_calls_that_are_no_turns_of_the_team_pass_as_they_came(dropping, client):
    for headers in (
        {},
        {"x-modicum-run": "r"},
        {"x-modicum-run": "r", "x-modicum-agent": "critic"},
        turn("critic") | {"x-modicum-agent-team": "another"},
        turn("critic", round="first"),
        turn("a stranger"),
    ):
        sent = len(dropping.mock.asked)
        chat(client, headers, TASK, said("critic", "x"))
        assert len(dropping.mock.asked) == sent + 1
    text = dropping.gateway.parts.metrics.text().decode()
    assert 'modicum_stage_failures_total{stage="team_plan"} 1.0' in text


def test_the_teams_other_header_is_understood(dropping, client):
    headers = turn("critic", "other")
    headers["x-modicum-team"] = headers.pop("x-modicum-agent-team")

    assert chat(client, headers).choices[0].message.content == ""


def test_a_rule_that_fails_costs_nothing_but_its_change(dropping, client, monkeypatch):
    def broken(*words):
        raise RuntimeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr("modicum.providers.dialect.Dialect.prompt", broken)
        sent = len(dropping.mock.asked)
        chat(client, turn("critic", "broken"))
        patched.undo()
        patched.setattr("modicum.providers.dialect.Dialect.reply_text", broken)
        chat(client, turn("planner", "broken"))
        patched.setattr("modicum.gateway.meter._prompt_tokens", broken)
        assert chat(client, turn("critic", "broken")).choices[0].message.content == ""

    assert len(dropping.mock.asked) == sent + 2
    text = dropping.gateway.parts.metrics.text().decode()
    assert 'stage="turn"} 1.0' in text
    assert 'stage="edits"} 1.0' in text


def test_changed_instructions_bring_the_full_team_back(tmp_path, capfd):
    bound = plan_document(
        agents=["planner", "critic", "judge"],
        rounds=1,
        drop=[{"agent": "critic"}],
        bound_to={"prompts": {"judge": "0" * 24}, "models": {"planner": "gpt-5"}},
    )
    with (
        planned(tmp_path, bound) as rig,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
    ):
        assert chat(client, turn("critic", "one")).choices[0].message.content == ""
        chat(client, turn("judge", "one"), {"role": "system", "content": "be fair"}, TASK)
        assert chat(client, turn("critic", "one")).choices[0].message.content != ""
        chat(client, turn("planner", "one"), TASK, said("critic", ""))  # what we gave before goes out all the same
        assert shown(rig) == ["the task"]
        chat(client, turn("planner", "two"))

    told = capfd.readouterr().err
    assert f"{rig.plan_file}:18: the instructions of 'judge' changed; accepted is the digest 000000" in told
    assert f"{rig.plan_file}:21: the model of 'planner' changed; accepted is gpt-5" in told


def test_answers_that_another_worker_took_count_too(tmp_path):
    """One answer reaches this worker, the same one of a second agent another worker: that is enough."""
    made = plan(agents=("a", "b", "c"), early_exit=EarlyExit(agree=2, of=3))
    with (
        planned(tmp_path, made, answer=r"ANSWER: (\w+)") as rig,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
        closing(TeamOutcomes(tmp_path / "teams.sqlite")) as other,
    ):
        chat(client, turn("a", round=1, says="ANSWER: B"))
        deadline = time.monotonic() + 10
        while (row := other._reading.execute("SELECT scope, run, answer FROM answers").fetchone()) is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        scope, run, answer = row
        sent = len(rig.mock.asked)
        other.record_answer(scope, "support", run, GivenAnswer(1, "b", answer))
        assert chat(client, turn("c", round=1)).choices[0].message.content == ""
        assert len(rig.mock.asked) == sent
        chat(client, turn("c", "another run", round=1))
        assert len(rig.mock.asked) == sent + 1
