#!/usr/bin/env bash
# Installs the Debian packages that the slow tests use, those that are missing only; without the right to do so it
# says what is missing and the tests that need it skip themselves.
set -u
missing=()
need() { # PACKAGE TEST-COMMAND
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}
need bubblewrap command -v bwrap
need iproute2 command -v ip
need iptables command -v iptables
need curl command -v curl
need chromium command -v chromium
need fonts-wqy-microhei test -e /usr/share/fonts/truetype/wqy/wqy-microhei.ttc
need postgresql bash -c 'compgen -G "/usr/lib/postgresql/*/bin/initdb" || command -v initdb'
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "Missing for some slow tests, which will be skipped: ${missing[*]}" >&2
  exit 0
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  sudo -n true 2>/dev/null && as_root=(sudo -n) || {
    echo "Missing for some slow tests, which will be skipped: sudo apt-get install ${missing[*]}" >&2
    exit 0
  }
fi
export DEBIAN_FRONTEND=noninteractive
echo "Installing ${missing[*]}"
"${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || {
  "${as_root[@]}" apt-get update -q >/dev/null &&
    "${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
} || echo "Could not install ${missing[*]}; the tests that need them will be skipped" >&2
exit 0
