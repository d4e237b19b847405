"""NVIDIA's library, as far as modicum uses it, replaying recordings of a counter instead of asking a driver.

Names and error classes are those of the real bindings; `test_nvml` checks that they still exist there.
"""

from bisect import bisect_right
from dataclasses import dataclass, field


class NVMLError(Exception):
    def __init__(self, value, text="Unknown Error"):
        super().__init__(text)
        self.value = value


@dataclass
class FakeGpu:
    """One GPU. `counter` is (seconds, millijoules) at each refresh; None: no such counter."""

    name: str = "NVIDIA H100 80GB HBM3"
    uuid: str = "GPU-0"
    counter: list[tuple[float, int]] | None = None
    power_mw: int | None = 300_000
    limit_mw: int | None = 700_000
    mig: bool = False
    reasons: int = 0
    processes: int = 1
    lost: bool = False


@dataclass
class FakeNvml:
    """`clock` says what time it is; `denied` and `missing` stand for a machine that cannot be read."""

    gpus: list[FakeGpu] = field(default_factory=list)
    clock: object = lambda: 0.0
    denied: bool = False
    missing: bool = False

    NVMLError = NVMLError
    NVML_ERROR_NOT_SUPPORTED = 3
    NVML_ERROR_NO_PERMISSION = 4
    NVML_ERROR_DRIVER_NOT_LOADED = 9
    NVML_ERROR_LIBRARY_NOT_FOUND = 12
    NVML_ERROR_GPU_IS_LOST = 15
    nvmlClocksEventReasonSwPowerCap = 0x4  # noqa: N815 - as above
    nvmlClocksEventReasonSwThermalSlowdown = 0x20  # noqa: N815 - as above
    nvmlClocksEventReasonHwThermalSlowdown = 0x40  # noqa: N815 - as above
    nvmlClocksEventReasonHwPowerBrakeSlowdown = 0x80  # noqa: N815 - as above

    def nvmlInit(self):  # noqa: N802 - the library's name
        if self.missing:
            raise NVMLError(self.NVML_ERROR_LIBRARY_NOT_FOUND, "NVML Shared Library Not Found")
        if self.denied:
            raise NVMLError(self.NVML_ERROR_NO_PERMISSION, "Insufficient Permissions")

    def nvmlShutdown(self):  # noqa: N802
        pass

    def nvmlDeviceGetCount(self):  # noqa: N802
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index):  # noqa: N802
        return self.gpus[index]

    def nvmlDeviceGetName(self, gpu):  # noqa: N802
        return gpu.name

    def nvmlDeviceGetUUID(self, gpu):  # noqa: N802
        return gpu.uuid

    def nvmlDeviceGetMigMode(self, gpu):  # noqa: N802
        return (int(gpu.mig), int(gpu.mig))

    def nvmlDeviceGetEnforcedPowerLimit(self, gpu):  # noqa: N802
        return self._known(gpu, gpu.limit_mw)

    def nvmlDeviceGetPowerUsage(self, gpu):  # noqa: N802
        return self._known(gpu, gpu.power_mw)

    def nvmlDeviceGetComputeRunningProcesses(self, gpu):  # noqa: N802
        return [object()] * gpu.processes

    def nvmlDeviceGetCurrentClocksEventReasons(self, gpu):  # noqa: N802
        return gpu.reasons

    def nvmlDeviceGetTotalEnergyConsumption(self, gpu):  # noqa: N802
        counter = self._known(gpu, gpu.counter)
        return counter[max(0, bisect_right(counter, (self.clock(), float("inf"))) - 1)][1]

    def _known(self, gpu, value):
        if gpu.lost:
            raise NVMLError(self.NVML_ERROR_GPU_IS_LOST, "GPU is lost")
        if value is None:
            raise NVMLError(self.NVML_ERROR_NOT_SUPPORTED, "Not Supported")
        return value


class FakeClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self, at=0.0):
        self.at = at

    def __call__(self):
        return self.at

    def sleep(self, seconds):
        self.at += seconds


def steady_counter(watts, seconds, tick_s=0.1, start_mj=5_000_000):
    """A counter at constant power."""
    return [(n * tick_s, start_mj + int(watts * 1000 * n * tick_s)) for n in range(int(seconds / tick_s) + 1)]
