"""What a command says when its local AWS does not start."""

import sys

import click
import pytest

from ddb_assets.cli import main as root
from ddb_assets.local.process import LocalProcessError


def test_a_local_aws_that_did_not_start_is_one_message_and_exit_code_1(monkeypatch, capsys):
    """Its own words, no traceback of ours."""

    @click.command()
    def demo():
        raise LocalProcessError("the local AWS ended before it was ready: Error: no more disk")

    monkeypatch.setattr(root.LazyGroup, "get_command", lambda *_: demo)
    monkeypatch.setattr(sys, "argv", ["ddb-assets", "demo"])
    with pytest.raises(SystemExit) as ended:
        root.main()
    assert ended.value.code == root.EXIT_FAILED
    written = capsys.readouterr().err
    assert written == "ddb-assets: the local AWS ended before it was ready: Error: no more disk\n"
