"""RabbitMQ for tests: in a container, private on this machine, or given by the environment.

Each server has `.port`, `.management_port`, `.credentials`, `.kill()`, `.start()`, `.ctl()` and `.remove()`.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from testcontainers.core.container import DockerContainer

from apotheca import processes
from tests.support.eventually import eventually
from tests.support.ports import five_free_ports

IMAGE = "rabbitmq:4-management"
PROGRAMS = (Path("/usr/lib/rabbitmq/bin"), Path("/opt/rabbitmq/sbin"))
START_WITHIN_S = 90
MISSING = (
    "These tests need RabbitMQ: install Docker, or the server itself with `apt-get install rabbitmq-server`, "
    "or set APOTHECA_TEST_AMQP_URL and APOTHECA_TEST_MANAGEMENT_URL."
)


def private_programs() -> Path | None:
    """Return the folder of the installed server's own scripts: the ones in PATH insist on their own account."""
    return next((folder for folder in PROGRAMS if (folder / "rabbitmq-server").exists()), None)


def _tls_lines(listener: str, files: Path) -> str:
    return (
        f"listeners.ssl.1 = {listener}\n"
        f"ssl_options.cacertfile = {files / 'ca.pem'}\n"
        f"ssl_options.certfile = {files / 'server.pem'}\n"
        f"ssl_options.keyfile = {files / 'server.key'}\n"
        "ssl_options.verify = verify_none\nssl_options.fail_if_no_peer_cert = false\n"
    )


class PrivateBroker:
    """A `rabbitmq-server` of our own: own ports, own node name, own epmd, own folder."""

    host = "127.0.0.1"
    user = password = "guest"

    def __init__(self, tls: Path | None = None) -> None:
        programs = private_programs()
        if programs is None:
            pytest.fail(MISSING, pytrace=False)
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="apotheca-mq-"))
        first = five_free_ports()
        self.port, self.management_port, self.tls_port, epmd, between_nodes = range(first, first + 5)
        self._process: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        (self._folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {self.management_port}\n"
            "log.console = true\nlog.file = false\nlog.console.level = warning\n"
            + (_tls_lines(f"127.0.0.1:{self.tls_port}", tls) if tls else "")
        )
        (self._folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),  # the Erlang cookie lives here
            "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"apotheca-{uuid4().hex[:8]}@localhost",
            "RABBITMQ_DIST_PORT": str(between_nodes),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none",
        }

    def launch(self) -> None:
        with (self._folder / "console.log").open("ab") as log:
            if self._epmd is None:  # started by the node itself it would detach and outlive us
                self._epmd = processes.spawn(["epmd"], log=log, env=self._env, death_signal=signal.SIGKILL)
            self._process = processes.spawn(
                [str(self._programs / "rabbitmq-server")], log=log, env=self._env, death_signal=signal.SIGKILL
            )

    def kill(self) -> None:
        assert self._process is not None
        processes.kill_group(self._process)

    def ctl(self, *arguments: str) -> str:
        command = [str(self._programs / "rabbitmqctl"), "--quiet", *arguments]
        return subprocess.run(command, env=self._env, check=True, capture_output=True, text=True).stdout

    def remove(self) -> None:
        for process in (self._process, self._epmd):
            if process is not None:
                processes.kill_group(process)
        shutil.rmtree(self._folder, ignore_errors=True)


