"""Devices whose driver counts energy, read back to back: what meters of AMD, Intel and processors have in common."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from modicum.energy.samples import GpuFacts, GpuReading


class CountedDevice(NamedTuple):
    """One device, by the functions that read it. None: it does not answer this time, or never says."""

    facts: GpuFacts
    joules: Callable[[], float | None]
    watts: Callable[[], float | None]
    limit_watts: Callable[[], float | None]


class DeviceMeter:
    """A `Meter` over such devices."""

    def __init__(self, devices: Sequence[CountedDevice], clock: Callable[[], float] = time.monotonic) -> None:
        self._devices = tuple(devices)
        self._clock = clock

    def facts(self) -> tuple[GpuFacts, ...]:
        return tuple(device.facts for device in self._devices)

    def read(self) -> tuple[GpuReading, ...]:
        readings = (self._read(device) for device in self._devices)
        return tuple(reading for reading in readings if reading is not None)

    def _read(self, device: CountedDevice) -> GpuReading | None:
        before = self._clock()
        joules = device.joules()
        at = (before + self._clock()) / 2
        watts = device.watts()
        if joules is None and (device.facts.has_energy_counter or watts is None):
            return None
        return GpuReading(
            gpu=device.facts.gpu,
            at=at,
            energy_joules=joules,
            power_watts=watts,
            power_limit_watts=device.limit_watts(),
        )


class Unwrapped:
    """A counter that begins again at its end, as one that goes on."""

    def __init__(self, read: Callable[[], float | None], span: float) -> None:
        self._read = read
        self._span = span
        self._last: float | None = None
        self._rounds = 0

    def __call__(self) -> float | None:
        value = self._read()
        if value is None:
            return None
        if self._last is not None and value < self._last:
            self._rounds += 1
        self._last = value
        return value + self._rounds * self._span
