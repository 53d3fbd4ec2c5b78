import hashlib
from collections.abc import Mapping

import pytest
from typer.testing import CliRunner

from nst_video import weights
from nst_video.cli.models import app
from nst_video.errors import HashMismatchError, ModelMissingError, UsageError
from nst_video.system import paths as folders

run = CliRunner()


@pytest.fixture
def lite_dir(assets):
    return assets / "models"


def test_list_tells_what_is_at_hand(lite_dir):
    without = run.invoke(app, ["list"], catch_exceptions=False)
    with_dir = run.invoke(app, ["list", "--models-dir", str(lite_dir)], catch_exceptions=False)
    state = [
        {line.split("  ")[0].strip(): line for line in each.stdout.splitlines()}
        for each in (without, with_dir)
    ]
    assert set(state[0]) == set(weights.ALL_MODELS)
    assert "to fetch" in state[0]["magenta-lite"]
    assert "available" in state[1]["magenta-lite"]
    for word in ("3.2 MB", "Apache-2.0"):
        assert word in state[1]["magenta-lite"]
    assert "94.1 MB" in state[1]["magenta"]


def test_fetch_from_a_folder_installs_and_path_finds(lite_dir):
    fetched = run.invoke(app, ["fetch", "magenta-lite", "--from", str(lite_dir)])
    assert fetched.exit_code == 0, fetched.output
    paths = fetched.stdout.split()
    assert len(paths) == 2
    assert all(path.startswith(str(folders.cache_dir())) for path in paths)
    assert run.invoke(app, ["path", "magenta-lite"]).stdout.split() == paths


def test_fetch_refuses_a_wrong_file_unless_trusted(lite_dir, tmp_path):
    source = lite_dir / "magenta-lite" / "style_predict_quantized_256.tflite"
    for name in ("style_predict_quantized_256.tflite", "style_transfer_f16_384.tflite"):
        (tmp_path / name).write_bytes(source.read_bytes() + b"!")
    command = ["fetch", "magenta-lite", "--from", str(tmp_path)]
    assert isinstance(run.invoke(app, command).exception, HashMismatchError)
    trusted = run.invoke(app, [*command, "--trust"])
    assert trusted.exit_code == 0, trusted.output
    assert "SHA-256 not checked" in trusted.stderr


def test_fetch_downloads_with_progress_on_stderr(monkeypatch):
    # What `resolve` does on the network is tested with a server; here: what the command shows.
    seen = []

    def resolve(name, *, offline, trust, on_progress):
        seen.append((name, offline, trust))
        on_progress(weights.FetchProgress("net.tflite", 10, 10))
        return {"predictor": folders.cache_dir() / "net.tflite"}

    monkeypatch.setattr(weights, "resolve", resolve)
    done = run.invoke(app, ["fetch", "magenta-lite"], catch_exceptions=False)
    assert done.stdout == f"{folders.cache_dir() / 'net.tflite'}\n"
    assert seen == [("magenta-lite", False, False)]


def test_fetch_offline_and_path_say_what_is_missing():
    for command in (["fetch", "magenta-lite", "--offline"], ["path", "magenta-lite"]):
        error = run.invoke(app, command).exception
        assert isinstance(error, ModelMissingError)
        assert "models fetch magenta-lite --from DIR" in str(error)


@pytest.mark.parametrize("command", ["fetch", "path", "verify"])
def test_commands_refuse_unknown_models(command):
    error = run.invoke(app, [command, "magneta"]).exception
    assert isinstance(error, UsageError)
    assert "magenta-lite" in str(error)


def test_verify_lists_files_and_fails_for_a_damaged_one(lite_dir):
    run.invoke(app, ["fetch", "magenta-lite", "--from", str(lite_dir)])
    good = run.invoke(app, ["verify", "magenta-lite"])
    assert good.exit_code == 0, good.output
    for line in good.stdout.splitlines():
        word, sha256, path = line.split()[:3]
        with open(path, "rb") as file:  # noqa: PTH123 - a path as printed
            assert (word, sha256) == ("ok", hashlib.file_digest(file, "sha256").hexdigest())
    with open(path, "ab") as file:  # noqa: PTH123 - a path as printed
        file.write(b"!")
    bad = run.invoke(app, ["verify"])
    assert bad.exit_code == 1
    assert "expected" in bad.stderr
    assert isinstance(run.invoke(app, ["verify", "magenta"]).exception, ModelMissingError)


def test_verify_of_all_passes_over_what_is_not_there():
    done = run.invoke(app, ["verify"])
    assert (done.exit_code, "magenta: " in done.stderr) == (0, True)


def test_table_is_what_the_commands_read():
    assert isinstance(weights.MODELS, Mapping)
