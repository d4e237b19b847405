"""Experiments with tasks whose truth is known."""

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from modicum.experiments.experiment import Arm, ChangeKind, Experiment
from modicum.experiments.grading import TrialTask

START = datetime(2026, 3, 1, tzinfo=UTC)
KEY = b"k" * 32


def experiment(**fields):
    usual = {
        "name": "cheaper",
        "kind": ChangeKind.MODEL,
        "subject": "gpt-4o",
        "to": "gpt-4o-mini",
        "outcome": "resolved",
    }
    return Experiment(**usual | {"margin": 0.05, "started_at": START} | fields)


def tasks(count, *, base=0.8, effect=0.0, saving=0.3, seed=0, one=None):
    one, random = one or experiment(), np.random.default_rng(seed)
    made = []
    for number in range(count):
        arm = one.arm_of(f"t{number}", KEY)
        changed = arm is Arm.CHANGED
        value = float(random.random() < base + effect * changed)
        tokens = random.lognormal(8, 0.5) * (1 - saving * changed)
        made.append(
            TrialTask(
                task=f"t{number}",
                arm=arm,
                began=START + timedelta(seconds=number),
                calls=3,
                calls_failed=0,
                calls_concerned=3,
                calls_applied=3 if changed else 0,
                effective_tokens=tokens,
                cost_usd=tokens / 1e6,
                outcome_low=value,
                outcome_high=value,
            )
        )
    return made


def altered(task, **fields):
    return msgspec.structs.replace(task, **fields)
