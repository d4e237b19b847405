"""Bytes of cache that hf-mem works out for configs on standard input: {name: config} in, {name: bytes or null} out."""

import contextlib
import io
import json
import sys
import warnings

warnings.filterwarnings("ignore")

from hf_mem.safetensors.kv_cache import compute_safetensors_kv_cache_size  # noqa: E402 - after the filter

CONTEXT = 131_072


def main() -> None:
    found = {}
    for name, config in json.load(sys.stdin).items():
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                found[name] = compute_safetensors_kv_cache_size(config, "BF16", CONTEXT, 1)
            except (KeyError, RuntimeError, ValueError, TypeError) as error:
                found[name] = None
                print(f"{name}: {error}", file=sys.stderr)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
