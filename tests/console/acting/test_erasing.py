import pytest

from ledger.samples import entry
from modicum.calls import Owner, UserError
from modicum.console.access.viewer import ForbiddenError
from modicum.console.acting.erasing import erase
from modicum.console.acting.keys import issue_key


def test_an_owner_erases_what_is_typed_twice(asking_as, store):
    store.append([entry("c1", owner=Owner(user="ada")), entry("c2", owner=Owner(user="bob"))])
    ann = asking_as("ann")
    issue_key(ann, Owner(user="ada", key="ci"))
    with pytest.raises(UserError, match="differ"):
        erase(ann, "user", "ada", "adda")
    gone = erase(ann, "user", "ada", "ada")

    assert (gone.calls, gone.keys) == (1, 1)
    assert [one.call.call_id for page in store.entries() for one in page] == ["c2"]
    with pytest.raises(ForbiddenError):
        erase(asking_as("eve"), "user", "bob", "bob")


def test_it_is_done_on_the_page_of_users(site, store):
    store.append([entry("c1", owner=Owner(user="ada"))])
    reply = site.post("/users/erase", site.log_in("ann"), part="user", name="ada", again="ada")

    assert "1 call and 0 keys" in reply.text
    assert list(store.entries()) == []
