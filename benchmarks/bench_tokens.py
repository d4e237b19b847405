"""Token counts: how far from the provider's own, with and without calibration (train and test split by session).

Claude: the clean steps of the transcripts in DATA/claude-code/sessions;
src/modicum/importers/claude_code/calibration_pairs.py says
which steps those are. Hidden reminders stay in: they are the upper tail of the error. By kind of content and size of
the step, with the fitted line and, where ctok is installed (scripts/bench makes an environment with Python 3.12).
Claude since 4.7: no transcript here is of it; ctok's count stands for the provider's. --recordings DIR holds both
generations, and Gemini, against what providers counted of replies in the recordings of pydantic-ai
(recorded_replies.py).
OpenAI: replies of gpt-4.1 in DATA/tau2 that are text alone: the provider's completion tokens beside our count.
Claude Sonnet 4.5 in DATA/tau2 (another field of work: customer service): results of tools, only a constant is fitted.
Gemini: with --gemma tokenizer.json, against the public Gemma 3 tokenizer, which Google's own SDK uses to count for
Gemini; on the standard library of this Python (code), QMSum (prose) and tau2 (JSON).

--write replaces src/modicum/metering/calibrations.json by what was fitted here.
"""

import argparse
import gzip
import json
import statistics
import subprocess
import sys
import sysconfig
from collections import Counter, defaultdict
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from modicum.calls import Call, Problem
from modicum.importers import read_calls
from modicum.importers.claude_code.calibration_pairs import Step, steps
from modicum.importers.format import Reading
from modicum.metering.calibration import (
    KINDS,
    SHIPPED,
    CalibrationPair,
    Calibrations,
    find_family,
    load,
    save,
)
from modicum.metering.calibration_fit import FOLDS, Steps, calibrate, check_counter, fit_steps, predict_held_out
from modicum.metering.claude_tokens import count_claude_tokens, counter_name, find_generation
from modicum.metering.tokens import DEFAULT_ENCODING, bare_name, count_with
from recorded_replies import read_replies

ENCODINGS = ("o200k_base", "cl100k_base", "llama3", "qwen3")
SIZES = (0, 500, 1000, 2000, 4000, float("inf"))
"""Steps are told apart by their size in the provider's tokens."""
LONG_REPLY = "30 tokens and more"
KEPT = {
    "claude": "steps of Claude Code conversations, Jan-Feb 2026, mostly Go code and its tools",
    "claude-4.7": "texts of Claude Code conversations, Jan-Feb 2026, counted by ctok; no record of a provider",
    "gemini": "the public Gemma 3 tokenizer, on Python's standard library, meetings (QMSum) and JSON (tau2)",
}


class Counted:
    """A step with its counts in every encoding; its text is let go."""

    def __init__(self, step):
        self.chars = sum(map(len, step.texts))
        self.pairs = {name: step.pair(partial(count_with, encoding=name)) for name in ENCODINGS}
        self.pairs["characters"] = step.pair(len)
        self.pair = self.pairs[DEFAULT_ENCODING]
        self.exact = self.newer = None
        if counter_name():
            self.exact = step.pair(partial(count_claude_tokens, generation="3.0"))
            newer = step.pair(partial(count_claude_tokens, generation="4.8"))
            self.newer = CalibrationPair(self.pair.raw_tokens, newer.raw_tokens, self.pair.group, self.pair.content)
        self.model, self.content = step.model, step.content


def claude_steps(folder):
    seen = set()
    for path in sorted(folder.glob("*.jsonl*")):
        for step in steps(path, seen):
            if not isinstance(step, Problem):
                yield Counted(step)


def held_out(pairs, *, plain=None):
    """Absolute relative errors by 5-fold cross-validation by session. `plain`: this ratio and no frame, not fitted."""
    steps = Steps(pairs)
    predicted = np.empty_like(steps.theirs)
    for fold in range(FOLDS):
        test = steps.folds == fold
        if plain:
            predicted[test] = plain * steps.ours[test]
        else:
            predicted[test] = fit_steps(steps.only(~test)).predict(steps.only(test))
    return np.abs(predicted / steps.theirs - 1)


