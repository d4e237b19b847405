"""A gateway under a policy, in front of upstreams that answer, or fail, as they are told."""

import asyncio
from contextlib import contextmanager

import msgspec

from gateway.resilience.failing_rig import FailingRig
from modicum.settings import BudgetSettings, PolicySettings


class PolicyRig(FailingRig):
    rules_of_policy = PolicySettings()

    def make_settings(self, port):
        return msgspec.structs.replace(super().make_settings(port), policy_rules=self.rules_of_policy)

    def take_over(self, *clauses, **policy):
        """Another policy, as a reload brings it."""
        self.rules_of_policy = policy_settings(*clauses, **policy)
        asyncio.run_coroutine_threadsafe(self.gateway._reload(), self.loop).result()


def policy_settings(*clauses, **policy):
    return msgspec.convert({"clause": [{"name": "only", **one} for one in clauses], **policy}, PolicySettings)


@contextmanager
def under_policy(folder, *clauses, policy=None, policies=(), budgets=(), models=None, rules=(), **upstreams):
    upstreams = upstreams or {"main": {"models": ("gpt-*",)}}
    rig = PolicyRig(
        folder, policies, upstreams, [BudgetSettings(**{"name": "all", "per": "day"} | one) for one in budgets], models
    )
    rig.rules_of_policy, rig.rules = policy_settings(*clauses, **(policy or {})), rules
    rig.start()
    try:
        yield rig
    finally:
        rig.release()
        rig.stop()


def refusal(reply):
    """The words of a refusal by the policy."""
    assert reply.status_code == 403, reply.text
    assert reply.headers.get("x-modicum-refused", "policy") == "policy"
    return reply.json()["error"]["message"]
