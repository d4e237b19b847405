from modicum.console.access.login_limits import MOST_NAMES, MOST_PER_ADDRESS, MOST_PER_NAME, WITHIN_S, LoginLimits


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_who_guesses_has_to_wait_and_others_do_not():
    clock = Clock()
    limits = LoginLimits(clock)
    for _ in range(MOST_PER_NAME):
        assert limits.begin_try("ann", "1.2.3.4") == 0

    assert limits.begin_try("ann", "5.6.7.8") == WITHIN_S
    assert limits.begin_try("bob", "1.2.3.4") == 0
    clock.now = WITHIN_S
    assert limits.begin_try("ann", "1.2.3.4") == 0


def test_an_address_cannot_try_one_name_after_another():
    limits = LoginLimits(Clock())
    for number in range(MOST_PER_ADDRESS):
        limits.begin_try(f"user{number}", "1.2.3.4")

    assert limits.begin_try("another", "1.2.3.4") > 0


def test_who_logs_in_again_and_again_does_not_shut_out_others_of_that_address():
    limits = LoginLimits(Clock())
    for number in range(2 * MOST_PER_ADDRESS):
        assert limits.begin_try(f"user{number}", "1.2.3.4") == 0
        limits.forget(f"user{number}", "1.2.3.4")

    assert limits.begin_try("another", "1.2.3.4") == 0


def test_who_logged_in_starts_afresh_and_memory_is_bounded():
    limits = LoginLimits(Clock())
    for number in range(MOST_NAMES + 50):
        limits.begin_try(f"user{number}", f"address{number}")
    for _ in range(MOST_PER_NAME):
        limits.begin_try("ann", "1.2.3.4")
    limits.forget("ann", "1.2.3.4")

    assert limits.begin_try("ann", "1.2.3.4") == 0
    assert len(limits._failures) <= MOST_NAMES
