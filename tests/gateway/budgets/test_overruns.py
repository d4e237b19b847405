"""The kinds of budget overruns that were found in public, each with what keeps it out here (docs/budgets.md).

The kinds are those of arXiv 2606.04056. Each test plays what happened and holds the provider's bill to the limit.
"""

import base64
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx2 as httpx
import openai
import pytest

from gateway.budgets.budget_rig import LEFT, MESSAGES, chat_reply, gpt_4o_mini_usd, with_budgets
from gateway.scripted import PATHS, chunk, events, whole

LIMIT_USD = 0.001


def bill(rig, cost=gpt_4o_mini_usd, prompt_tokens=10, completion_tokens=100):
    """What the provider wants for the calls that came to it."""
    return len(rig.asked) * cost(prompt_tokens, completion_tokens)


def test_retry_loop_one_agent_that_calls_again_and_again(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": LIMIT_USD, "per": "task"}) as rig:
        rig.answers = chat_reply(completion_tokens=100)
        with openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=5) as client:
            task = {"x-modicum-task": "stuck"}

            def loop():
                while True:
                    client.chat.completions.create(
                        model="gpt-4o-mini", messages=MESSAGES, max_tokens=100, extra_headers=task
                    )

            with pytest.raises(openai.APIStatusError) as ended:
                loop()
        made = len(rig.asked)
        other = rig.chat(headers={"x-modicum-task": "another"}).status_code

    assert ended.value.status_code == 402  # which no client retries
    assert bill(rig) <= LIMIT_USD
    assert made > 5
    assert other == 200


def test_delegation_fanout_many_agents_at_once_on_one_budget(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": LIMIT_USD, "per": "task"}) as rig, ThreadPoolExecutor(24) as pool:
        rig.answers = chat_reply(completion_tokens=100)
        task = {"x-modicum-task": "one"}
        agents = [{**task, "x-modicum-agent": f"agent-{number}"} for number in range(24)]
        statuses = list(pool.map(lambda headers: rig.chat(max_tokens=100, headers=headers).status_code, agents * 2))

        assert bill(rig) <= LIMIT_USD
        assert set(statuses) <= {200, 402, 429}
        assert statuses.count(200) == len(rig.asked) > 0


def test_context_amplification_a_prompt_that_grows_with_every_turn(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": LIMIT_USD, "per": "task"}) as rig:
        words, billed = 64, Decimal(0)
        while True:
            prompt_tokens = words  # a token a word
            rig.answers = chat_reply(prompt_tokens=prompt_tokens, completion_tokens=5)
            reply = rig.chat(max_tokens=5, messages=[{"role": "user", "content": "word " * words}])
            if reply.status_code != 200:
                break
            billed, words = billed + gpt_4o_mini_usd(prompt_tokens, 5), words * 2

        assert reply.status_code == 402
        assert 0 < billed <= LIMIT_USD
        assert words > 500


def test_storage_amplification_a_store_that_is_embedded_again_with_every_call(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 0.0001, "per": "ever"}) as rig:
        statuses, billed = [], Decimal(0)
        for turn in range(1, 12):
            tokens = 100 * turn
            rig.answers = whole(
                {
                    "object": "list",
                    "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
                    "model": "text-embedding-3-small",
                    "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
                }
            )
            reply = httpx.post(
                f"{rig.url}{PATHS['embeddings']}",
                json={"model": "text-embedding-3-small", "input": "word " * tokens},
                headers=rig.headers(),
                timeout=20,
            )
            statuses.append(reply.status_code)
            billed += tokens * Decimal("0.02e-6") if reply.status_code == 200 else 0

        assert statuses[0] == 200
        assert statuses[-1] == 402
        assert billed <= Decimal("0.0001")


def test_multimodal_amplification_a_picture_may_cost_what_the_context_window_holds(tmp_path):
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
    content = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}]
    with with_budgets(tmp_path, {"limit_usd": LIMIT_USD, "per": "ever"}) as rig:
        small = rig.chat(messages=[{"role": "user", "content": content}]).status_code
        text = rig.chat().status_code
    with with_budgets(tmp_path / "roomy", {"limit_usd": 1.0, "per": "ever"}) as roomy:
        large = roomy.chat(messages=[{"role": "user", "content": content}]).status_code

    assert (small, text, large) == (402, 200, 200)


def test_dropped_options_what_a_caller_sets_reaches_the_provider_unchanged(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": LIMIT_USD, "per": "ever"}) as rig:
        options = {
            "reasoning_effort": "low",
            "verbosity": "low",
            "service_tier": "default",
            "x_of_tomorrow": {"a": [1]},
        }
        rig.chat(**options)

        assert {name: rig.asked[0][name] for name in options} == options


def test_cost_that_nobody_sees_hidden_reasoning_and_streams_count_and_the_reply_says_what_is_left(tmp_path):
    usage = {"prompt_tokens": 10, "completion_tokens": 300, "total_tokens": 310}
    usage["completion_tokens_details"] = {"reasoning_tokens": 290}
    ends = chunk() | {"usage": usage, "choices": []}
    with with_budgets(tmp_path, {"limit_usd": LIMIT_USD, "per": "ever"}) as rig:
        rig.answers = events(chunk({"content": "Paris"}), chunk(finish="stop"), ends, named=False)
        rig.chat(max_tokens=300, stream=True)
        rig.answers = chat_reply()
        left = rig.chat().headers[LEFT]
        known = sum(entry.cost.usd for entry in rig.ledger.entries())

    assert known == gpt_4o_mini_usd(10, 300) + gpt_4o_mini_usd(10, 10)
    assert left == f"all; usd={Decimal(str(LIMIT_USD)) - known:.6f}"


def test_no_limit_at_all_one_line_of_settings_covers_every_caller_model_and_dialect(tmp_path):
    with with_budgets(tmp_path, {"limit_usd": 0, "per": "ever"}) as rig:
        dialects = [rig.call(name).status_code for name in ("openai-chat", "anthropic", "responses", "gemini")]
        own_key = httpx.post(
            f"{rig.url}{PATHS['openai-chat']}",
            json={"model": "gpt-4o-mini", "messages": MESSAGES, "max_tokens": 5},
            headers={"authorization": "Bearer sk-of-the-caller-itself-0000000000000000"},
            timeout=20,
        ).status_code

        assert (dialects, own_key, rig.asked) == ([402] * 4, 402, [])
