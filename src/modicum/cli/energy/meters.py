"""Builds the meters that the options name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modicum.cli.energy.options import parse_gpu_indexes

if TYPE_CHECKING:
    from modicum.energy.watch import GpuSource
    from modicum.outbound.client import Outbound


def open_gpu_sources(client: "Outbound", gpus: str, dcgm_urls: Sequence[str]) -> "list[GpuSource]":
    """Local GPUs unless only exporters are named or `--gpu none` is given.

    Raises:
        UserError: GPUs are asked for that cannot be read.
    """
    from modicum.energy.meters import nvml
    from modicum.energy.watch import LocalGpus, RemoteGpus

    found: list[GpuSource] = [RemoteGpus(client, url) for url in dcgm_urls]
    if gpus != "none" and not (dcgm_urls and gpus == "all"):
        found.append(LocalGpus(nvml.NvmlMeter(nvml.library(), parse_gpu_indexes(gpus))))
    return found
