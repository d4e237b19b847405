"""From joules at the GPU to kilowatt-hours at the wall and grams of CO2, with factors that the user gives."""

import msgspec

from modicum.calls.errors import UserError

JOULES_PER_KWH = 3.6e6


SCI = "SCI, ISO/IEC 21031, as SCI for AI divides it: operation only, without the making of the hardware"
"""The method by which energy and carbon are divided by requests or outcomes."""


class PerUnit(msgspec.Struct, frozen=True):
    """Energy and carbon for each unit of use: a request, or an outcome."""

    joules: float
    grams_co2: float | None
    """None: no grid factor was given."""
    method: str = SCI


def divide(kilowatt_hours: float, grams_co2: float | None, units: float) -> PerUnit | None:
    """All that was drawn over all units of use, idle time included, as SCI asks; None where there was no unit."""
    if units <= 0:
        return None
    return PerUnit(kilowatt_hours * JOULES_PER_KWH / units, None if grams_co2 is None else grams_co2 / units)


class Facility(msgspec.Struct, frozen=True):
    """What stands around the GPUs. Nothing is assumed: a factor that nobody gave is 1, and the figure says so."""

    pue: float = 1.0
    """Power usage effectiveness: energy of the site over energy of its computers."""
    node_watts: float = 0.0
    """Power of the rest of the machine (processors, memory, fans), measured or from its data sheet."""
    grid_grams_per_kwh: float | None = None
    """CO2 equivalent of the electricity; None: no carbon figure."""

    def check(self) -> None:
        """Makes sure that the factors are possible ones.

        Raises:
            UserError: a factor is out of range.
        """
        if self.pue < 1:
            raise UserError(f"--pue is {self.pue}; a site cannot use less energy than its computers; give 1 or more")
        if self.node_watts < 0 or (self.grid_grams_per_kwh is not None and self.grid_grams_per_kwh < 0):
            raise UserError("--node-watts and --grid must be 0 or more")

    def kilowatt_hours(self, gpu_joules: float, seconds: float) -> float:
        return (gpu_joules + self.node_watts * seconds) * self.pue / JOULES_PER_KWH

    def grams_co2(self, gpu_joules: float, seconds: float) -> float | None:
        """Grams of CO2 equivalent; None where no grid factor was given."""
        if self.grid_grams_per_kwh is None:
            return None
        return self.kilowatt_hours(gpu_joules, seconds) * self.grid_grams_per_kwh

    @property
    def covers(self) -> str:
        """What the figures are of, in words."""
        parts = ["GPU"]
        if self.node_watts:
            parts.append("rest of the machine")
        if self.pue > 1:
            parts.append("site")
        return " + ".join(parts)
