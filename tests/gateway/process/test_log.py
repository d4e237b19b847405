import json
import logging

from modicum.gateway.process.log import take_over


def test_what_a_library_logs_is_a_line_of_ours_without_its_traceback(capfd):
    take_over("some.library")
    logger = logging.getLogger("some.library")

    logger.error("it failed\n", exc_info=ValueError("my-secret-prompt"))
    logger.warning("Invalid HTTP request received.")

    (line,) = capfd.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["event"], told["by"], told["said"]) == ("told", "some.library", "it failed")
    assert "secret" not in line
