#!/usr/bin/env bash
# Make this machine ready: deploy/setup.sh [tests|demo]
#   always   uv, the environment .venv with the exact packages of requirements.lock, our packages editable, and
#            Pango, which papers are printed with, where the system lacks it
#   tests    also a RabbitMQ server and nginx when there is no Docker, and a Chromium for the browser test
# Everything but those four stays inside this folder. Safe to repeat; a second run takes a second.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
purpose=${1:-}
log=var/setup.log
mkdir -p var

refuse() { printf 'setup: %s\n' "$*" >&2; exit 3; }
say() { printf 'setup: %s\n' "$*" >&2; }

root() { if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi; }
may_install() { command -v apt-get >/dev/null && { [[ $(id -u) == 0 ]] || sudo -n true 2>/dev/null; }; }

apt_install() { # apt_install <package>…: installed, but no service is started
  local policy=/usr/sbin/policy-rc.d ours=false status=0
  say "installing $* from the system's packages"
  if [[ ! -e $policy ]]; then
    ours=true
    printf '#!/bin/sh\nexit 101\n' | root tee "$policy" >/dev/null
    root chmod 755 "$policy"
  fi
  { root apt-get update && root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } \
    >>"$log" 2>&1 </dev/null || status=$?
  if $ours; then root rm -f "$policy"; fi
  return $status
}

find_python() {
  local name
  for name in python3 python3.14 python3.13 python3.12 python3.11; do
    command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null &&
      { command -v "$name"; return; }
  done
  refuse "Python 3.11 or later is needed: install it, on Debian or Ubuntu with \`apt-get install python3 python3-venv\`."
}

network_or_else() { # network_or_else <what failed>: one sentence about the failure that $log ends with
  if tail -n 30 "$log" | grep -qiE 'dns|resolve|connect|network|timed? ?out|fetch|request failed|No matching distribution'; then
    refuse "$1: the package index could not be reached; check the network (details in $log)."
  fi
  if tail -n 30 "$log" | grep -qi 'no space left'; then refuse "$1: the disk is full."; fi
  refuse "$1; details in $log."
}

bootstrap_uv() { # into .uv/, so that nothing of the machine's own Python changes
  rm -rf .uv
  if ! "$python" -c 'import venv, ensurepip' 2>/dev/null && ! "$python" -m pip --version >/dev/null 2>&1; then
    may_install && apt_install python3-venv ||
      refuse "Python lacks pip and venv: install them with \`sudo apt-get install python3-venv\`, or install uv."
  fi
  say "installing uv into .uv/"
  if "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    { "$python" -m venv .uv && .uv/bin/python -m pip install --disable-pip-version-check uv; } >>"$log" 2>&1 ||
      network_or_else "uv could not be installed"
  else # --target is allowed where the system's environment is externally managed
    "$python" -m pip install --disable-pip-version-check --target .uv/lib uv >>"$log" 2>&1 ||
      network_or_else "uv could not be installed"
    mkdir -p .uv/bin && ln -sf ../lib/bin/uv .uv/bin/uv
  fi
}

find_uv() {
  uv=$(command -v uv || true)
  [[ -n $uv ]] && "$uv" --version >/dev/null 2>&1 && return
  [[ -x .uv/bin/uv ]] || bootstrap_uv
  uv=$PWD/.uv/bin/uv
}

follow_pip() { # uv does not read pip's settings; a machine that has only those must work too
  export UV_SYSTEM_CERTS=1
  [[ -n ${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-} ]] && return
  local index=${PIP_INDEX_URL:-}
  [[ -n $index ]] || index=$("$python" -m pip config get global.index-url 2>/dev/null || true)
  [[ -z $index ]] || export UV_DEFAULT_INDEX=$index
}

environment() {
  local ours=(shared services/customers services/finance services/service-desk services/returns services/reporting
              deploy/embedded) editable=() folder stamp
  stamp=$(cat requirements.lock "${ours[@]/%//pyproject.toml}" | sha256sum)
  [[ -x .venv/bin/python && $(cat .venv/.ready 2>/dev/null) == "$stamp" ]] && return
  find_uv
  follow_pip
  say "installing the packages of requirements.lock into .venv/"
  [[ -x .venv/bin/python ]] || "$uv" venv --quiet --python "$python" .venv >>"$log" 2>&1 ||
    network_or_else "the environment .venv could not be made"
  VIRTUAL_ENV=$PWD/.venv "$uv" pip install --require-hashes --requirements requirements.lock 2> >(tee -a "$log" | grep -v '^ [+~-]' >&2) ||
    network_or_else "the packages could not be installed"
  for folder in "${ours[@]}"; do editable+=(--editable "$folder"); done
  VIRTUAL_ENV=$PWD/.venv "$uv" pip install --quiet --no-deps --no-build-isolation "${editable[@]}" >>"$log" 2>&1 ||
    network_or_else "our own packages could not be installed"
  echo "$stamp" >.venv/.ready
}

test_servers() {
  if [[ -z ${APOTHECA_TEST_AMQP_URL:-} && ! -x /usr/lib/rabbitmq/bin/rabbitmq-server ]] &&
     { [[ ${APOTHECA_TEST_SERVERS:-} == private ]] || ! docker info >/dev/null 2>&1; }; then
    may_install && apt_install rabbitmq-server ||
      refuse "The tests need Docker or a RabbitMQ server: install one with \`sudo apt-get install rabbitmq-server\`."
  fi
  if ! command -v nginx >/dev/null && [[ ! -x /usr/sbin/nginx ]] &&
     { [[ ${APOTHECA_TEST_SERVERS:-} == private ]] || ! docker info >/dev/null 2>&1; }; then
    may_install && apt_install nginx-light ||
      refuse "The tests need Docker or nginx: install it with \`sudo apt-get install nginx-light\`."
  fi
  if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null; then
    may_install && apt_install chromium ||
      refuse "The browser test needs Chromium: install it with \`sudo apt-get install chromium\`."
  fi
}

printing_libraries() { # what WeasyPrint prints papers with; the fonts come with the packages
  .venv/bin/python -c 'import weasyprint' >/dev/null 2>&1 && return
  may_install && apt_install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 && return
  local advice="Papers are printed with Pango: install it with \`sudo apt-get install libpango-1.0-0 libpangoft2-1.0-0\`."
  if [[ $purpose == tests ]]; then refuse "$advice"; fi
  say "$advice Until then everything but printing works."
}

python=$(find_python)
environment
printing_libraries
if [[ $purpose == tests ]]; then test_servers; fi
