"""Energy that the Linux kernel counts: processors (RAPL, through powercap) and Intel's GPUs (hwmon of i915 and xe).

No bindings are needed: the files are part of the kernel's documented interface. (Intel's Python bindings for Level
Zero, pyzes, are at 0.1 and read the same counter.) Tested with files as the kernel writes them, not on such hardware.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from modicum.calls.errors import UserError
from modicum.energy.meters.counted_devices import CountedDevice, DeviceMeter, Unwrapped
from modicum.energy.samples import GpuFacts

POWERCAP = Path("/sys/class/powercap")
HWMON = Path("/sys/class/hwmon")
MICRO = 1e-6
INTEL_DRIVERS = {"i915", "xe"}


def open_processors(root: Path = POWERCAP) -> DeviceMeter:
    """Processors and, where it is counted apart, their memory.

    Raises:
        UserError: nothing is counted here, or this user may not read it.
    """
    # Cores and graphics of a package are in the package; `psys` is the whole machine, packages included.
    zones = [zone for zone in sorted(root.glob("intel-rapl:*")) if _read_text(zone / "name") is not None]
    counted = [zone for zone in zones if _is_counted(_read_text(zone / "name") or "")]
    if not counted:
        raise UserError(
            f"no processor counts its energy in {root} (RAPL; virtual machines seldom show it); leave --cpu out"
        )
    return DeviceMeter([_open_zone(zone) for zone in counted])


def _is_counted(name: str) -> bool:
    return name.startswith("package") or name == "dram"


def _open_zone(zone: Path) -> CountedDevice:
    name = _read_text(zone / "name") or ""
    energy = zone / "energy_uj"
    try:
        energy.read_text()
    except PermissionError:
        raise UserError(
            f"{energy} may be read by root alone (since CVE-2020-8694): sudo chmod a+r {energy}, or run as root"
        ) from None
    except OSError as error:
        raise UserError(f"{energy} cannot be read ({error.strerror}); leave --cpu out") from None
    span = (_read_number(zone / "max_energy_range_uj") or 0.0) * MICRO
    facts = GpuFacts(
        f"cpu:{zone.name.removeprefix('intel-rapl:')}", f"processor {name}", "rapl", has_energy_counter=True
    )
    return CountedDevice(facts, Unwrapped(_joules_of(energy), span), _unknown, _unknown)


def open_intel_gpus(root: Path = HWMON, indexes: Sequence[int] | None = None) -> DeviceMeter:
    """Intel's GPUs of this machine, or those with the given numbers.

    Raises:
        UserError: there is none that counts its energy.
    """
    found = [place for place in sorted(root.glob("hwmon*")) if _read_text(place / "name") in INTEL_DRIVERS]
    found = [place for place in found if _find_energy(place) is not None]
    if not found:
        raise UserError(
            f"no Intel GPU counts its energy in {root} (drivers i915 and xe, from Linux 6.2 on, seldom built-in)"
        )
    chosen = range(len(found)) if indexes is None else indexes
    absent = [index for index in chosen if not 0 <= index < len(found)]
    if absent:
        raise UserError(f"there is no Intel GPU {absent[0]}; this machine has {len(found)}, numbered from 0")
    return DeviceMeter([_open_intel(found[index]) for index in chosen])


def _find_energy(place: Path) -> Path | None:
    """The card's counter; on some cards only the package has one."""
    return next((place / name for name in ("energy1_input", "energy2_input") if (place / name).exists()), None)


def _open_intel(place: Path) -> CountedDevice:
    energy = _find_energy(place)
    assert energy is not None  # noqa: S101 - places without were left out
    if _read_number(energy) is None:
        raise UserError(f"{energy} cannot be read; sudo chmod a+r {energy}, or leave this GPU out with --gpu")

    def limit_watts() -> float | None:
        limit = _read_number(place / "power1_max")
        return limit * MICRO if limit else None

    device = place / "device"
    address = device.resolve().name if device.exists() else place.name
    facts = GpuFacts(
        f"intel:{address}",
        f"Intel GPU {address}",
        "intel-hwmon",
        has_energy_counter=True,
        power_limit_watts=limit_watts(),
    )
    return CountedDevice(facts, _joules_of(energy), _unknown, limit_watts)


def _joules_of(path: Path) -> Callable[[], float | None]:
    def joules() -> float | None:
        value = _read_number(path)
        return None if value is None else value * MICRO

    return joules


def _unknown() -> None:
    return None


def _read_text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _read_number(path: Path) -> float | None:
    text = _read_text(path)
    return float(text) if text is not None and text.isdecimal() else None