def by_kind(pairs):
    """The same with a line for each kind of content, its frame from all kinds, as shipped; on held-out sessions."""
    steps = Steps(pairs)
    errors = np.empty_like(steps.theirs)
    contents = np.array([pair.content for pair in steps.pairs])
    folds = {group: number % FOLDS for number, group in enumerate(sorted({pair.group for pair in pairs}))}
    fold_of = np.array([folds[pair.group] for pair in steps.pairs])
    for fold in range(FOLDS):
        train = [pair for pair, at in zip(steps.pairs, fold_of, strict=True) if at != fold]
        lines = {kind: calibrate(train, "claude", content=kind) for kind in set(contents)}
        for at in np.flatnonzero(fold_of == fold):
            pair = steps.pairs[at]
            line = lines[pair.content] or lines[""]
            errors[at] = abs(line.predict_growth(pair) / pair.prompt_growth_tokens - 1)
    return errors


def encodings_table(steps):
    rows = [("characters / 4 (no effort)", held_out([s.pairs["characters"] for s in steps], plain=0.25))]
    rows += [("o200k_base as it is", held_out([s.pair for s in steps], plain=1.0))]
    rows += [(f"{name}, line fitted", held_out([s.pairs[name] for s in steps])) for name in ("characters", *ENCODINGS)]
    rows += [("o200k_base, line by kind", by_kind([s.pair for s in steps]))]
    if counter_name():
        rows += [(f"{counter_name()}, ratio 1", exact_errors([s.exact for s in steps]))]
    return [
        {
            "count": name,
            "median_error": round(float(np.median(errors)), 4),
            "p90_error": round(float(np.quantile(errors, 0.9)), 4),
        }
        for name, errors in rows
    ]


def exact_errors(pairs):
    steps = Steps(pairs)
    return np.abs(predict_held_out(steps) / steps.theirs - 1)


def sizes_table(steps):
    """Median error by kind of content and size of the step, held out, with the line and with ctok."""
    growth = np.array([s.pair.prompt_growth_tokens for s in steps])
    kinds = np.array([s.content or "other" for s in steps])
    columns = {"line": by_kind([s.pair for s in steps])}
    if counter_name():
        columns["ctok"] = exact_errors([s.exact for s in steps])
    rows = []
    for kind in ("all", *sorted(set(kinds))):
        for low, high in [(0, SIZES[-1]), *pairwise(SIZES)]:
            chosen = (growth >= low) & (growth < high) & ((kinds == kind) | (kind == "all"))
            if chosen.sum() >= 10:
                medians = {name: round(float(np.median(errors[chosen])), 4) for name, errors in columns.items()}
                rows.append({"content": kind, "from_tokens": low, "steps": int(chosen.sum()), **medians,
                             "to_tokens": None if high == SIZES[-1] else high})  # fmt: skip
    return rows


def newer_by_older(steps):
    """How many times the tokens the tokenizer since 4.7 has, by kind of content, by ctok."""
    ratios = {}
    for kind in KINDS:
        chosen = [s for s in steps if kind in {"", s.content}]
        older = sum(s.exact.raw_tokens for s in chosen)
        ratios[kind or "any"] = round(sum(s.newer.prompt_growth_tokens for s in chosen) / older, 3)
    return ratios


