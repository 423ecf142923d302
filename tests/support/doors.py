"""Real web processes (gunicorn) and the real gateway (nginx with deploy/nginx.conf), on ports of 127.0.0.1."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import httpx

from apotheca import processes
from shared.identity import LocalIssuer
from tests.support.eventually import eventually

ROOT = Path(__file__).parents[2]
NGINX_IMAGE = "nginx:stable"
MASTER_KEY = "A" * 43 + "="


def many_open_files():
    """Attackers need more files than the usual soft limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8_192, hard), hard))


class Webs:
    """Web processes of services; `start` returns a port, everything ends with the stack."""

    def __init__(self, stack, folder):
        self.stack = stack
        self.folder = folder
        self.issuer = LocalIssuer(folder / "keys")
        self.running = {}

    def start(self, package, database_url, *, port=None, **settings):
        port = port or processes.free_port()
        own = {
            "DATABASE_URL": database_url,
            "JWKS": str(self.issuer.jwks),
            "PORT": str(port),
            "MASTER_KEY": MASTER_KEY,
            **settings,
        }
        log = self.stack.enter_context((self.folder / f"{package}-{port}.log").open("wb"))
        process = processes.spawn(
            [sys.executable, "-m", "shared.run", package, "web"],
            log=log,
            env={**os.environ, **{f"APOTHECA_{name}": value for name, value in own.items()}},
        )
        self.running[port] = process
        self.stack.callback(self.stop, port)
        eventually(lambda: is_ready(port), within_s=60)
        return port

    def stop(self, port):
        process = self.running.pop(port, None)
        if process is not None:
            process.terminate()
            process.wait(timeout=20)

    def headers(self, role, person=None, branches=("*",)):
        return {"Authorization": f"Bearer {self.issuer.token(person or f'the-{role}', [role], branches)}"}


def is_ready(port):
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def open_gateway(stack, folder, ports, *, front="", tls=None, read_timeout_s=60):
    """nginx as deployed, but for its own port and for where the services are: `ports` by service, in a list.

    `front` is what an operator adds to front.conf; `tls` a port and a folder with certificates, to speak TLS itself;
    `read_timeout_s` how long an answer is waited for, where a test cannot wait as long as deployed.
    """
    port = processes.free_port()
    conf = write_gateway(folder, port, ports, front, read_timeout_s)
    if tls is not None:
        write_tls(folder, *tls)
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    command = [nginx, "-c", str(conf), "-g", "daemon off;"]
    if nginx is None:
        name = f"apotheca-gateway-{port}"
        command = ["docker", "run", "--rm", "--name", name, "--network", "host", "-v", f"{folder}:{folder}"]
        command += [NGINX_IMAGE, "nginx", "-c", str(conf), "-g", "daemon off;"]
        stack.callback(subprocess.run, ["docker", "rm", "--force", name], capture_output=True, check=False)
    log = stack.enter_context((folder / "nginx.log").open("wb"))
    process = processes.spawn(command, log=log)
    stack.callback(process.wait, timeout=20)
    stack.callback(process.terminate)
    eventually(lambda: answers(f"http://127.0.0.1:{port}/healthz"), within_s=30)
    return port


def answers(address):
    try:
        return httpx.get(address, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def write_tls(folder, port, certificates):
    text = (ROOT / "deploy/tls.conf").read_text()
    for old, new in (
        ("listen 8443 ", f"listen 127.0.0.1:{port} "),
        ("/run/secrets/tls-certificate", f"{certificates}/server.pem"),
        ("/run/secrets/tls-key", f"{certificates}/server.key"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "tls.conf").write_text(text)


def write_gateway(folder, port, ports, front, read_timeout_s):
    (folder / "tmp").mkdir()
    # as deployed, where each request asks the resolver: nothing is remembered of who did not answer before
    groups = "\n".join(
        f"upstream {service}-web {{ {' '.join(f'server 127.0.0.1:{each} max_fails=0;' for each in those)} }}"
        for service, those in ports.items()
    )
    changes = {
        "deploy/nginx.conf": [
            ("/tmp/", f"{folder}/tmp/"),
            ("/etc/nginx/", f"{folder}/"),
            ("listen 8080;", f"listen 127.0.0.1:{port};"),
            ("worker_processes auto;", "worker_processes 1; user root;" if os.getuid() == 0 else "worker_processes 1;"),
            ("http {", f"http {{ {groups}"),
            ("/dev/stdout", f"{folder}/access.log"),
            ("proxy_read_timeout 60s;", f"proxy_read_timeout {read_timeout_s}s;"),
        ],
        "deploy/forward.conf": [("http://$service-web:8000", "http://$service-web")],
        "deploy/front.conf": [],
    }  # fmt: skip
    for name, replacements in changes.items():
        text = (ROOT / name).read_text()
        for old, new in replacements:
            assert old in text, f"{name} has no {old!r} any more"
            text = text.replace(old, new)
        (folder / Path(name).name).write_text(text)
    with (folder / "front.conf").open("a") as file:
        file.write(front)
    return folder / "nginx.conf"
