from modicum.hooks.policy import ACTED, OBSERVED, HookPolicy, forget_policy, read_policy, write_policy


def test_a_policy_is_read_as_it_was_written_by_its_owner_alone(tmp_path):
    policy = HookPolicy(b"\0key", ("content.cut",), 0.25)

    write_policy(tmp_path / "new", "codex", policy)

    (file,) = (tmp_path / "new").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_policy(tmp_path / "new", "codex") == policy
    forget_policy(tmp_path / "new", "codex")
    assert read_policy(tmp_path / "new", "codex") is None


def test_nothing_acts_without_rules_and_nobody_is_held_out_at_no_share():
    assert HookPolicy(b"key").arm("s") == OBSERVED
    assert {HookPolicy(b"key", ("x",), 0.0).arm(str(number)) for number in range(50)} == {ACTED}


def test_digests_need_the_key():
    assert HookPolicy(b"a").digest("text", "x") != HookPolicy(b"b").digest("text", "x")
    assert HookPolicy(b"a").digest("text", "\ud800") != HookPolicy(b"a").digest("session", "\ud800")