def recorded(folder):
    """What providers counted of replies that are text alone, beside our count of them. Nothing is fitted."""
    groups, known = defaultdict(list), Calibrations()
    for model, text, tokens in read_replies(folder):
        family = find_family(model).name
        line = known.convert(count_with(text, DEFAULT_ENCODING), model)
        groups[family, "line", family_size(tokens)].append((line.tokens, tokens))
        if family == "gemini":
            prose = known.convert(count_with(text, DEFAULT_ENCODING), model, "prose")
            groups[family, "line, prose", family_size(tokens)].append((prose.tokens, tokens))
            groups[family, "plain o200k", family_size(tokens)].append((count_with(text, DEFAULT_ENCODING), tokens))
        generation = find_generation(bare_name(model)) if counter_name() else None
        if generation:
            groups[family, "ctok", family_size(tokens)].append((count_claude_tokens(text, generation), tokens))
    return [
        {
            "family": family,
            "count": count,
            "reply": size,
            "replies": len(rows),
            "provider_tokens": sum(tokens for _, tokens in rows),
            "median_error": round(statistics.median(abs(ours / tokens - 1) for ours, tokens in rows), 4),
            "provider_counted_more_by": {
                "least": min(t - o for o, t in rows),
                "median": statistics.median(t - o for o, t in rows),
                "most": max(t - o for o, t in rows),
            },
        }
        for (family, count, size), rows in sorted(groups.items())
    ]


def with_recorded_error(line, rows):
    """A line that was fitted to something that stands for the provider has at least the error that records show."""
    import msgspec

    name = {"": "line", "prose": "line, prose"}.get(line.content)
    errors = [
        row["median_error"]
        for row in rows or ()
        if (row["family"], row["count"], row["reply"]) == (line.family, name, LONG_REPLY)
    ]
    if line.family == "claude" or not errors or errors[0] <= line.error:
        return line
    return msgspec.structs.replace(
        line,
        error=errors[0],
        method=line.method.split("; error of")[0] + "; error of recorded replies, which is larger",
    )


def family_size(tokens):
    return LONG_REPLY if tokens >= 30 else "below 30 tokens"


def tau2(folder, name):
    path = folder / "tau2" / name
    if not path.exists():
        return []
    with gzip.open(path) as stream:
        return json.load(stream)["simulations"]


def openai_exact(folder):
    more = Counter()
    for simulation in tau2(folder, "retail__gpt-4.1.json.gz") + tau2(folder, "telecom__gpt-4.1.json.gz"):
        for message in simulation["messages"]:
            usage = message.get("usage")
            if message["role"] == "assistant" and usage and message.get("content") and not message.get("tool_calls"):
                more[usage["completion_tokens"] - count_with(message["content"], "o200k_base")] += 1
    return {"replies": sum(more.values()), "provider_counted_more_by": dict(more)}


def sonnet_check(folder):
    """Another field of work: results of tools (JSON), by the shipped lines and by ctok; only a constant is fitted.

    This agent thought before its calls, and its thoughts are not in the log. But the provider counted each reply, and
    the prompt grew by that and by the result: what is left of the growth is the result and what wraps it.
    """
    line, exact = [], []
    for number, simulation in enumerate(tau2(folder, "airline__claude-sonnet-4-5.json.gz")):
        before, since = None, []
        for message in simulation["messages"]:
            usage = message.get("usage") if message["role"] == "assistant" else None
            if usage:
                came = since[1:]
                if before and len(came) == 1 and came[0]["role"] == "tool":
                    growth = usage["prompt_tokens"] - before["prompt_tokens"] - before["completion_tokens"]
                    step = Step(f"simulation {number}", "", growth, (came[0]["content"],), "")
                    line.append(step.pair(partial(count_with, encoding=DEFAULT_ENCODING)))
                    if counter_name():
                        exact.append(step.pair(partial(count_claude_tokens, generation="3.0")))
                before, since = usage, []
            since.append(message)
    if not line:
        return {}
    ratio = Calibrations().find("claude")[0].ratio
    result = {"line": middle_error([(ratio * pair.raw_tokens, pair.prompt_growth_tokens) for pair in line])}
    if exact:
        result["ctok"] = middle_error([(pair.raw_tokens, pair.prompt_growth_tokens) for pair in exact])
        wraps = Counter(pair.prompt_growth_tokens - pair.raw_tokens for pair in exact)
        result["ctok"]["provider_counted_more_by"] = dict(wraps.most_common(4))
    return result


