"""Labels of owners stay few, whatever callers call themselves, and show nothing of a key."""

from modicum.calls import Owner
from modicum.governance.owner_labels import EVERYBODY_ELSE, OTHER, OWN_KEYS, OwnerLabel, OwnerLabels


def test_who_came_first_has_a_label_and_the_rest_is_one():
    labels = OwnerLabels(3)

    own = [labels.label(Owner(team=f"t{number}", key=f"k{number}")) for number in range(3)]
    rest = {labels.label(Owner(team=f"t{number}", key=f"k{number}")) for number in range(3, 500)}

    assert own[1] == OwnerLabel("t1", "", "k1") == labels.label(Owner(team="t1", key="k1", user="ann"))
    assert rest == {EVERYBODY_ELSE}
    assert len(labels) == 3


def test_a_key_that_makes_up_teams_leaves_the_others_their_places():
    labels = OwnerLabels(200)

    made_up = {labels.label(Owner(team=f"made up {number}", key="loud")) for number in range(5000)}

    assert len(made_up) == 21
    assert OwnerLabel(OTHER, OTHER, "loud") in made_up
    assert labels.label(Owner(team="research", key="ci")) == OwnerLabel("research", "", "ci")


def test_own_keys_have_one_label_together_without_their_digests():
    labels = OwnerLabels(200)

    found = {labels.label(Owner(key=f"own-{number:08x}")) for number in range(50)}

    assert found == {OwnerLabel("", "", OWN_KEYS)}


def test_a_name_of_any_length_is_cut():
    assert len(OwnerLabels(5).label(Owner(team="x" * 10_000)).team) == 64
