"""A router as a small file of numbers: NumPy's own format, without anything in it that could be run."""

import io
import zipfile
import zlib
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from modicum.calls import UserError
from modicum.routing.inputs import read_prompts
from modicum.routing.learners.blended import BlendedScorer
from modicum.routing.learners.learner import Scorer
from modicum.routing.learners.length import LengthScorer
from modicum.routing.learners.linear import LinearScorer
from modicum.routing.learners.neighbours import NeighbourScorer
from modicum.routing.router import Router, RouterTerms
from modicum.routing.sparse_rows import SparseRows
from modicum.routing.stage import STEP_FEATURES
from modicum.routing.step_scorer import StepScorer

FORMAT = "modicum-router/1"
MOST_BYTES = 5_000_000
_MOST_UNPACKED = 400_000_000

Arrays = dict[str, NDArray[Any]]


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    terms: RouterTerms
    parts: tuple[str, ...]
    """The class of each learner, by name; more than one: they are blended."""
    kinds: tuple[str, ...]
    """What each of them reads: words or letters."""


def encode_router(router: Router) -> bytes:
    """Raises:
    UserError: it would be larger than a router may be.
    """
    parts: tuple[Scorer, ...]
    arrays: Arrays = {}
    if isinstance(router.scorer, BlendedScorer):
        parts = router.scorer.parts
        arrays["blend.base"] = router.scorer.base
        arrays["blend.means"] = np.stack(router.scorer.means)
        arrays["blend.spreads"] = np.array([*router.scorer.spreads, router.scorer.spread])
    else:
        parts = (router.scorer,)
    for number, part in enumerate(parts):
        arrays |= {f"{number}.{name}": values for name, values in _arrays_of(part).items()}
    if router.step_scorer is not None:
        steps = router.step_scorer
        arrays |= {"steps.weights": steps.weights, "steps.means": steps.means, "steps.spreads": steps.spreads}
    header = _Header(
        FORMAT,
        router.terms,
        tuple(type(part).__name__ for part in parts),
        tuple(getattr(part, "kind", "") for part in parts),
    )
    arrays["header"] = np.frombuffer(msgspec.json.encode(header), np.uint8)
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    data = packed.getvalue()
    if len(data) > MOST_BYTES:
        raise UserError(
            f"the weights take {len(data) / 1e6:.1f} MB, and a router may have {MOST_BYTES / 1e6:.0f}; "
            "name fewer models (--model) or a smaller learner (--learner linear)"
        )
    return data


