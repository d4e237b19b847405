"""Power and energy of NVIDIA GPUs from the driver's library (extra `nvidia`).

The energy counter is preferred over power: the driver averages power over up to a second and samples it only part of
the time on some cards (arXiv 2312.02741), while differences of the counter hold over windows of some seconds.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from modicum.calls.errors import UserError
from modicum.calls.extras import load_extra
from modicum.energy.samples import GpuFacts, GpuReading

SLOWDOWNS = (
    ("nvmlClocksEventReasonSwPowerCap", "power cap"),
    ("nvmlClocksEventReasonHwPowerBrakeSlowdown", "power brake"),
    ("nvmlClocksEventReasonSwThermalSlowdown", "heat"),
    ("nvmlClocksEventReasonHwThermalSlowdown", "heat"),
)
"""Bits that say why clocks are held down; idle and set clocks are no fault."""


def library() -> Any:
    """NVIDIA's own bindings.

    Raises:
        UserError: they are not installed, or another package took their name.
    """
    pynvml = load_extra("nvidia", "reading GPUs (NVIDIA's bindings)", "pynvml")
    if not hasattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption"):
        raise UserError(
            "the installed 'pynvml' is not NVIDIA's: pip uninstall pynvml, then pip install 'modicum[nvidia]'"
        )
    return pynvml


EDGE_WAIT_S = 0.15
"""Longer than the slowest known refresh of the counter (100 ms)."""
POLL_S = 0.002


class NvmlMeter:
    """All GPUs of this machine, or those with the given indexes. `nvml` is `library()` or its stand-in in tests."""

    def __init__(
        self,
        nvml: Any,
        indexes: Sequence[int] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._nvml = nvml
        self._clock = clock
        self._sleep = sleep
        try:
            nvml.nvmlInit()
            count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError as error:
            raise UserError(f"no NVIDIA GPU can be read here ({error}); {_advice(nvml, error)}") from None
        chosen = list(range(count)) if indexes is None else list(indexes)
        if not chosen:
            raise UserError("this machine has no NVIDIA GPU; name another source, e.g. --dcgm http://host:9400/metrics")
        absent = [index for index in chosen if not 0 <= index < count]
        if absent:
            raise UserError(f"there is no GPU {absent[0]}; this machine has {count}, numbered from 0")
        self._gpus = [self._gpu(index) for index in chosen]

    def _gpu(self, index: int) -> tuple[Any, GpuFacts]:
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            name = _text(nvml.nvmlDeviceGetName(handle))
            uuid = _text(nvml.nvmlDeviceGetUUID(handle))
        except nvml.NVMLError as error:
            raise UserError(f"GPU {index} cannot be read ({error}); {_advice(nvml, error)}") from None
        partitioned = self._ask(nvml.nvmlDeviceGetMigMode, handle)
        if partitioned is not None and partitioned[0]:
            raise UserError(
                f"GPU {index} ({name}) is partitioned (MIG): the driver measures power only for the whole GPU, so"
                " energy cannot be divided among instances; leave it out with --gpu, or switch MIG off"
            )
        limit = self._ask(nvml.nvmlDeviceGetEnforcedPowerLimit, handle)
        counter = self._ask(nvml.nvmlDeviceGetTotalEnergyConsumption, handle)
        if counter is None and self._ask(nvml.nvmlDeviceGetPowerUsage, handle) is None:
            raise UserError(
                f"GPU {index} ({name}) reports neither energy nor power; its energy is unknown, leave it out with --gpu"
            )
        processes = self._ask(nvml.nvmlDeviceGetComputeRunningProcesses, handle) or ()
        return handle, GpuFacts(
            gpu=uuid,
            name=name,
            source="nvml",
            has_energy_counter=counter is not None,
            power_limit_watts=limit / 1000 if limit is not None else None,
            contended_by=max(0, len(processes) - 1),
        )

    def facts(self) -> tuple[GpuFacts, ...]:
        return tuple(facts for _, facts in self._gpus)

    def read(self) -> tuple[GpuReading, ...]:
        """One reading per GPU, each on an edge of its counter: the driver refreshes it every 20 to 100 ms, and only
        the moment of the refresh tells when the shown joules had been drawn. Takes up to `EDGE_WAIT_S`.
        """
        counters = {facts.gpu: self._counter(handle) for handle, facts in self._gpus if facts.has_energy_counter}
        moments: dict[str, float] = {}
        give_up = self._clock() + EDGE_WAIT_S
        while len(moments) < len(counters) and self._clock() < give_up:
            for handle, facts in self._gpus:
                if facts.gpu in counters and facts.gpu not in moments:
                    now = self._counter(handle)
                    if now != counters[facts.gpu]:
                        counters[facts.gpu] = now
                        moments[facts.gpu] = self._clock()
            self._sleep(POLL_S)
        readings = (
            self._read(handle, facts, counters.get(facts.gpu), moments.get(facts.gpu, self._clock()))
            for handle, facts in self._gpus
        )
        return tuple(reading for reading in readings if reading is not None)

    def _counter(self, handle: Any) -> int | None:
        value = self._ask(self._nvml.nvmlDeviceGetTotalEnergyConsumption, handle)
        return None if value is None else int(value)

    def _read(self, handle: Any, facts: GpuFacts, counter: int | None, at: float) -> GpuReading | None:
        nvml = self._nvml
        power = self._ask(nvml.nvmlDeviceGetPowerUsage, handle)
        if counter is None and (facts.has_energy_counter or power is None):
            return None
        limit = self._ask(nvml.nvmlDeviceGetEnforcedPowerLimit, handle)
        reasons = self._ask(nvml.nvmlDeviceGetCurrentClocksEventReasons, handle) or 0
        slowed = {word for name, word in SLOWDOWNS if reasons & getattr(nvml, name)}
        return GpuReading(
            gpu=facts.gpu,
            at=at,
            energy_joules=counter / 1000 if counter is not None else None,
            power_watts=power / 1000 if power is not None else None,
            power_limit_watts=limit / 1000 if limit is not None else None,
            slowed_by=tuple(sorted(slowed)),
        )

    def _ask(self, function: Callable[..., Any], handle: Any) -> Any:
        """What the driver answers, or None where this GPU does not support the question or is lost."""
        try:
            return function(handle)
        except self._nvml.NVMLError:
            return None

    def close(self) -> None:
        self._nvml.nvmlShutdown()


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _advice(nvml: Any, error: Exception) -> str:
    code = getattr(error, "value", None)
    if code == nvml.NVML_ERROR_NO_PERMISSION:
        return (
            "this user may not read it: add the user to the group that owns /dev/nvidia*, or run where the server runs"
        )
    if code in {nvml.NVML_ERROR_LIBRARY_NOT_FOUND, nvml.NVML_ERROR_DRIVER_NOT_LOADED}:
        return (
            "the driver was not found: run this on the server's machine, in a container with --gpus all, or name its"
            " exporter with --dcgm http://host:9400/metrics"
        )
    return "try nvidia-smi on this machine"
