"""The one place that runs rules. Who runs them says what applying a change means: to bytes, or to an anatomy."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from modicum.calls import Edit
from modicum.calls.change import Change, DoesNotFit
from modicum.calls.containment import contain, failure_place
from modicum.calls.facts import Facts
from modicum.calls.prompt import AnatomyPrompt, NotHeld, Prompt
from modicum.calls.rule import NetSaving, NotDecidable, Rule, RuleDecision, RuleEffect
from modicum.calls.words.counted_nouns import number_of
from modicum.optimizers.net_saving import weigh
from modicum.providers.dialect import Dialect
from modicum.providers.prompt import RequestPrompt
from modicum.providers.repeated.repeated_prompt import RepeatedPrompt
from modicum.providers.seen_requests import SeenRequests, SplitRequest


class Subject(Protocol):
    """A call on which rules are run."""

    @property
    def prompt(self) -> Prompt: ...
    @property
    def facts(self) -> Facts: ...
    def apply(self, rule: Rule, change: Change) -> None:
        """Makes the change; prompt and facts are those after it from then on.

        Raises:
            DoesNotFit: the call cannot take it, and is as it was.
        """


def run_rules(rules: Iterable[Rule], subject: Subject) -> list[RuleDecision]:
    """Asks the rules in their order, each about the call as the one before left it, and applies what they want.

    A rule that fails costs its call this change and nothing else.
    """
    decisions = []
    for rule in rules:
        decision = _run(rule, subject)
        if decision is not None:
            decisions.append(decision)
    return decisions


def _run(rule: Rule, subject: Subject) -> RuleDecision | None:
    wish = _RuleWish()
    with contain() as work:
        try:
            return _decide(rule, subject, wish)
        except NotHeld as missing:
            return RuleDecision(rule.name, RuleEffect.NOT_DECIDABLE, why=str(missing))
        except DoesNotFit as reason:
            return RuleDecision(rule.name, RuleEffect.DOES_NOT_FIT, wish.change, str(reason))
    error = work.error
    assert error is not None  # noqa: S101 - whatever else happens returns
    return RuleDecision(rule.name, RuleEffect.FAILED, wish.change, type(error).__name__, failure_place(error))


class _RuleWish:
    """What a rule decided, for whoever hears that it failed."""

    change: Change | None = None


def _decide(rule: Rule, subject: Subject, wish: _RuleWish) -> RuleDecision | None:
    decided = rule.decide(subject.prompt, subject.facts)
    if isinstance(decided, NotDecidable):
        return RuleDecision(rule.name, RuleEffect.NOT_DECIDABLE, why=decided.why)
    if decided.is_nothing:
        return None
    wish.change = decided
    expected = weigh(rule, subject.prompt, subject.facts, decided) if rule.safety is not None else None
    if expected is not None and not expected.is_positive:
        return RuleDecision(rule.name, RuleEffect.NOT_WORTH, decided, _why_not(expected), "", expected)
    subject.apply(rule, decided)
    return RuleDecision(rule.name, RuleEffect.CHANGED, decided, expected=expected)


def _why_not(expected: NetSaving) -> str:
    """Why a change is not worth it."""
    if expected.usd is not None:
        return f"it would cost ${-expected.usd:.6f} more than it saves" if expected.usd else "it would save nothing"
    if expected.tokens_broken:
        return (
            f"it breaks {number_of(expected.tokens_broken, 'token')} out of the cache, and no price is known to weigh "
            "that"
        )
    return "it would save nothing"


def _all_changed(decisions: Sequence[RuleDecision]) -> bool:
    """Whether every rule that wanted something got it."""
    return all(decision.effect is RuleEffect.CHANGED for decision in decisions)


class AnatomyCall:
    """A call of the ledger: what the rules would have made of it."""

    def __init__(self, prompt: Prompt, facts: Facts) -> None:
        self.prompt, self.facts = prompt, facts
        self.edits: list[Edit] = []
        """What would have been booked."""

    def apply(self, rule: Rule, change: Change) -> None:
        before = after = None
        if change.is_of_prompt:
            if not isinstance(self.prompt, AnatomyPrompt):
                raise DoesNotFit("the prompt is not known")
            changed = self.prompt.apply(change)
            before, after, self.prompt = self.prompt.tokens, changed.tokens, changed
        if change.why:
            self.edits.append(Edit(rule.name, before, after, change.why))
        self.facts = facts_after(self.facts, change)


class RequestCall:
    """A request in the bytes of its dialect: the library's, and the gateway's, which also finds the way to another
    model.

    Args:
        prompt: the request taken apart, if somebody has done that already.
        seen: what is known of requests that came before.
        split: the request with its messages, if somebody has split it already.

    Attributes:
        facts: of the call, as the rules left it. The model's name in `body` is not changed: how a request names its
            model depends on where it goes (`facts.model` says which is decided).
    """

    def __init__(
        self,
        dialect: Dialect,
        body: bytes,
        facts: Facts,
        prompt: Prompt | None = None,
        seen: SeenRequests | None = None,
        split: SplitRequest | None = None,
    ) -> None:
        self._dialect, self._body, self.facts, self._prompt, self._seen = dialect, body, facts, prompt, seen
        self._has_new_texts = False
        self._split = split
        self._made: list[tuple[str, RepeatedPrompt, Change]] = []
        """Changes of texts in a request of which messages may come again, each with the prompt before it."""
        self._to_remember: tuple[str, ...] | None = None
        """Rules of which it is to be remembered what they made of it."""

    def run(self, rules: Sequence[Rule]) -> list[RuleDecision]:
        """As `run_rules`. What the very same rules made of a beginning that came before is not worked out again, where
        each of them looks at each result by itself: they are asked about what is new.
        """
        whole = self.prompt
        if not isinstance(whole, RepeatedPrompt) or not all(rule.edits_each for rule in rules):
            return run_rules(rules, self)
        names = tuple([rule.name for rule in rules])
        with contain():
            self._prompt = whole.behind_known(names)
        decisions = run_rules(rules, self)
        if self._prompt is not whole and not _all_changed(decisions):
            self.begin_anew(whole)
            decisions = run_rules(rules, self)
        if _all_changed(decisions):
            self._to_remember = names
            if not self._has_new_texts:
                whole.remember(names, [])
        return decisions

    def begin_anew(self, prompt: Prompt) -> None:
        """Forgets the texts that rules gave it, and goes on with the prompt as it came."""
        self._prompt, self._has_new_texts, self._made = prompt, False, []

    @property
    def prompt(self) -> Prompt:
        """The prompt as the rules left it."""
        if self._prompt is None:
            self._prompt = prompt_in(self._dialect, self._body, self._seen, self.split)
        return self._prompt

    @property
    def body(self) -> bytes:
        """The request as the rules left it. New texts are written when somebody asks: several rules bring some, and
        long requests are written once.
        """
        if self._has_new_texts:
            self._write_texts()
        return self._body

    @property
    def split(self) -> SplitRequest | None:
        """`body` with its messages, as it came, or where rules gave these other texts and nothing else was changed."""
        body = self.body
        return self._split if self._split is not None and self._split.body is body else None

    def _write_texts(self) -> None:
        prompt = self._request_prompt()
        self._split = prompt.write_split() if isinstance(prompt, RepeatedPrompt) else None
        if self._split is not None and self._to_remember is not None and isinstance(prompt, RepeatedPrompt):
            prompt.remember(self._to_remember, self._made)
        self._body = prompt.write() if self._split is None else self._split.body
        self._has_new_texts = False

    def apply(self, rule: Rule, change: Change) -> None:
        if change.is_of_texts_alone:
            self.put_texts(rule, change)
        else:
            self.commit(self.body_after(change), change)

    def put_texts(self, rule: Rule, change: Change) -> None:
        """Units get other texts, and nothing else is changed.

        Raises:
            DoesNotFit: the request cannot take them.
        """
        prompt = self._request_prompt()
        self._prompt, self._has_new_texts = prompt.with_texts(change), True
        if isinstance(prompt, RepeatedPrompt):
            self._made.append((rule.name, prompt, change))

    def body_after(self, change: Change) -> bytes:
        """The request's bytes after a change.

        Raises:
            DoesNotFit: the request cannot take the change.
        """
        if not change.is_of_body:
            return self.body
        body = self._request_prompt().write(change)
        return body if not change.own_tools else self._with_own_tools(body, change)

    def _with_own_tools(self, body: bytes, change: Change) -> bytes:
        shape = self._dialect.own_tools
        if shape is None:
            raise DoesNotFit("requests of this API take no tools of ours")
        return shape.with_tools(body, change.own_tools)

    def commit(self, body: bytes, change: Change) -> None:
        """The change is made."""
        if body is not self._body:
            self._body, self._prompt, self._has_new_texts = body, None, False
        self.facts = facts_after(self.facts, change)

    def _request_prompt(self) -> RequestPrompt:
        if not isinstance(self.prompt, RequestPrompt):
            raise DoesNotFit("requests of this API are not taken apart")
        return self.prompt


def prompt_in(
    dialect: Dialect, body: bytes, seen: SeenRequests | None = None, split: SplitRequest | None = None
) -> Prompt:
    """The prompt of a request; without units where nobody takes requests of its dialect apart."""
    return dialect.prompt(body, seen, split) or Prompt(None, "requests of this API are not taken apart")


def facts_after(facts: Facts, change: Change) -> Facts:
    """What holds once the change is made."""
    if not change.model and change.most_output_tokens is None:
        return facts
    most = [tokens for tokens in (facts.most_output_tokens, change.most_output_tokens) if tokens is not None]
    return msgspec.structs.replace(
        facts, model=change.model or facts.model, most_output_tokens=min(most) if most else None
    )
