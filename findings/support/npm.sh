# Sourced by a finding with the packages that it needs, NAME@VERSION: makes a temporary folder, gone at the end, installs them and enters
# it. Exit code 2 where that fails.
support=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
command -v npm >/dev/null || { echo "there is no npm"; exit 2; }
{ npm init -y && npm install --ignore-scripts --no-audit --no-fund "$@"; } >log 2>&1 ||
  { echo "npm cannot install $*: $(grep -m 1 'npm err' log)"; exit 2; }
cp "$support"/*.js "$support"/*.mjs .
