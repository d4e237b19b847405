"""Finds a model's fields: a `config.json`, a folder with one, or the shipped table of open models.

`data/models.json` holds published facts of configs (numbers of layers, heads, widths), its sources named in it.
"""

import difflib
import functools
import json
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls.errors import UserError
from modicum.calls.outside.regular_file import read_regular
from modicum.energy.memory.architectures import read_shape
from modicum.energy.memory.blueprint import Blueprint
from modicum.energy.memory.checkpoint import checkpoint_bytes
from modicum.energy.memory.config import inner_config
from modicum.energy.memory.parameters import embeddings
from modicum.energy.memory.quantization import find_quantization
from modicum.energy.memory.sizes import parse_dtype


class Catalogue(msgspec.Struct, frozen=True):
    sources: dict[str, str]
    models: dict[str, dict[str, Any]]
    """Short lower-case name to the config's fields; `source` is a key of `sources`."""


@functools.cache
def load_catalogue() -> Catalogue:
    text = resources.files("modicum.energy.memory").joinpath("data/models.json").read_bytes()
    return msgspec.json.decode(text, type=Catalogue)


def find_blueprint(model: str) -> Blueprint:
    """The blueprint of a shipped model's name, a `config.json`, or a folder that holds one.

    Raises:
        UserError: nothing of that name, an unreadable file, an unknown architecture, or fields that are missing or
            contradict each other.
    """
    path = Path(model)
    if path.is_dir():
        file = path / "config.json"
        if not file.is_file():
            raise UserError(f"{model}: no config.json in this folder; copy the one published with the model there")
        return read_blueprint(model, _read_json(file), checkpoint=checkpoint_bytes(path))
    if path.is_file():
        return read_blueprint(model, _read_json(path))
    known = load_catalogue().models
    name = model.lower().rsplit("/", 1)[-1]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise UserError(f"no file and no shipped model is called '{model}'; {hint}'modicum plan models' lists them")
    return read_blueprint(name, known[name])


def read_blueprint(name: str, raw: Any, *, checkpoint: int | None = None) -> Blueprint:
    """The blueprint of a decoded config.

    Raises:
        UserError: as `find_blueprint`.
    """
    fields, outside = inner_config(name, raw)
    anatomy = read_shape(fields)
    quantized = find_quantization(fields)
    dtype = fields.text("dtype") or fields.text("torch_dtype") or "bfloat16"
    return Blueprint(
        name=name,
        model_type=fields.raw["model_type"],
        hidden_size=fields.hidden,
        vocab_size=fields.vocab,
        widest_mlp=anatomy.widest_mlp,
        parameters=anatomy.parameters,
        mixers=anatomy.mixers,
        context_limit=fields.whole("max_position_embeddings") if fields.has("max_position_embeddings") else None,
        weight_dtype=parse_dtype(dtype),
        quantization=quantized.method if quantized is not None else None,
        quantized_bits=quantized.bits if quantized is not None else None,
        embedding_weights=embeddings(fields),
        state_dtype=parse_dtype(anatomy.state_dtype) if anatomy.state_dtype else None,
        notes=anatomy.notes + outside,
        checkpoint_bytes=checkpoint,
    )


def _read_json(path: Path) -> Any:
    try:
        # Not msgspec: published configs hold `Infinity`, which Python writes and strict JSON does not know.
        return json.loads(read_regular(path))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error})") from None
