import subprocess
import sys

import pytest

from modicum.gateway.process.workers import Board, State, Worker, forget, journal_name, read_state


@pytest.fixture
def boards(tmp_path):
    made = [Board(tmp_path / "workers", Worker(index, 3)) for index in range(3)]
    yield made
    for board in made:
        board.close()


def test_each_worker_sees_how_the_others_are(boards):
    boards[0].tell(State.READY)
    boards[1].tell(State.NOT_RECORDING)

    assert boards[0].others() == [State.NOT_RECORDING, State.ABSENT]
    assert boards[2].others() == [State.READY, State.NOT_RECORDING]


def test_one_that_died_is_absent_whatever_it_said_last(boards, tmp_path):
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom modicum.gateway.process.workers import *\n"
        "board = Board(Path(sys.argv[1]), Worker(1, 3))\nboard.tell(State.READY)\nos._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "workers")], check=False)

    assert boards[0].others() == [State.ABSENT, State.ABSENT]


def test_one_that_its_supervisor_forgot_is_absent_though_its_number_lives_again(boards, tmp_path):
    boards[1].tell(State.READY)
    boards[2].tell(State.READY)

    forget(tmp_path / "workers", 1)

    assert boards[0].others() == [State.ABSENT, State.READY]
    forget(tmp_path / "not there", 1)


def test_connections_are_left_to_a_ready_worker_that_has_fewer(boards):
    boards[1].tell(State.READY)
    boards[1].tell_connections(3)

    assert boards[0].others_have_fewer(4)
    assert not boards[0].others_have_fewer(3)
    boards[1].tell(State.DRAINING)
    assert not boards[0].others_have_fewer(4)


def test_the_first_worker_has_the_same_journal_however_many_there_are():
    assert (Worker().journal, Worker(0, 4).journal, Worker(1, 4).journal) == ("gateway", "gateway", "gateway-2")
    assert len({journal_name(index) for index in range(64)}) == 64


def test_workers_of_another_generation_are_no_siblings(tmp_path):
    old = [Board(tmp_path / "workers", Worker(index, 2)) for index in range(2)]
    new = [Board(tmp_path / "workers", Worker(index, 2, 1)) for index in range(2)]
    for board in old:
        board.tell(State.DRAINING)
    for board in new:
        board.tell(State.READY)

    assert new[0].others() == [State.READY]
    assert old[0].others() == [State.DRAINING]
    assert len({Worker(index, 64, generation).journal for index in range(64) for generation in range(2)}) == 128
    assert read_state(tmp_path / "workers", Worker(1, 2, 1).slot) is State.READY
    assert read_state(tmp_path / "workers", 77) is State.ABSENT
    assert read_state(tmp_path / "nowhere", 0) is State.ABSENT
    for board in (*old, *new):
        board.close()
