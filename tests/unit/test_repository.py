"""The repository's rules about itself: deployment, locks, tasks, words that must not appear."""

import json
import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVICES = {"customers", "finance", "service-desk", "returns", "reporting"}
ROLES = {"web", "relay", "consumer", "scheduler", "migrate"}
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
LOCKS = ["requirements.lock", "deploy/requirements.lock"]
# Addresses of package registries and of the machines that built this; they belong in nobody's checkout.
FORBIDDEN = re.compile(
    "|".join(
        [
            "pypi" + r"\.org/simple",
            "pythonho" + "sted",
            "/wo" + "rk/",
            "regis" + r"try\.npmjs",
            "deb" + r"ian\.org/",
        ]
    )
)


def test_compose_runs_every_role_of_every_service():
    assert {f"{service}-{role}" for service in SERVICES for role in ROLES} <= set(COMPOSE["services"])


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_every_container_is_bounded_watched_and_restarted(name):
    container = COMPOSE["services"][name]
    assert container["mem_limit"], "a memory limit"
    if name.endswith("-migrate"):
        assert container["restart"] == "no"
    else:
        assert container["healthcheck"]["test"], "a health check"
        assert container["restart"] == "unless-stopped"


def test_only_the_gateway_and_loopback_management_are_published():
    published = {name: each["ports"] for name, each in COMPOSE["services"].items() if each.get("ports")}
    assert set(published) == {"gateway", "rabbitmq"}
    assert all(port.startswith("127.0.0.1:") and port.endswith(":15672") for port in published["rabbitmq"])
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_readers_from_outside_reach_the_broker_by_tls_alone_where_the_operator_says_so():
    added = yaml.safe_load((ROOT / "deploy/compose.amqps.yml").read_text())
    assert set(added["services"]) == {"rabbitmq"}
    broker = added["services"]["rabbitmq"]
    assert [port.rpartition(":")[2] for port in broker["ports"]] == ["5671"]
    assert set(broker["secrets"]) == set(added["secrets"])
    (mounted,) = (volume.split(":") for volume in broker["volumes"])
    read = COMPOSE["services"]["rabbitmq"]["environment"]["RABBITMQ_CONFIG_FILES"]
    assert fnmatch(mounted[1], read), "the broker reads what is mounted"
    said = dict(line.split(" = ") for line in (ROOT / mounted[0]).read_text().splitlines() if " = " in line)
    assert said["listeners.ssl.default"] == "5671"
    assert {said["ssl_options.certfile"], said["ssl_options.keyfile"]} == {
        f"/run/secrets/{name}" for name in broker["secrets"]
    }
    assert not any(name.startswith("listeners.tcp") for name in said)


def test_each_service_sees_its_own_database_secret_alone():
    for service in SERVICES:
        package = service.replace("-", "_")
        for role in ROLES:
            sources = {each["source"] for each in COMPOSE["services"][f"{service}-{role}"]["secrets"]}
            assert {each for each in sources if each.endswith("-database-url")} == {f"{package}-database-url"}
            assert ("master-key" in sources) == (service == "customers")
            owners = {each for each in sources if each.endswith("-owner-url")}
            assert owners == ({f"{package}-owner-url"} if role == "migrate" else set())


def test_no_password_stands_in_the_compose_file():
    for container in COMPOSE["services"].values():
        for name in container.get("environment", {}):
            assert not re.search("PASS|TOKEN|KEY|URL", name) or name.endswith("_FILE"), name


