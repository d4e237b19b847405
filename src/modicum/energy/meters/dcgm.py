"""Energy of GPUs on other machines, from the text that NVIDIA's dcgm-exporter serves.

Its counter `DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION` is in millijoules. The exporter refreshes it every 30 s by default,
which is too coarse for windows of 5 s: readings that did not change are left out, so that windows grow by themselves.
"""

from modicum.calls.errors import UserError
from modicum.energy.samples import GpuFacts, GpuReading
from modicum.energy.servers.exposition import Exposition

ENERGY = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
POWER = "DCGM_FI_DEV_POWER_USAGE"


def find_gpu_id(host: str, labels: dict[str, str]) -> str:
    return labels.get("UUID") or f"{host}/gpu{labels.get('gpu', '?')}"


def readings(host: str, metrics: Exposition, at: float) -> tuple[GpuReading, ...]:
    """One reading per GPU of the exporter's text.

    Raises:
        UserError: it has no energy, or its GPUs are partitioned.
    """
    energy = metrics.rows(ENERGY)
    if not energy:
        raise UserError(f"{host}: {ENERGY} is not on its page; enable that field in the exporter's list of metrics")
    if any(labels.get("GPU_I_ID") for labels, _ in energy):
        raise UserError(
            f"{host}: a GPU is partitioned (MIG); energy is measured only for the whole GPU and cannot be divided"
        )
    power = {find_gpu_id(host, labels): value for labels, value in metrics.rows(POWER)}
    return tuple(
        GpuReading(
            gpu=find_gpu_id(host, labels),
            at=at,
            energy_joules=value / 1000,
            power_watts=power.get(find_gpu_id(host, labels)),
        )
        for labels, value in energy
    )


def facts(host: str, metrics: Exposition) -> tuple[GpuFacts, ...]:
    return tuple(
        GpuFacts(find_gpu_id(host, labels), labels.get("modelName", "unknown GPU"), "dcgm", has_energy_counter=True)
        for labels, _ in metrics.rows(ENERGY)
    )
