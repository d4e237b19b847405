"""The command before it is loaded."""

import pytest

from modicum.__main__ import main


def test_ctrl_c_while_it_loads_leaves_no_trace(monkeypatch, capsys):
    def stopped(name, *_):
        raise KeyboardInterrupt(name)

    monkeypatch.setattr("builtins.__import__", stopped)
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 130
    assert capsys.readouterr().err == "stopped\n"