def middle_error(rows):
    """Median relative error of counts to which the middle difference was added, over counts of 100 tokens and more."""
    constant = statistics.median(actual - count for count, actual in rows)
    errors = [abs((count + constant) / actual - 1) for count, actual in rows if actual >= 100]
    return {"steps": len(rows), "constant": round(constant), "median_error": round(statistics.median(errors), 4)}


def prompt_growth(folder):
    """How much a call's prompt is larger than that of the call before it, in all conversations: what `fit` assumes."""
    best, threads = {}, defaultdict(list)
    for call in read_calls([folder], Reading(), processes=1):
        if isinstance(call, Call) and (call.call_id not in best or call.revision > best[call.call_id].revision):
            best[call.call_id] = call
    for call in sorted(best.values(), key=lambda call: call.started):
        threads[call.task, call.agent].append(call)
    grown = [
        after.usage.prompt_tokens - before.usage.prompt_tokens
        for calls in threads.values()
        for before, after in pairwise(calls)
        if before.model == after.model and after.usage.prompt_tokens > before.usage.prompt_tokens
    ]
    return {"calls": len(grown), "mean": round(statistics.mean(grown)), "median": statistics.median(grown)}


def gemini_pairs(folder, tokenizer_file):
    from tokenizers import Tokenizer

    gemma = Tokenizer.from_file(str(tokenizer_file))

    def pair(text, group, content):
        return CalibrationPair(
            count_with(text, DEFAULT_ENCODING), len(gemma.encode(text, add_special_tokens=False).ids), group, content
        )

    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.glob("*.py")) + sorted(library.glob("[a-z]*/*.py")):
        if "site-packages" not in path.parts and 200 < path.stat().st_size < 200_000:
            text = path.read_text("utf-8", "replace")
            yield pair(text, path.parent.name if path.parent != library else path.name, "code")
    with gzip.open(folder / "qmsum/ALL_val.jsonl.gz", "rt") as stream:
        for number, row in enumerate(stream):
            turns = [turn["content"] for turn in json.loads(row)["meeting_transcripts"]]
            for start in range(0, len(turns), 40):
                yield pair("\n".join(turns[start : start + 40]), f"meeting {number}", "prose")
    for number, simulation in enumerate(tau2(folder, "airline__claude-sonnet-4-5.json.gz")):
        for message in simulation["messages"]:
            if message["role"] == "tool" and len(message.get("content") or "") > 200:
                yield pair(message["content"], f"simulation {number}", "")


