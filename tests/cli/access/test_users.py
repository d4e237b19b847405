import io
import json
import sys

from modicum.console.access.access_file import AccessFile
from modicum.governance.access.passwords import check_password
from modicum.settings import state_folder


def test_users_are_added_listed_and_removed(run):
    assert "modicum user add NAME owner" in run("user", "list")
    assert "role owner" in run("user", "add", "bob", "viewer:search", status=2)
    link = run("user", "add", "ann", "owner")
    added = json.loads(run("user", "add", "bob", "viewer:search", "editor:web", "--json"))

    assert "/login/link?link=ml_" in link
    assert added["roles"] == {"search": "viewer", "web": "editor"}
    assert json.loads(run("user", "add", "bob", "viewer", "--json"))["link"] is None
    assert "viewer" in run("user", "list")
    assert [one["name"] for one in json.loads(run("user", "list", "--json"))["users"]] == ["ann", "bob"]
    assert json.loads(run("user", "remove", "bob", "--json"))["removed"]
    assert "there is no user" in run("user", "remove", "bob", status=2)


def test_a_link_and_a_password_are_for_users_there_are(run, monkeypatch):
    run("user", "add", "ann", "owner")
    assert "ml_" in run("user", "link", "ann", "--hours", "2")
    assert "no user" in run("user", "link", "anna", status=2)
    monkeypatch.setattr(sys, "stdin", io.StringIO("four words are easy\n"))
    assert json.loads(run("user", "password", "ann", "--json"))["password"] == "set"
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert "no password came" in run("user", "password", "ann", status=2)
    access = AccessFile(state_folder())
    assert check_password("four words are easy", access.current().users.find("ann").password)
    access.close()
