"""`modicum.plan_memory`: the memory of a model that one runs oneself, as `modicum plan memory` shows it."""

from modicum.calls import UserError
from modicum.energy.memory import MemoryPlan, PlanRequest, find_blueprint
from modicum.energy.memory import plan_memory as plan_blueprint
from modicum.energy.memory.cards import parse_cards
from modicum.energy.memory.engines import CacheTypes
from modicum.energy.memory.sizes import parse_tokens


def plan_memory(
    model: str,
    *,
    context: int | str = "8k",
    batch: int = 1,
    gpu: str | None = None,
    engine: str = "needed",
    weights: str | None = None,
    kv: str = "bf16",
    state: str | None = None,
    memory_share: float = 0.9,
    tokens_per_step: int | str = "2k",
) -> MemoryPlan:
    """Weights, cache, fixed state and activations, and whether they fit.

    Args:
        model: a name from `modicum plan models`, a config.json, or the folder of one.
        context: tokens of each sequence, as a number or as `"128k"`.
        batch: sequences at once.
        gpu: `h100`, `2xh200`, `24GiB`; None: nothing has to fit.
        engine: how the cache is laid out: `needed`, `transformers`, `vllm`, `llamacpp`.
        weights: data type of the weights; None: as published.
        kv: data type of the cache.
        state: data type of recurrent states; None: what the engine chooses.
        memory_share: of a GPU's memory that may be used, above 0 and up to 1.
        tokens_per_step: that the engine processes in one step of prefill.

    Raises:
        UserError: there is no such model, GPU, engine or data type.
    """
    request = memory_request(
        context=context,
        batch=batch,
        gpu=gpu,
        engine=engine,
        weights=weights,
        kv=kv,
        state=state,
        memory_share=memory_share,
        tokens_per_step=tokens_per_step,
    )
    return plan_blueprint(find_blueprint(model), request)


def memory_request(
    *,
    context: int | str,
    batch: int,
    gpu: str | None,
    engine: str,
    weights: str | None,
    kv: str,
    state: str | None,
    memory_share: float,
    tokens_per_step: int | str,
) -> PlanRequest:
    """What a plan is made for, from the words of `plan_memory`: verbs that plan ask with the same.

    Raises:
        UserError: there is no such GPU, or the share is none.
    """
    if not 0 < memory_share <= 1:
        raise UserError(f"memory_share (--memory-share) is {memory_share:g}; give a share above 0 and up to 1")
    return PlanRequest(
        context=_tokens(context),
        batch=batch,
        engine=engine,
        weights=weights,
        types=CacheTypes(kv, state),
        cards=parse_cards(gpu) if gpu else None,
        memory_share=memory_share,
        tokens_per_step=_tokens(tokens_per_step),
    )


def _tokens(given: int | str) -> int:
    return parse_tokens(given) if isinstance(given, str) else given
