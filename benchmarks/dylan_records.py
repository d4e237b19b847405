"""Reads DyLAN's recorded MMLU teams (SALT-NLP/DyLAN, MIT) as rows of a team recording.

Three things need care. A run that was broken off and begun again left its first replies in the file, so that some files
hold more lines than questions: each question's line is found by the importance scores that were written for it, which
say who spoke and who gave the team's answer. Gold answers are not stored: a letter counts as gold where one of the four
recorded teams gave it and was marked right. Where none was right, gold stays unknown and the outcome (wrong) is kept.
"""

import ast
import json
import re
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modicum.agents.recordings import ReadMessage, RecordedRow

AGENTS = ("Economist", "Doctor", "Lawyer", "Mathematician", "Psychologist", "Programmer", "Historian")
SIZES = (7, 4, 3, 2)
ROUNDS = 3


@dataclass(frozen=True)
class Question:
    """One question as one recorded team met it."""

    replies: list[list[str | None]]
    """[agent][round], None where the agent was not called."""
    answer: str
    right: bool
    calls_count: int


@contextmanager
def unpacked(data: Path):
    """The folder with `mmlu_optimal7_7` in it, from a folder that holds it, or its archive, at any depth."""
    if data.is_dir() and (found := next(data.rglob("mmlu_optimal7_7"), None)):
        yield found.parent
        return
    archive = data if data.is_file() else next(data.rglob("dylan*.tar.gz"), None)
    if archive is None:
        raise SystemExit(
            f"{data} holds neither dylan-mmlu.tar.gz nor a folder mmlu_optimal7_7: give another --data DIR"
        )
    with tempfile.TemporaryDirectory() as folder, tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
        yield next(Path(folder).rglob("mmlu_optimal7_7")).parent


def letter(reply: str | None) -> str | None:
    """The option a reply chose, by the rule that the recording itself was graded by: the last "(C)", else "C)"."""
    found = reply and (re.findall(r"\(([ABCDabcd])\)", reply) or re.findall(r"([ABCDabcd])\)", reply))
    return found[-1].upper() if found else None


def subjects(folder: Path) -> list[str]:
    """Subjects that teams of all four sizes have answered."""
    named = [
        {path.stem.removesuffix(f"_{size}3") for path in (folder / f"mmlu_optimal7_{size}").glob(f"*_{size}3.json")}
        for size in SIZES
    ]
    return sorted(set.intersection(*named))


def load(folder: Path, subject: str) -> tuple[dict[int, list[Question | None]], list[str | None]]:
    """Each team's questions (None where no line fits), and the gold letters that can be inferred."""
    small = {size: team_questions(folder, subject, size) for size in SIZES[1:]}
    count = len(small[4])
    gold = [inferred_gold([small[size][index] for size in small]) for index in range(count)]
    wrong = [
        {one[index].answer for one in small.values() if one[index] and not one[index].right} for index in range(count)
    ]
    teams = {7: team_questions(folder, subject, 7, list(zip(gold, wrong, strict=True))), **small}
    return teams, [inferred_gold([teams[size][index] for size in SIZES]) for index in range(count)]


def inferred_gold(questions) -> str | None:
    return next((one.answer for one in questions if one is not None and one.right), None)


def team_questions(folder: Path, subject: str, size: int, known=None) -> list[Question | None]:
    stem = folder / f"mmlu_optimal7_{size}" / f"{subject}_{size}3"
    text = stem.with_suffix(".txt").read_text().split("\n")
    right = ast.literal_eval(text[0][: text[0].index("]") + 1])
    importance = json.loads(text[2])
    lines = [json.loads(line) for line in stem.with_suffix(".json").read_text().strip().split("\n")]
    fits = [[fit(line, scores, size) for line in lines] for scores in importance]
    for index, (gold, wrong) in enumerate(known or []):
        for place, found in enumerate(fits[index]):
            agrees = found is None or found[0] == gold or (gold is None and found[0] not in wrong)
            if found and ((right[index] and not agrees) or (not right[index] and found[0] == gold)):
                fits[index][place] = None
    questions: list[Question | None] = [None] * len(right)
    for index, place in aligned(fits):
        answer, last = fits[index][place]
        spoke = sum(reply is not None for agent in lines[place] for reply in agent)
        # Before the third round a ranking call chooses who goes on, in teams of more than three.
        calls = spoke + (last == 2 and size > 3)
        questions[index] = Question(lines[place], answer, right[index], calls)
    return questions


def fit(line, scores, size) -> tuple[str, int] | None:
    """The team's answer and its last round, if the importance scores can be those of this line."""
    spoke = [[line[agent][number] is not None for agent in range(size)] for number in range(ROUNDS)]
    last = max((number for number in range(ROUNDS) if any(spoke[number])), default=-1)
    if last < 0 or any(
        scores[agent + size * number] and not spoke[number][agent] for agent in range(size) for number in range(ROUNDS)
    ):
        return None
    given = {agent: letter(line[agent][last]) for agent in range(size) if spoke[last][agent]}
    winners = {agent for agent in given if scores[agent + size * last] > 0}
    answers = {given[agent] for agent in winners}
    if len(answers) != 1:
        return None
    answer = answers.pop()
    return (answer or "", last) if {agent for agent in given if given[agent] == answer} == winners else None


def aligned(fits) -> list[tuple[int, int]]:
    """The longest list of (question, line) in the order of both."""
    rows, columns = len(fits), len(fits[0])
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    for row in reversed(range(rows)):
        for column in reversed(range(columns)):
            here = 1 + best[row + 1][column + 1] if fits[row][column] else 0
            best[row][column] = max(best[row + 1][column], best[row][column + 1], here)
    pairs, row, column = [], 0, 0
    while row < rows and column < columns:
        if fits[row][column] and best[row][column] == 1 + best[row + 1][column + 1]:
            pairs.append((row, column))
            row, column = row + 1, column + 1
        elif best[row][column] == best[row][column + 1]:
            column += 1
        else:
            row += 1
    return pairs


def rows_of(subject: str, index: int, question: Question, gold: str | None) -> list[RecordedRow]:
    """One recorded question of the team of seven. In the first round nobody reads; later everybody reads the others."""
    run = f"{subject}/{index}"
    rows, calls = [], 0
    spoke = [
        [name for agent, name in enumerate(AGENTS) if question.replies[agent][number] is not None]
        for number in range(ROUNDS)
    ]
    for number in range(ROUNDS):
        reads = tuple(ReadMessage(name, number) for name in spoke[number - 1]) if number else ()
        for agent, name in enumerate(AGENTS):
            reply = question.replies[agent][number]
            if reply is None:
                continue
            calls += 1
            rows.append(
                RecordedRow(
                    run=run,
                    team="dylan-7",
                    task=run,
                    group=subject,
                    agent=name,
                    round=number + 1,
                    step=len(rows),
                    answer=letter(reply),
                    reads=reads,
                )
            )
    extra = question.calls_count - calls
    if extra:  # the ranking call is charged to the last turn, without which it would not have been made
        rows[-1] = RecordedRow(
            **{**{field: getattr(rows[-1], field) for field in RecordedRow.__struct_fields__}, "calls_count": 1 + extra}
        )
    rows.append(
        RecordedRow(
            run=run,
            team="dylan-7",
            task=run,
            group=subject,
            answer=question.answer,
            outcome=float(question.right),
            gold=gold,
        )
    )
    return rows
