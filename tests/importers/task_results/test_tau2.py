from importers.task_results.reading import read, written


def simulation(task, reward=1.0, messages=((100, 10), (200, 20)), **fields):
    spoken = [{"role": "assistant", "usage": None}]
    for usage in messages:
        spoken.append({"role": "user", "usage": {"prompt_tokens": 9999, "completion_tokens": 9999}})
        counts = None if usage is None else {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
        spoken.append({"role": "assistant", "usage": counts})
    return {
        "id": f"s-{task}",
        "task_id": task,
        "trial": 0,
        "reward_info": None if reward is None else {"reward": reward},
        "agent_cost": 0.5,
        "user_cost": 99.0,
        "duration": 12.5,
        "messages": spoken,
        **fields,
    }


def document(*simulations):
    info = {
        "agent_info": {"implementation": "llm_agent", "llm": "gpt-4.1"},
        "environment_info": {"domain_name": "retail"},
    }
    return {"info": info, "tasks": [], "simulations": list(simulations)}


def test_the_agents_tokens_and_cost_are_counted_and_not_the_users(tmp_path):
    (found,), problems = read(written(tmp_path / "run.json", document(simulation("7"))))

    assert problems == []
    assert (found.arm, found.task, found.outcome) == ("run", "retail/7", 1.0)
    assert (found.prompt_tokens, found.completion_tokens, found.total_tokens) == (300, 30, 330)
    assert (found.cost_usd, found.seconds) == (0.5, 12.5)


def test_the_arm_may_be_the_model(tmp_path):
    path = written(tmp_path / "run.json", document(simulation("7")))

    assert read(path, by="model")[0][0].arm == "gpt-4.1"
    assert "--by accepts file, model, agent" in read(path, by="prompt")[1][0]


def test_a_prompt_without_its_cached_tokens_is_named(tmp_path):
    one = simulation("1")
    one["messages"][2]["raw_data"] = {"usage": {"prompt_tokens_details": {"cached_tokens": 5000}}}

    results, problems = read(written(tmp_path / "run.json", document(one)))

    assert (results[0].prompt_tokens, results[0].is_lower_bound) == (300, True)
    assert problems == [
        "1 message read more from cache than their prompt holds: this file's prompt tokens leave cached ones out"
    ]


def test_one_that_broke_off_has_failed(tmp_path):
    (found,), problems = read(written(tmp_path / "run.json", document(simulation("7", reward=None))))

    assert found.outcome == 0.0
    assert problems == ["1 simulation broke off without a reward and count as failed"]


def test_a_message_that_nobody_counted_makes_the_tokens_unknown(tmp_path):
    rows = document(simulation("1", messages=((100, 10), None)), simulation("2", messages=(), agent_cost=0.0))

    results, _ = read(written(tmp_path / "run.json", rows))

    assert [each.total_tokens for each in results] == [None, None]
    assert [each.cost_usd for each in results] == [0.5, None]
