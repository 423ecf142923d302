"""Set-up and start on a machine that lacks something: one sentence, no traceback, exit code 3."""

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from apotheca.refusals import CannotRun, of_os_error
from apotheca.system import System

ROOT = Path(__file__).parents[3]
UNREACHABLE = "http://127.0.0.1:9/simple"


def test_without_a_network_set_up_says_so_in_one_sentence(tmp_path):
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if name.startswith("tests/") or not (ROOT / name).is_file():
            continue
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_", "VIRTUAL_"))
    }
    environment |= {
        "UV_DEFAULT_INDEX": UNREACHABLE,
        "PIP_INDEX_URL": UNREACHABLE,
        "PIP_NO_INDEX": "",
        "PIP_RETRIES": "0",
        "UV_HTTP_RETRIES": "0",
        "UV_CACHE_DIR": str(tmp_path / "empty-cache"),
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        ["bash", "deploy/setup.sh"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "the package index could not be reached; check the network" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_disk_without_room_is_refused_before_anything_is_started():
    with pytest.raises(CannotRun, match="Only 0 MB are free") as refusal:
        System(Path("/proc"))._check_disk()
    assert refusal.value.exit_code == 3


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.ENOSPC, "The disk is full"), (errno.EROFS, "may not be written"), (errno.EMFILE, "The operating system refused")],
)  # fmt: skip
def test_what_the_operating_system_refuses_is_said_in_a_sentence(number, sentence):
    refusal = of_os_error(OSError(number, os.strerror(number)))
    assert sentence in str(refusal)
    assert refusal.exit_code == 3
