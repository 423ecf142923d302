"""The composed system as a project of its own: own volumes, own ports, own name; taken down with all it held."""

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

from apotheca import processes, secret_files
from tests.support.processes import family_of

ROOT = Path(__file__).parents[2]
SECRETS = ROOT / "deploy/secrets"
UP_WITHIN_S = 600


@contextmanager
def composed():
    """Bring the deployment up and yield the gateway's address. The images are built from this checkout."""
    secret_files.make(SECRETS)
    port = processes.free_port()
    environment = environment_of("apotheca-e2e", port)
    compose(environment, "down", "--volumes", "--timeout", "5", check=False)  # what a killed run left behind
    try:
        compose(environment, "up", "--build", "--detach", "--quiet-pull", "--wait", "--wait-timeout", "300")
        yield f"http://127.0.0.1:{port}"
    except BaseException:
        print(compose(environment, "ps", "--all", check=False))
        print(compose(environment, "logs", "--no-color", "--tail", "15", check=False))
        raise
    finally:
        compose(environment, "down", "--volumes", "--timeout", "5", check=False)


def processes_of_services():
    """By process id, on a machine that runs its containers itself: the container of our services that it is of."""
    asked = ["docker", "ps", "--filter", "label=com.docker.compose.project=apotheca-e2e"]
    asked += ["--format", '{{.ID}} {{.Label "com.docker.compose.service"}}']
    found = {}
    for line in _said(asked).splitlines():
        container, service = line.split()
        if service in ("postgres", "rabbitmq", "gateway"):
            continue
        first = int(_said(["docker", "inspect", "--format", "{{.State.Pid}}", container]))
        found |= dict.fromkeys({first} | family_of(first), service)
    return found


def _said(command):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def environment_of(project, port):
    """What tells Compose which project this is, and where its gateway listens."""
    chosen = {
        "COMPOSE_PROJECT_NAME": project,
        "APOTHECA_VERSION": project.removeprefix("apotheca-"),
        "APOTHECA_GATEWAY": f"127.0.0.1:{port}",
        "RABBITMQ_MANAGEMENT_PORT": str(processes.free_port()),
        "DOCKER_BUILDKIT": "1",
    }
    return {**os.environ, **chosen}


def compose(environment, *arguments, check=True):
    command = ["docker", "compose", "--progress", "plain", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=UP_WITHIN_S
    )
    assert not check or done.returncode == 0, (
        f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-5000:]}"
    )
    return done.stdout + done.stderr
