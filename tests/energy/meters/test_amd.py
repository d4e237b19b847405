"""AMD's bindings, by a stand-in: what they answer is written as their documentation has it."""

import pytest

from modicum.calls import UserError
from modicum.energy.meters.amd import open_amd


class FakeAmd:
    class AmdSmiException(Exception): ...  # noqa: N818 - the name in the bindings

    def __init__(self, *cards):
        self.cards = cards

    def amdsmi_init(self):
        if not self.cards:
            raise self.AmdSmiException("AMDSMI_STATUS_DRIVER_NOT_LOADED")

    def amdsmi_get_processor_handles(self):
        return list(range(len(self.cards)))

    def __getattr__(self, name):
        def ask(handle):
            if name not in self.cards[handle]:
                raise self.AmdSmiException("AMDSMI_STATUS_NOT_SUPPORTED")
            return self.cards[handle][name]

        return ask


MI300X = {
    "amdsmi_get_gpu_device_uuid": "d4ff74a1-0000-1000-8000-000000000001",
    "amdsmi_get_gpu_asic_info": {"market_name": "AMD Instinct MI300X"},
    "amdsmi_get_energy_count": {"energy_accumulator": 2_000_000, "counter_resolution": 15.3, "timestamp": 1},
    "amdsmi_get_power_info": {"current_socket_power": 412, "average_socket_power": "N/A"},
    "amdsmi_get_power_cap_info": {"power_cap": 750_000_000},
}


def test_joules_are_counts_times_their_resolution():
    (reading,) = open_amd(FakeAmd(MI300X)).read()

    assert reading.energy_joules == pytest.approx(30.6)
    assert (reading.power_watts, reading.power_limit_watts) == (412, 750)


def test_the_older_name_of_the_counter_and_limits_in_watts_are_read():
    old = MI300X | {
        "amdsmi_get_energy_count": {"power": 1_000_000, "counter_resolution": 15.3},
        "amdsmi_get_power_cap_info": {"power_cap": 300},
        "amdsmi_get_power_info": {"average_socket_power": 95},
    }

    (reading,) = open_amd(FakeAmd(old)).read()

    assert (reading.energy_joules, reading.power_limit_watts, reading.power_watts) == (pytest.approx(15.3), 300, 95)


def test_a_card_without_a_counter_is_read_by_power_and_says_so():
    card = {key: value for key, value in MI300X.items() if key != "amdsmi_get_energy_count"}
    meter = open_amd(FakeAmd(card))

    assert meter.facts()[0].has_energy_counter is False
    assert meter.read()[0].energy_joules is None


def test_some_cards_are_chosen_by_number():
    other = MI300X | {"amdsmi_get_gpu_device_uuid": "second"}

    assert [facts.gpu for facts in open_amd(FakeAmd(MI300X, other), [1]).facts()] == ["second"]


@pytest.mark.parametrize(
    ("cards", "indexes", "says"),
    [
        ((), None, "groups video and render"),
        ((MI300X,), [3], "there is no AMD GPU 3"),
        (({"amdsmi_get_gpu_asic_info": {"market_name": "x"}},), None, "neither energy nor power"),
    ],
)
def test_what_cannot_be_read_says_why(cards, indexes, says):
    with pytest.raises(UserError, match=says):
        open_amd(FakeAmd(*cards), indexes)


def test_a_card_that_stops_answering_is_left_out_of_a_reading():
    card = dict(MI300X)
    meter = open_amd(FakeAmd(card))
    del card["amdsmi_get_energy_count"]

    assert meter.read() == ()