def load_seconds():
    code = "import time,quicktok;t=time.perf_counter();quicktok.get_encoding({!r});print(time.perf_counter()-t)"
    return {
        name: round(
            float(subprocess.run([sys.executable, "-c", code.format(name)], capture_output=True, check=True).stdout), 3
        )
        for name in ENCODINGS
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--gemma", type=Path, help="tokenizer.json of Gemma 3; needs `pip install tokenizers`")
    parser.add_argument("--recordings", type=Path, help="a checkout of pydantic-ai; needs pyyaml")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    taken = [step for step in claude_steps(args.data / "claude-code/sessions") if step.pair.raw_tokens]
    pairs = [step.pair for step in taken]
    models = {step.model for step in taken}
    assert {find_family(model).name for model in models} == {"claude"}
    fitted = [calibrate(pairs, "claude", content=kind, models=models) for kind in KINDS]
    by_model = {
        model: calibrate([s.pair for s in taken if s.model == model], "claude", models=[model])
        for model in sorted(models)
    }
    if counter_name():
        newer = [step.newer for step in taken]
        fitted += [calibrate(newer, "claude-4.7", content=kind, framed=False) for kind in KINDS]
    if args.gemma:
        gemini = list(gemini_pairs(args.data, args.gemma))
        fitted += [calibrate(gemini, "gemini", content=kind) for kind in ("", "code", "prose")]
    fitted = [one for one in fitted if one]
    replies = recorded(args.recordings) if args.recordings else None
    if args.write:
        import msgspec

        kept = [
            msgspec.structs.replace(
                one,
                method=f"{one.method}; {KEPT[one.family]}",
                counted_by=counter_name() if one.family == "claude-4.7" else "",
            )
            for one in fitted
        ]
        fresh = {one.family for one in kept}
        kept += [one for one in load(SHIPPED) if one.family not in fresh]
        kept = [with_recorded_error(one, replies) for one in kept]
        save(kept, SHIPPED, "scripts/bench tokens --write")
    result = {
        "steps": len(taken),
        "counter": counter_name(),
        "by_content": dict(Counter(step.content or "other" for step in taken)),
        "encodings": encodings_table(taken),
        "by_kind_and_size": sizes_table(taken),
        "check": check_counter([s.exact for s in taken], fitted[0].error, "claude", counter_name(), models)
        if counter_name()
        else None,
        "newer_by_older": newer_by_older(taken) if counter_name() else None,
        "recorded_replies": replies,
        "calibrations": [
            {"family": c.family, "content": c.content or "any", "ratio": c.ratio, "wrap_tokens": c.wrap_tokens,
             "tool_call_tokens": c.tool_call_tokens, "parameter_tokens": c.parameter_tokens,
             "error": c.error, "error_whole": c.error_whole, "pairs": c.pairs, "groups": c.groups}
            for c in fitted
        ],
        "by_model": {m: c and {"ratio": c.ratio, "error": c.error, "pairs": c.pairs} for m, c in by_model.items()},
        "openai_gpt_4_1": openai_exact(args.data),
        "claude_sonnet_4_5_other_field": sonnet_check(args.data),
        "prompt_growth_per_call": prompt_growth(args.data / "claude-code/sessions"),
        "load_s": load_seconds(),
    }  # fmt: skip
    if args.json:
        print(json.dumps(result, indent=2, default=str))
    else:
        show(result)


def show(result):
    print(f"{result['steps']} clean steps: {result['by_content']}\n")
    print(f"{'held-out error of a step':32} median    p90")
    for row in result["encodings"]:
        print(f"{row['count']:32} {row['median_error']:6.1%} {row['p90_error']:6.1%}")
    print(f"\n{'median error, held out':34} {'steps':>6} {'line':>7} {'ctok' if result['counter'] else '':>7}")
    for row in result["by_kind_and_size"]:
        size = f"{row['from_tokens']} to {row['to_tokens']}" if row["to_tokens"] else f"{row['from_tokens']} and more"
        exact = f"{row['ctok']:7.2%}" if "ctok" in row else ""
        print(f"{row['content']:8} {size:25} {row['steps']:6} {row['line']:7.2%} {exact}")
    if not result["counter"]:
        print("ctok is not installed: it needs Python 3.12 or newer (scripts/claude-tokens-env)")
    print(
        f"\n{'calibration':18} {'ratio':>6} {'wrap':>6} {'call':>6} {'param':>6} {'error':>6} {'whole':>6} {'pairs':>6}"
    )
    for row in result["calibrations"]:
        whole = "" if row["error_whole"] is None else f"{row['error_whole']:.1%}"
        name = f"{row['family']} {row['content']}"
        frame = f"{row['wrap_tokens']:6.1f} {row['tool_call_tokens']:6.1f} {row['parameter_tokens']:6.1f}"
        print(f"{name:18} {row['ratio']:6.3f} {frame} {row['error']:6.1%} {whole:>6} {row['pairs']:6}")
    for row in result["recorded_replies"] or ():
        print("recorded:", row)
    print(f"\ncheck of ctok: {result['check']}\ntokens since 4.7 for one before: {result['newer_by_older']}")
    for name in ("by_model", "openai_gpt_4_1", "claude_sonnet_4_5_other_field", "prompt_growth_per_call", "load_s"):
        print(f"\n{name}: {result[name]}")


if __name__ == "__main__":
    main()