class ContainerBroker:
    """RabbitMQ in a container whose host ports stay the same over a restart."""

    host = "127.0.0.1"
    user = password = "apotheca"

    def __init__(self, tls: Path | None = None) -> None:
        first = five_free_ports()
        self.port, self.management_port, self.tls_port = range(first, first + 3)
        self._container = (
            DockerContainer(IMAGE)
            .with_env("RABBITMQ_DEFAULT_USER", self.user)
            .with_env("RABBITMQ_DEFAULT_PASS", self.password)
            .with_bind_ports("5672/tcp", self.port)
            .with_bind_ports("15672/tcp", self.management_port)
        )
        if tls is not None:
            # These files replace those of the image, in which it may have written the first user.
            users = f"default_user = {self.user}\ndefault_pass = {self.password}\nlog.console = true\n"
            (tls / "tls.conf").write_text(users + _tls_lines("5671", Path("/tls")))
            self._container.with_bind_ports("5671/tcp", self.tls_port)
            # The server's account in the container reads them; an image may change owners below /etc/rabbitmq.
            tls.chmod(0o755)
            for file in tls.iterdir():
                file.chmod(0o644)
            self._container.with_volume_mapping(str(tls), "/tls", "ro")
            self._container.with_env("RABBITMQ_CONFIG_FILES", "/tls/*.conf")
        self._created = False

    def launch(self) -> None:
        if self._created:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._created = True

    def kill(self) -> None:
        self._container.get_wrapped_container().kill(signal="SIGKILL")
        self._container.get_wrapped_container().wait(timeout=30)

    def ctl(self, *arguments: str) -> str:
        done = self._container.exec(["rabbitmqctl", "--quiet", *arguments])
        assert done.exit_code == 0, done.output.decode()
        return done.output.decode()

    def remove(self) -> None:
        self._container.stop()


class GivenBroker:
    """A broker somebody else runs: it can be used, not broken."""

    def __init__(self, amqp_url: str, management_url: str) -> None:
        amqp, management = urlsplit(amqp_url), urlsplit(management_url)
        self.host, self.port = amqp.hostname or "127.0.0.1", amqp.port or 5672
        self.user, self.password = amqp.username or "guest", amqp.password or "guest"
        self.management_port = management.port or 15672

    def launch(self) -> None:
        """Nothing to do: it runs."""

    def kill(self) -> None:
        pytest.fail(
            "The broker of APOTHECA_TEST_AMQP_URL is not ours to kill: unset it for the fault tests.",
            pytrace=False,
        )

    def ctl(self, *arguments: str) -> str:
        pytest.fail(
            f"rabbitmqctl {arguments[0]} needs a broker of our own: unset APOTHECA_TEST_AMQP_URL.",
            pytrace=False,
        )

    def remove(self) -> None:
        """Nothing to do: it is not ours."""


class RabbitMQ:
    """What tests see of the broker, wherever it runs."""

    def __init__(self, server: PrivateBroker | ContainerBroker | GivenBroker) -> None:
        self._server = server

    @property
    def url(self) -> str:
        return self._url("%2F")

    def tls_url(self, host: str, vhost: str = "%2F") -> str:
        """The URL of its TLS listener, by that name of this machine."""
        server = self._server
        return f"amqps://{server.user}:{server.password}@{host}:{server.tls_port}/{vhost}"

    @property
    def management_url(self) -> str:
        return f"http://{self._server.host}:{self._server.management_port}"

    def start(self) -> None:
        """Start (again) and return when a user may open a connection."""
        self._server.launch()
        eventually(self._is_ready, within_s=START_WITHIN_S, every_s=0.2)

    def kill(self) -> None:
        """SIGKILL: nothing is said to anybody, nothing is flushed."""
        self._server.kill()

    def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl and return what it prints."""
        return self._server.ctl(*arguments)

    def vhost(self) -> str:
        """Create a virtual host nobody else uses and return its AMQP URL."""
        name = f"t-{uuid4().hex[:12]}"
        self.management("PUT", f"/api/vhosts/{name}")
        return self._url(name)

    def management(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Call the management API and return the body of its answer."""
        login = b64encode(f"{self._server.user}:{self._server.password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        request = urllib.request.Request(
            f"{self.management_url}{path}", data=body, method=method, headers=headers
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as answer:
            content: bytes = answer.read()
            return content

    def remove(self) -> None:
        self._server.remove()

    def _url(self, vhost: str) -> str:
        return f"amqp://{self._server.user}:{self._server.password}@{self._server.host}:{self._server.port}/{vhost}"

    def _is_ready(self) -> bool:
        inner_port = 5672 if isinstance(self._server, ContainerBroker) else self._server.port
        return b"ok" in self.management("GET", f"/api/health/checks/port-listener/{inner_port}")
