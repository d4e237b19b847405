def test_without_budgets_one_is_told_what_to_do(modicum):
    ran = modicum("budget", "raise", "any", "--to", "5", "--until", "4h", "--why", "x")

    assert (ran.status, "add [[budget]] to modicum.toml" in ran.err) == (2, True)
