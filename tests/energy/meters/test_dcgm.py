import pytest

from modicum.calls import UserError
from modicum.energy.meters import dcgm
from modicum.energy.servers.exposition import parse_exposition

PAGE = """\
# HELP DCGM_FI_DEV_POWER_USAGE Power draw (in W).
DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-a",modelName="NVIDIA H100 80GB HBM3",Hostname="n1"} 431.5
DCGM_FI_DEV_POWER_USAGE{gpu="1",UUID="GPU-b",modelName="NVIDIA H100 80GB HBM3",Hostname="n1"} 112.0
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-a",modelName="NVIDIA H100 80GB HBM3",Hostname="n1"} 5000000
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="1",UUID="GPU-b",modelName="NVIDIA H100 80GB HBM3",Hostname="n1"} 7000000
"""


def test_joules_and_watts_of_every_gpu_are_read():
    first, second = dcgm.readings("http://n1:9400/metrics", parse_exposition(PAGE), 12.0)

    assert (first.gpu, first.energy_joules, first.power_watts, first.at) == ("GPU-a", 5000.0, 431.5, 12.0)
    assert second.energy_joules == 7000.0
    assert [facts.name for facts in dcgm.facts("n1", parse_exposition(PAGE))] == ["NVIDIA H100 80GB HBM3"] * 2


def test_a_page_without_energy_says_which_field_to_enable():
    with pytest.raises(UserError, match="enable that field"):
        dcgm.readings("n1", parse_exposition('DCGM_FI_DEV_POWER_USAGE{gpu="0"} 1\n'), 0.0)


def test_a_partitioned_gpu_is_refused():
    page = 'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-a",GPU_I_ID="3"} 1\n'

    with pytest.raises(UserError, match="MIG"):
        dcgm.readings("n1", parse_exposition(page), 0.0)


def test_a_gpu_without_uuid_is_named_by_host_and_number():
    (reading,) = dcgm.readings("n1", parse_exposition('DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="2"} 1000\n'), 0.0)

    assert reading.gpu == "n1/gpu2"
