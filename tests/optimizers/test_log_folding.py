from modicum.optimizers.log_folding import MARK, fold_log

LINES = [f"2026-01-02 10:00:{number % 60:02} INFO served request {number} in {number}ms" for number in range(200)]
RARE = ["2026-01-02 10:00:07 ERROR disk sda1 is full", "2026-01-02 10:01:09 WARN disk sdb2 is slow"]


def test_lines_of_one_template_are_one_line_and_a_count_and_rare_lines_all_stay():
    text = "\n".join([*LINES[:50], RARE[0], *LINES[50:], *RARE])

    folded = fold_log(text)

    assert folded.split("\n") == [
        f"{MARK}199 lines left out that differ from a line with (xN) in numbers and names with digits only]",
        f"{LINES[0]} (x200)",
        RARE[0],
        *RARE,
    ]


def test_other_texts_stay():
    code = "\n".join(f"    x{number} = {number}" for number in range(100))
    for text in (code, "\n".join(LINES[:10]), "\n".join([MARK, *LINES])):
        assert fold_log(text) == text


def test_lines_that_show_a_level_anywhere_are_a_log():
    lines = [f"worker-{number}: WARN request {number} was slow" for number in range(30)]

    assert fold_log("\n".join(lines)).count("\n") == 1
    assert fold_log("\n".join(lines).replace("WARN", "WARNED")).count("\n") == 29