def decode_router(data: bytes, path: str) -> Router:
    """Raises:
    UserError: it is no router, or was cut off.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(each.file_size for each in archive.infolist()) > _MOST_UNPACKED:
                raise UserError(f"{path} is no router: it unpacks to more than {_MOST_UNPACKED / 1e6:.0f} MB")
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            arrays: Arrays = {name: held[name] for name in held.files}
        header = msgspec.json.decode(arrays["header"].tobytes(), type=_Header)
        if header.format != FORMAT:
            raise UserError(f"{path} is a router of the format {header.format:.40}, and this version reads {FORMAT}")
        parts = tuple(
            _scorer_of(name, kind, _of_part(arrays, number), len(header.terms.models))
            for number, (name, kind) in enumerate(zip(header.parts, header.kinds, strict=True))
        )
        scorer = parts[0] if "blend.base" not in arrays else _blend_of(arrays, parts)
        steps = _steps_of(arrays, len(header.terms.models)) if "steps.weights" in arrays else None
        # What scorers lay out once is laid out here, not at the first call that waits for a decision.
        scorer.score(read_prompts(["any"]))
    except (zipfile.BadZipFile, zlib.error, KeyError, IndexError, ValueError, EOFError, OSError) as error:
        raise UserError(
            f"{path} is no router ({type(error).__name__}); 'modicum route train TABLE --out {path}' makes one"
        ) from None
    if header.terms.best_single not in header.terms.models or len(header.terms.costs) != len(header.terms.models):
        raise UserError(f"{path} contradicts itself: its models and their costs do not belong together; train it again")
    return Router(scorer, header.terms, steps)


def _arrays_of(scorer: Scorer) -> Arrays:
    if isinstance(scorer, LengthScorer):
        return {"base": scorer.base, "slopes": scorer.slopes}
    if isinstance(scorer, LinearScorer):
        used = np.flatnonzero(scorer.factors)
        return {
            "base": scorer.base,
            "used": used.astype(np.int32),
            "width": np.array([len(scorer.factors)]),
            "weights": scorer.weights[:, used].astype(np.float16),
            "factors": scorer.factors[used].astype(np.float16),
            "measure_weights": scorer.measure_weights,
            "measure_means": scorer.measure_means,
            "measure_spreads": scorer.measure_spreads,
        }
    if isinstance(scorer, NeighbourScorer):
        used = np.flatnonzero(scorer.factors)
        return {
            "base": scorer.base,
            "used": used.astype(np.int32),
            "factors": scorer.factors[used].astype(np.float16),
            "counts": np.diff(scorer.rows_of.starts).astype(np.int32),
            "rows": scorer.rows_of.columns,
            "values": scorer.rows_of.values.astype(np.float16),
            "outcomes": scorer.outcomes.astype(np.float16),
            "count": np.array([scorer.count]),
        }
    raise UserError(
        "no call has vectors of its prompt in time; train with --learner blended, linear, letters, neighbours or length"
    )


def _of_part(arrays: Arrays, number: int) -> Arrays:
    begin = f"{number}."
    return {name.removeprefix(begin): values for name, values in arrays.items() if name.startswith(begin)}


def _scorer_of(name: str, kind: str, arrays: Arrays, models: int) -> Scorer:
    base = arrays["base"].astype(float)
    if base.shape != (models,) or kind not in {"", "words", "letters"}:
        raise ValueError("arrays of another router")
    if name == LengthScorer.__name__:
        return LengthScorer(base, arrays["slopes"].astype(float))
    if name == LinearScorer.__name__:
        width = int(arrays["width"][0])
        weights, factors = np.zeros((models, width)), np.zeros(width, np.float32)
        weights[:, arrays["used"]] = arrays["weights"]
        factors[arrays["used"]] = arrays["factors"]
        measures = (arrays[f"measure_{what}"].astype(float) for what in ("weights", "means", "spreads"))
        return LinearScorer("letters" if kind == "letters" else "words", base, weights, factors, *measures)
    if name == NeighbourScorer.__name__:
        counts = arrays["counts"].astype(np.int64)
        factors = np.zeros(len(counts), np.float32)
        factors[arrays["used"]] = arrays["factors"]
        outcomes = arrays["outcomes"].astype(float)
        starts = np.concatenate(([0], np.cumsum(counts)))
        rows, values = arrays["rows"].astype(np.int32), arrays["values"].astype(np.float32)
        if starts[-1] != len(rows) or len(rows) != len(values) or (len(rows) and rows.max() >= len(outcomes)):
            raise ValueError("rows of another router")
        rows_of = SparseRows(starts, rows, values, len(outcomes))
        return NeighbourScorer(
            "letters" if kind == "letters" else "words", factors, rows_of, outcomes, base, int(arrays["count"][0])
        )
    raise ValueError(f"there is no learner {name:.40}")


def _steps_of(arrays: Arrays, models: int) -> StepScorer:
    weights, means, spreads = (arrays[f"steps.{what}"].astype(float) for what in ("weights", "means", "spreads"))
    width = len(STEP_FEATURES)
    if weights.shape != (models, width) or means.shape != (width,) or spreads.shape != (width,):
        raise ValueError("stages of another version")
    return StepScorer(weights, means, spreads)


def _blend_of(arrays: Arrays, parts: tuple[Scorer, ...]) -> BlendedScorer:
    spreads = arrays["blend.spreads"].astype(float)
    means = tuple(arrays["blend.means"].astype(float))
    if len(spreads) != len(parts) + 1 or len(means) != len(parts):
        raise ValueError("a blend of another router")
    return BlendedScorer(
        arrays["blend.base"].astype(float), parts, means, tuple(map(float, spreads[:-1])), float(spreads[-1])
    )
