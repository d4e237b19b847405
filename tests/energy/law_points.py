"""Points of a bench that obey a known law."""

from modicum.energy.bench import BenchPoint


def made(concurrency, joules, *, prompt=512.0, output=128.0, watts=None, limit=700.0, repeat=1, speed=None):
    between = 0.008 + 0.0001 * concurrency
    speed = speed or concurrency / between
    return BenchPoint(
        concurrency=concurrency,
        repeat=repeat,
        seconds=15.0,
        prompt_tokens=prompt,
        output_tokens=output,
        finished=100,
        failures=0,
        time_to_first_token_s=(0.1, 0.3),
        time_between_tokens_s=(between, 2 * between),
        tokens_per_second=speed,
        tokens_per_second_each=speed / concurrency,
        joules=None if joules is None else joules * speed * 15,
        joules_per_generated_token=joules,
        tokens_per_watt=None if joules is None else 1 / joules,
        mean_watts=watts if watts is not None or joules is None else joules * speed,
        power_limit_watts=limit,
    )


def dense(batches=(1, 2, 4, 8, 16, 32, 64, 128), e0=0.07, e1=3.1):
    return [made(batch, e0 + e1 / batch) for batch in batches]