def test_the_gateway_hides_what_is_internal():
    assert re.search(
        r"location ~ \^/\[a-z-\]\+/\(internal\|metrics\)", (ROOT / "deploy/nginx.conf").read_text()
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_versions_and_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-", text.replace("    --hash=sha256:", ""), re.MULTILINE)
    packages = re.split(r"\n(?=\S)", text.strip())
    assert packages
    assert all("==" in each and "--hash=sha256:" in each for each in packages)


def test_an_image_gets_the_versions_that_were_tested():
    tested, shipped = (
        set(re.findall(r"^(\S+==\S+)", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS
    )
    assert shipped <= tested


def dependencies(folder):
    project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())
    groups = project.get("dependency-groups", {}).values()
    wanted = [*project["project"]["dependencies"], *(each for group in groups for each in group)]
    return {
        re.match(r"[\w.-]+", each)[0].lower().replace("_", "-")
        for each in wanted
        if not each.startswith("apotheca-")
    }


def test_the_locks_hold_all_that_is_depended_on():
    tested, shipped = (
        set(re.findall(r"^([\w.-]+)", (ROOT / lock).read_text(), re.MULTILINE)) for lock in LOCKS
    )
    for folder in ("shared", *(f"services/{each}" for each in SERVICES)):
        assert dependencies(folder) <= shipped, "run `make lock`"
    assert dependencies(".") | dependencies("deploy/embedded") <= tested, "run `make lock`"


def test_make_help_lists_every_task():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    listed = set(
        re.findall(
            r"^  make (\S+)", subprocess.check_output(["make", "-C", ROOT, "help"], text=True), re.MULTILINE
        )
    )
    phony = set(re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE)[0].split())
    assert targets == listed == phony
    assert {
        "setup",
        "demo",
        "test",
        "bench",
        "lint",
        "types",
        "arch",
        "generate",
        "up",
        "down",
        "ci",
    } <= targets
    assert len(makefile.splitlines()) <= 90


def test_no_file_names_a_registry_or_a_building_machine():
    files = subprocess.check_output(["git", "-C", ROOT, "ls-files", "-z"], text=True).split("\0")
    guilty = [name for name in files if name and FORBIDDEN.search((ROOT / name).read_text(errors="ignore"))]
    assert guilty == []


def test_secrets_and_data_are_never_committed():
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"deploy/secrets/", "var/", ".venv/", "uv.lock"} <= set(ignored)


def test_every_lock_and_every_generated_file_is_marked_as_generated():
    generated = subprocess.check_output(
        ["git", "-C", ROOT, "grep", "-lE", "^<!-- Generated by `make"], text=True
    ).split()
    written = [*LOCKS, *generated, "shared/src/shared/event_types.json"]
    written += [
        f"services/{each}/contracts/{kind}api.json" for each in SERVICES for kind in ("open", "async")
    ]
    marks = subprocess.check_output(
        ["git", "-C", ROOT, "check-attr", "linguist-generated", *written], text=True
    ).splitlines()
    assert len(marks) == len(written) > 14
    assert [each for each in marks if not each.endswith(": set")] == []


def test_the_hosted_workflow_does_what_every_machine_does():
    (job,) = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


def test_what_a_commit_is_held_against_needs_no_network():
    path = ROOT / ".pre-commit-config.yaml"
    subprocess.run([ROOT / ".venv/bin/pre-commit", "validate-config", path], check=True)
    (repo,) = yaml.safe_load(path.read_text())["repos"]
    assert repo["repo"] == "local"
    assert {each["id"] for each in repo["hooks"]} == {"ruff", "ruff-format", "mypy", "generated"}
    assert all(each["language"] == "system" for each in repo["hooks"])


def test_the_tests_that_the_security_page_names_exist():
    named = re.findall(r"`(tests/[\w/]+\.py)`", (ROOT / "SECURITY.md").read_text())
    assert len(named) > 7
    assert [each for each in named if not (ROOT / each).exists()] == []


@pytest.mark.parametrize("folder", sorted(ROOT.glob("services/*/src/*/migrations/versions")), ids=lambda each: each.parents[1].name)  # fmt: skip
def test_migrations_are_numbered_without_a_gap_each_after_the_one_before(folder):
    said = re.compile(r'^(?:down_)?revision = (?:"(\d{4})"|None)$', re.MULTILINE)
    found = [(path.name[:4], said.findall(path.read_text())) for path in sorted(folder.glob("[0-9]*.py"))]
    wanted = [(f"{no:04d}", [f"{no:04d}", f"{no - 1:04d}" if no > 1 else ""]) for no in range(1, len(found) + 1)]  # fmt: skip
    assert found == wanted


def test_all_that_is_released_together_has_the_version_of_the_newest_notes():
    projects = [path for path in ROOT.rglob("pyproject.toml") if ".venv" not in path.parts]
    versions = {tomllib.loads(path.read_text())["project"]["version"] for path in projects}
    newest = re.search(
        r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert newest, "a released version has its notes"
    documents = [json.loads(path.read_text()) for path in ROOT.glob("services/*/contracts/*api.json")]
    assert {each["info"]["version"] for each in documents} == versions == {newest[1]}
