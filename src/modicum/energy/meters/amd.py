"""Power and energy of AMD GPUs through AMD's own bindings (`amdsmi`, which come with ROCm in its version).

Tested with a stand-in for the bindings, not on a card. The counter stands still on some cards and firmware (ROCm/amdsmi
issue 22); such time is left out and reported, like any counter that does not move.
"""

from collections.abc import Callable, Sequence
from typing import Any

from modicum.calls.errors import UserError
from modicum.energy.meters.counted_devices import CountedDevice, DeviceMeter
from modicum.energy.samples import GpuFacts

MICRO = 1e-6
MOST_WATTS = 10_000
"""Limits come in watts or in microwatts, by version; no card takes so many watts."""


def library() -> Any:
    """AMD's bindings.

    Raises:
        UserError: they are not installed.
    """
    try:
        # An extra that only machines with AMD GPUs have.
        import amdsmi  # type: ignore[import-not-found,unused-ignore]
    except (ImportError, OSError, KeyError) as error:
        raise UserError(
            f"reading AMD GPUs needs the package amdsmi in the version of the installed ROCm ({error}):"
            " pip install amdsmi, or that of /opt/rocm/share/amd_smi"
        ) from None
    return amdsmi


def open_amd(amdsmi: Any, indexes: Sequence[int] | None = None) -> DeviceMeter:
    """All AMD GPUs of this machine, or those with the given numbers. `amdsmi` is `library()` or its stand-in.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    try:
        amdsmi.amdsmi_init()
        handles = list(amdsmi.amdsmi_get_processor_handles())
    except amdsmi.AmdSmiException as error:
        raise UserError(
            f"no AMD GPU can be read here ({error}); add this user to the groups video and render, or try amd-smi list"
        ) from None
    chosen = range(len(handles)) if indexes is None else indexes
    if not handles:
        raise UserError("this machine has no AMD GPU that its driver shows; try amd-smi list")
    absent = [index for index in chosen if not 0 <= index < len(handles)]
    if absent:
        raise UserError(f"there is no AMD GPU {absent[0]}; this machine has {len(handles)}, numbered from 0")
    return DeviceMeter([_open_device(amdsmi, handles[index], index) for index in chosen])


def _open_device(amdsmi: Any, handle: Any, index: int) -> CountedDevice:
    def ask(name: str) -> Any:
        try:
            return getattr(amdsmi, name)(handle)
        except (amdsmi.AmdSmiException, AttributeError):
            return None

    def joules() -> float | None:
        found = ask("amdsmi_get_energy_count") or {}
        # The counter was called `power` up to ROCm 6.1.
        count = _number(found.get("energy_accumulator", found.get("power")))
        resolution = _number(found.get("counter_resolution"))
        return count * resolution * MICRO if count is not None and resolution is not None else None

    def watts() -> float | None:
        found = ask("amdsmi_get_power_info") or {}
        names = ("current_socket_power", "average_socket_power", "socket_power")
        return next((watts for name in names if (watts := _number(found.get(name)))), None)

    def limit_watts() -> float | None:
        limit = _number((ask("amdsmi_get_power_cap_info") or {}).get("power_cap"))
        if not limit:
            return None
        return limit if limit < MOST_WATTS else limit * MICRO

    name = (ask("amdsmi_get_gpu_asic_info") or {}).get("market_name") or "AMD GPU"
    facts = GpuFacts(
        gpu=ask("amdsmi_get_gpu_device_uuid") or f"amd{index}",
        name=str(name),
        source="amdsmi",
        has_energy_counter=joules() is not None,
        power_limit_watts=limit_watts(),
    )
    _check_readable(facts, watts)
    return CountedDevice(facts, joules, watts, limit_watts)


def _check_readable(facts: GpuFacts, watts: Callable[[], float | None]) -> None:
    if not facts.has_energy_counter and watts() is None:
        raise UserError(f"{facts.name} ({facts.gpu}) reports neither energy nor power: leave it out with --gpu")


def _number(value: Any) -> float | None:
    """Bindings write `N/A` where the card does not say."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
