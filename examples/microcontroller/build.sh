#!/usr/bin/env bash
# build.sh CPU [FOLDER]: links FOLDER/model.o, which rnnc made for CPU with --name model, with the program beside this script, and
# runs it in an emulator of a board. CPU is cortex-m4, cortex-m7 or cortex-m55. FOLDER/program.elf and program.map stay.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
case "${1:-}" in
  cortex-m4) machine=thumbv7em-none-eabihf board=mps2-an386 ;;
  cortex-m7) machine=thumbv7em-none-eabihf board=mps2-an500 ;;
  cortex-m55) machine=thumbv8.1m.main-none-eabihf board=mps3-an547 ;;
  *) echo "build.sh: usage: build.sh cortex-m4|cortex-m7|cortex-m55 [FOLDER with model.o and model.h]" >&2; exit 2 ;;
esac
cpu=$1 folder=${2:-.}
[[ -f "$folder/model.o" && -f "$folder/model.h" ]] ||
  { echo "build.sh: $folder has no model.o and model.h; make them with: rnnc compile ... --name model -o model.o" >&2; exit 3; }
for program in clang-19 ld.lld-19 qemu-system-arm; do
  command -v "$program" >/dev/null || { echo "build.sh: there is no $program; scripts/setup installs it" >&2; exit 4; }
done

objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
for name in main board; do
  clang-19 --target="$machine" -mcpu="$cpu" -O2 -Wall -Wextra -ffreestanding -ffunction-sections -I"$folder" \
    -c "$here/$name.c" -o "$objects/$name.o"
done
ld.lld-19 -T "$here/board.ld" --gc-sections -Map="$folder/program.map" "$objects"/*.o "$folder/model.o" -o "$folder/program.elf"
timeout 60 qemu-system-arm -M "$board" -display none -monitor none -serial none -chardev stdio,id=console \
  -semihosting-config enable=on,chardev=console -icount shift=0 -kernel "$folder/program.elf"
