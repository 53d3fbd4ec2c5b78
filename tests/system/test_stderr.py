"""Libraries are kept quiet, the program itself is not."""

import os

import pytest

from nst_video.cli.console import say
from nst_video.system.stderr import quiet_stderr


def test_what_the_program_says_is_heard_while_libraries_are_quiet(
    capfd: pytest.CaptureFixture[str],
) -> None:
    say("before")
    with quiet_stderr():
        os.write(2, b"a library\n")
        say("within: 50 % of für")
        with quiet_stderr():
            os.write(2, b"another library\n")
            say("further within")
        os.write(2, b"a library again\n")
    say("after")
    os.write(2, b"heard again\n")
    heard = capfd.readouterr().err.splitlines()
    assert heard == ["before", "within: 50 % of für", "further within", "after", "heard again"]


def test_stderr_that_was_replaced_is_written_to(capsys: pytest.CaptureFixture[str]) -> None:
    with quiet_stderr():
        say("hello")
    assert capsys.readouterr().err == "hello\n"
