# Sourced by a finding with the packages of Debian that it needs, NAME=VERSION: makes a temporary folder, gone at the end, unpacks them
# there, without installing them, and enters it. `build FILE.cpp [OPTION...]` compiles FILE with their headers and libraries. Exit code 2
# where one of these fails.
support=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for tool in apt-get dpkg-deb; do command -v "$tool" >/dev/null || { echo "there is no $tool"; exit 2; }; done
apt-get download "$@" >log 2>&1 || { apt-get update && apt-get download "$@"; } >log 2>&1 ||
  { echo "apt-get cannot download $*: $(grep -m 1 '^E:' log)"; exit 2; }
for package in *.deb; do dpkg-deb -x "$package" .; done
cp "$support"/*.js .
build() {
  command -v g++ >/dev/null || { echo "there is no g++"; exit 2; }
  local libraries
  libraries="$folder/usr/lib/$(g++ -print-multiarch)"
  g++ -std=c++17 -O1 -isystem usr/include "$1" -o "${1%.cpp}" -L"$libraries" -Wl,-rpath,"$libraries" "${@:2}" >log 2>&1 ||
    { echo "g++ cannot build $1: $(grep -m 1 error log)"; exit 2; }
}
