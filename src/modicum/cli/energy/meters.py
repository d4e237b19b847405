"""Builds the meters that the options name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modicum.cli.energy.options import parse_gpus

if TYPE_CHECKING:
    from modicum.energy.meters import Meter
    from modicum.energy.watch import GpuSource
    from modicum.outbound.client import Outbound

UNTRIED = {"amdsmi": "AMD GPUs", "intel-hwmon": "Intel GPUs", "rapl": "processors"}
"""Sources whose reading was tested with stand-ins alone."""


def open_gpu_sources(
    client: "Outbound", gpus: str, dcgm_urls: Sequence[str], *, cpu: bool = False
) -> "list[GpuSource]":
    """Local GPUs unless only exporters are named or `--gpu none` is given; processors where they are asked for.

    Raises:
        UserError: something is asked for that cannot be read.
    """
    from modicum.energy.watch import LocalGpus, RemoteGpus

    found: list[GpuSource] = [RemoteGpus(client, url) for url in dcgm_urls]
    if gpus != "none" and not (dcgm_urls and gpus == "all"):
        found.append(LocalGpus(_open_local(*parse_gpus(gpus))))
    if cpu:
        from modicum.energy.meters.sysfs import open_processors

        found.append(LocalGpus(open_processors()))
    return found


def _open_local(vendor: str, indexes: Sequence[int] | None) -> "Meter":
    from modicum.energy.meters import amd, nvml, sysfs

    if vendor == "amd":
        return amd.open_amd(amd.library(), indexes)
    if vendor == "intel":
        return sysfs.open_intel_gpus(indexes=indexes)
    return nvml.NvmlMeter(nvml.library(), indexes)


def list_untried(sources: "set[str]") -> list[str]:
    """Notes for figures that come from sources which nobody has tried on hardware."""
    return [
        f"reading {name} was tested with a stand-in, not on hardware: compare with its own tool before you rely on it"
        for source, name in UNTRIED.items()
        if source in sources
    ]
