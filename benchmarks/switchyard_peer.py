"""NeMo Switchyard beside our routers, in an environment of its own: which model its stage router picks for a prompt.

Its other routes ask a model for each decision, which no table of outcomes can answer. Run as a program, it is the part
inside that environment: prompts as JSON in, per picker the places of those that it sends to the capable model out.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

PACKAGE = "nemo-switchyard==0.3.0"
PICKERS = ("efficient_first", "capable_first")
MODELS = {"efficient": ["weak"], "capable": ["strong"], "any": ["strong", "weak"]}


def picks(prompts: Sequence[str]) -> dict[str, list[int]] | str:
    """Of each picker the places of the prompts that it sends to the capable model; or why it could not be run."""
    from peers import FOLDER

    folder = FOLDER / "switchyard"
    python = folder / "bin" / "python"
    try:
        if not (folder / "complete").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", PACKAGE], check=True)
            (folder / "complete").touch()
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as given:
            json.dump(list(prompts), given)
            given.flush()
            ran = subprocess.run(
                [python, __file__, given.name], check=True, timeout=300, stdout=subprocess.PIPE, encoding="utf-8"
            )
        return json.loads(ran.stdout)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return f"not run: {error}"[:300]


async def pick_all(prompts: Sequence[str]) -> dict[str, list[int]]:
    """Inside the environment."""
    from switchyard.libsy import Step
    from switchyard.libsy.algorithms import stage_router

    picked: dict[str, list[int]] = {}
    for picker in PICKERS:
        router = stage_router(picker=picker, confidence_threshold=0.5)
        picked[picker] = []
        for place, prompt in enumerate(prompts):
            content = [{"type": "text", "text": prompt}]
            request = {"model": "auto", "messages": [{"role": "user", "content": content}]}
            async for step in router.run_stream(request, MODELS):
                if not isinstance(step, Step.Done):
                    raise TypeError("the stage router wants a model to be asked")
                if step.outcome.selected_model_ids[0] == "strong":
                    picked[picker].append(place)
    return picked


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("prompts", type=Path)
    prompts = json.loads(options.parse_args().prompts.read_text(encoding="utf-8"))
    print(json.dumps(asyncio.run(pick_all(prompts))))


if __name__ == "__main__":
    main()
