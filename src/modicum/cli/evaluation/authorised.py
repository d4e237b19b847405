"""The policy in evaluations: models under test and judges are asked only where `policy.toml` lets calls go."""

from urllib.parse import urlsplit

from modicum.calls import UserError
from modicum.calls.provider_names import region_of_host
from modicum.governance.policy import PlannedCall, PolicyRuling, PolicyVerdict, decide_policy
from modicum.settings import Settings, place_in_policy, policy_of


class EvaluationPolicy:
    """What the policy says of an evaluation's calls. They belong to nobody; calls to the gateway itself it authorises
    where they are served.

    Args:
        url: of the API that is asked.
        data_class: of the tasks; empty: nobody says one.
    """

    def __init__(self, settings: Settings, url: str, data_class: str = "") -> None:
        self._rules = settings.policy_rules
        self._policy = policy_of(self._rules)
        if data_class and data_class not in self._policy.data_classes:
            known = ", ".join(self._policy.data_classes) or "none; policy.toml has no data_classes"
            raise UserError(f"--data-class '{data_class:.64}' is no class of the policy; it has: {known}")
        self._data_class = data_class
        host, own = urlsplit(url).hostname or "", _address(f"http://{settings.gateway.listen}")
        upstream = next((one for one in settings.upstreams.values() if _address(one.url) == _address(url)), None)
        self._region = (upstream.region if upstream is not None else "") or region_of_host(host)
        self._is_active = bool(self._policy.clauses) and _address(url) != own

    def refusal(self, model: str, provider: str, prompt_tokens: int | None, most_output_tokens: int) -> str:
        """Why a call may not be made; empty: it may. `prompt_tokens` is None before there is a prompt."""
        if not self._is_active:
            return ""
        call = PlannedCall(
            model,
            provider,
            self._region,
            data_class=self._data_class,
            prompt_tokens=prompt_tokens or 0,
            most_output_tokens=most_output_tokens,
        )
        verdict = decide_policy(self._policy, call)
        return "" if verdict.ruling is PolicyRuling.ADMIT else f"{self._place(verdict)}: {verdict.reason}"

    def _place(self, verdict: PolicyVerdict) -> str:
        assert verdict.clause is not None  # noqa: S101 - only clauses refuse
        row = next(row for row, one in enumerate(self._rules.clause) if one.name == verdict.clause.name)
        return place_in_policy(self._rules, "clause", row)


def _address(url: str) -> str:
    """Host and port, this machine by one name."""
    return urlsplit(url).netloc.replace("localhost", "127.0.0.1")
