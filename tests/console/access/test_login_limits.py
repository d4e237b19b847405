from modicum.console.access.login_limits import MOST_NAMES, MOST_PER_ADDRESS, MOST_PER_NAME, WITHIN_S, LoginLimits


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_who_guesses_has_to_wait_and_others_do_not():
    clock = Clock()
    limits = LoginLimits(clock)
    for _ in range(MOST_PER_NAME):
        assert limits.wait_s("ann", "1.2.3.4") == 0
        limits.count_failure("ann", "1.2.3.4")

    assert limits.wait_s("ann", "5.6.7.8") == WITHIN_S
    assert limits.wait_s("bob", "1.2.3.4") == 0
    clock.now = WITHIN_S
    assert limits.wait_s("ann", "1.2.3.4") == 0


def test_an_address_cannot_try_one_name_after_another():
    limits = LoginLimits(Clock())
    for number in range(MOST_PER_ADDRESS):
        limits.count_failure(f"user{number}", "1.2.3.4")

    assert limits.wait_s("another", "1.2.3.4") > 0


def test_who_logged_in_starts_afresh_and_memory_is_bounded():
    limits = LoginLimits(Clock())
    for number in range(MOST_NAMES + 50):
        limits.count_failure(f"user{number}", f"address{number}")
    for _ in range(MOST_PER_NAME):
        limits.count_failure("ann", "1.2.3.4")
    limits.forget("ann")

    assert limits.wait_s("ann", "1.2.3.4") == 0
    assert len(limits._failures) <= MOST_NAMES
