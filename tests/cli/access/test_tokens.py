import json


def test_tokens_are_made_listed_and_revoked(run):
    run("user", "add", "ann", "owner")
    assert "no token is in force" in run("token", "list")
    assert "there is no user" in run("token", "create", "x", "--user", "bob", status=2)
    made = json.loads(run("token", "create", "ci", "--user", "ann", "--scope", "keys", "--json"))

    assert made["scopes"] == ["keys"]
    assert made["token"] not in run("token", "list")
    assert json.loads(run("token", "list", "--json"))["tokens"][0]["user"] == "ann"
    assert "revoked" in run("token", "revoke", "ci")
    assert "no token 'ci'" in run("token", "revoke", "ci", status=2)
