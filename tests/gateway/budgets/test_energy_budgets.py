"""Budgets in joules through the whole gateway: what is drawn is worked out from the tokens that the upstream counts."""

import msgspec

from gateway.budgets.budget_rig import LEFT, BudgetRig, chat_reply
from gateway.scripted import all_upstreams
from modicum.settings import BudgetSettings, EnergySettings

RATES = EnergySettings(model="gpt-4o-mini", joules_per_prompt_token=0.01, joules_per_generated_token=0.5)


def with_rates(port):
    return msgspec.structs.replace(all_upstreams(port), energy=(RATES,))


def rig_of(folder, **budget):
    return BudgetRig(folder, [BudgetSettings(**({"name": "rack", "per": "day"} | budget))], with_rates)


def test_a_budget_in_joules_is_kept_and_stands_after_a_restart(tmp_path):
    rig = rig_of(tmp_path, limit_joules=20.0, team="*", task="*")
    rig.start()
    try:
        rig.answers = chat_reply(completion_tokens=10, prompt_tokens=10)
        first = rig.chat(max_tokens=10)

        assert first.headers[LEFT].startswith("rack; joules=14.900; resets_s=")  # 10 x 0.01 + 10 x 0.5 J
        assert (rig.spent(), rig.reserved()) == (5_100, 0)
        refused = rig.chat(max_tokens=30)
        assert refused.status_code == 402
        assert (
            "the budget 'rack' (20.000 J per day) has 14.900 J left; this call may cost"
            in refused.json()["error"]["message"]
        )

        rig.restart()
        assert rig.chat(max_tokens=10).status_code == 200
        assert rig.spent() == 10_200  # the first from the ledger
    finally:
        rig.release()
        rig.stop()


def test_a_model_of_unknown_energy_is_refused_by_a_hard_budget_and_made_under_others(tmp_path):
    for at_limit, status in (("refuse", 402), ("alert", 200)):
        rig = rig_of(tmp_path / at_limit, limit_joules=1e6, at_limit=at_limit)
        rig.start()
        try:
            rig.answers = chat_reply(model="gpt-4o")
            reply = rig.chat(model="gpt-4o")

            assert reply.status_code == status
            if status == 402:
                assert (reply.json()["error"]["code"], rig.asked) == ("budget_unpriced", [])
                assert "[[energy]]" in reply.json()["error"]["message"]
        finally:
            rig.release()
            rig.stop()
