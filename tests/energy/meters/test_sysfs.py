"""Counters of the kernel, by folders with the files that it writes."""

import pytest

from modicum.calls import UserError
from modicum.energy.meters.sysfs import open_intel_gpus, open_processors


def zone(root, name, kind, microjoules, most=262_143_328_850):
    folder = root / name
    folder.mkdir()
    for file, text in (("name", kind), ("energy_uj", str(microjoules)), ("max_energy_range_uj", str(most))):
        (folder / file).write_text(f"{text}\n")
    return folder


def test_packages_and_memory_are_read_and_parts_of_a_package_are_not_counted_twice(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    zone(tmp_path, "intel-rapl:0:0", "core", 3_000_000)
    zone(tmp_path, "intel-rapl:0:1", "dram", 1_000_000)
    zone(tmp_path, "intel-rapl:1", "psys", 9_000_000)

    meter = open_processors(tmp_path)

    assert {reading.gpu: reading.energy_joules for reading in meter.read()} == {"cpu:0": 5.0, "cpu:0:1": 1.0}
    assert {facts.source for facts in meter.facts()} == {"rapl"}


def test_a_counter_that_begins_again_goes_on(tmp_path):
    folder = zone(tmp_path, "intel-rapl:0", "package-0", 9_500_000, most=10_000_000)
    meter = open_processors(tmp_path)
    first = meter.read()[0].energy_joules
    (folder / "energy_uj").write_text("500000\n")

    assert meter.read()[0].energy_joules - first == pytest.approx(1.0)


def test_a_file_for_root_alone_says_what_to_type(tmp_path, monkeypatch):
    folder = zone(tmp_path, "intel-rapl:0", "package-0", 1)
    read_text = type(folder).read_text

    def refuse(path, *args, **kwargs):
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return read_text(path, *args, **kwargs)

    monkeypatch.setattr(type(folder), "read_text", refuse)

    with pytest.raises(UserError, match=r"CVE-2020-8694\): sudo chmod a\+r"):
        open_processors(tmp_path)


def test_a_machine_without_counters_says_so(tmp_path):
    with pytest.raises(UserError, match="leave --cpu out"):
        open_processors(tmp_path)
    with pytest.raises(UserError, match="no Intel GPU counts its energy"):
        open_intel_gpus(tmp_path)


def test_intel_gpus_are_found_by_their_driver(tmp_path):
    for name, driver, files in (
        ("hwmon0", "coretemp", {"temp1_input": "40000"}),
        ("hwmon1", "xe", {"energy1_input": "7500000", "power1_max": "190000000"}),
        ("hwmon2", "i915", {"energy2_input": "2500000", "power1_max": "0"}),
    ):
        folder = tmp_path / name
        folder.mkdir()
        for file, text in {"name": driver, **files}.items():
            (folder / file).write_text(text + "\n")

    card, package = open_intel_gpus(tmp_path).read()

    assert (card.energy_joules, card.power_limit_watts) == (7.5, 190)
    assert (package.energy_joules, package.power_limit_watts) == (2.5, None)
    with pytest.raises(UserError, match="there is no Intel GPU 2"):
        open_intel_gpus(tmp_path, [2])
