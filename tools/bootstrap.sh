#!/usr/bin/env bash
# Makes the virtual environment DIR with nothing in it but pip and the pinned uv; `make` does the rest with that uv.
#
#   tools/bootstrap.sh DIR        PYTHON=... chooses the interpreter, otherwise the first of python3, python3.13,
#                                 python3.12 and python3.11 on the path that is new enough is taken
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

choose() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if new_enough "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  echo "Trigpoint needs Python 3.11 or newer. '${PYTHON:-python3}' is: $("${PYTHON:-python3}" --version 2>&1 || echo not there)." >&2
  echo "Install one (on Debian 12 and Ubuntu 24.04: sudo apt-get install python3 python3-venv)," >&2
  echo "or name one: make PYTHON=/path/to/python3.12 install" >&2
  return 1
}

python=$(choose)
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "The venv module of Python $version is missing. On Debian and Ubuntu: sudo apt-get install python$version-venv" >&2
  exit 1
fi
echo "Making $target with $("$python" --version)"
"$python" -m venv --clear "$target"
"$target/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/uv.txt
