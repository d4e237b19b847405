import pytest

from modicum.calls import UserError
from modicum.governance.limits import RateUnit
from modicum.settings import limits_of, read_settings

UPSTREAM = '[upstreams.main]\nurl = "http://127.0.0.1:1/v1"\nspeaks = "openai"\n'


def read(tmp_path, rows):
    path = tmp_path / "modicum.toml"
    path.write_text(UPSTREAM + rows)
    return read_settings({"MODICUM_CONFIG": str(path)})


def test_limits_are_read(tmp_path):
    (limit,) = limits_of(
        read(tmp_path, '[[limit]]\nname = "a"\ncalls_per_minute = 0\ncalls_at_once = 4\nkey = "*"\nqueue = 3\n').limit
    )
    assert limit.most == {RateUnit.CALLS: 0, RateUnit.AT_ONCE: 4}
    assert (limit.key, limit.queue, limit.queue_s) == ("*", 3, 5.0)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('name = "a"', r"modicum\.toml:4: limit 'a': calls_per_minute or another limit must be set"),
        ('name = "a"\ncalls_per_minute = -1', r"modicum\.toml:6: limit 'a': calls_per_minute is a number from 0 to"),
        ('name = "a"\ntokens_per_minute = 99999999999999', "tokens_per_minute is a number from 0 to 1,000,000,000,000"),
        ('name = "a"\ncalls_at_once = 1.5', "calls_at_once"),
        ('name = "a"\ncalls_at_once = 1\nqueue = -1', "queue is a number of calls from 0 to 10,000"),
        ('name = "a"\ncalls_at_once = 1\nqueue_s = inf', "queue_s is a number of seconds from 0 to 300"),
        ('name = "a"\ncalls_at_once = 1\nqueue_s = nan', "queue_s is a number"),
        ('name = "a"\ncalls_at_once = 1\nupstream = "x"', "upstream is 'x'; it takes '\\*' or one of: main"),
        ('name = ""\ncalls_at_once = 1', "name must be"),
        ('name = "a"\ncalls_at_once = 1\n[[limit]]\nname = "a"\ncalls_at_once = 1', "'a' comes twice"),
        ('name = "a"\ncalls_per_hour = 1', "calls_per_hour"),
    ],
)
def test_a_wrong_limit_is_refused_with_its_place(tmp_path, row, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, f"[[limit]]\n{row}\n")
