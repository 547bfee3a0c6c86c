#!/usr/bin/env bash
# clang 19.1.7 (Debian 12's clang-19), code for a Cortex-M55: constants are put into a block of predicated instructions.
#
# Expected   "vptt" predicates the two instructions behind it, which have to be vector instructions: clang's assembler says so too. A
#            compiler keeps such a block whole, as clang does with those of "it".
# Happens    in a function with many constants, which a load can reach from 1 KB at most, clang puts some of them between vptt and its
#            first instruction, with a branch over them. An object is written without a word. The same function as assembly, which clang
#            wrote, is refused by clang: "instruction in VPT block must be predicable".
# Not ours   one more statement before the others moves the constants to the instruction before: the blocks stay whole. With
#            -mexecute-only, where code holds no constants, they always do. An emulator does not tell: qemu 7.2 runs through the branch.
set -euo pipefail
. "$(dirname "$0")/support/debian.sh" clang-19=1:19.1.7-3~deb12u1 libclang-cpp19=1:19.1.7-3~deb12u1 libllvm19=1:19.1.7-3~deb12u1 \
  libclang-common-19-dev=1:19.1.7-3~deb12u1
export LD_LIBRARY_PATH=$folder/usr/lib/llvm-19/lib:$folder/usr/lib/x86_64-linux-gnu

# sums STATEMENTS: the function, with so many statements before those that take constants.
sums() {
  echo '#include <arm_mve.h>'
  echo '#define ADD(factor, addend) \'
  echo '  { mve_pred16_t p = vcmpgtq_f32(a, b); a = vaddq_m_f32(a, a, b, p); a = vmulq_m_f32(a, a, b, p); } s = s * factor + addend;'
  echo 'float sums(float s, float32x4_t a, float32x4_t b, float32x4_t* out) {'
  for ((i = 0; i < $1; ++i)); do echo '  a = vaddq_f32(a, b);'; done
  for ((i = 1; i <= 60; ++i)); do echo "  ADD(0.5${i}1f, 1.7${i}3f)"; done
  echo '  *out = a;'
  echo '  return s;'
  echo '}'
}

# build STATEMENTS [FLAG]: what becomes of the function as an object, and of its assembly, where a block may be taken apart.
build() {
  local flags=(--target=thumbv8.1m.main-none-eabihf -mcpu=cortex-m55 -mfloat-abi=hard)
  local clang=$folder/usr/lib/llvm-19/bin/clang
  sums "$1" >sums.c
  "$clang" "${flags[@]}" -O2 -ffreestanding "${@:2}" -c sums.c -o sums.o && echo "object: made"
  "$clang" "${flags[@]}" -O2 -ffreestanding "${@:2}" -S sums.c -o sums.s
  awk '{sub(/@.*/, "")} $1 == "" || $1 ~ /^\./ {next} {if (opened && $1 !~ /^v/) print "behind " opened ": " $1; opened = $1 ~ /^vpt/ ? $1 : ""}' sums.s
  "$clang" "${flags[@]}" -c sums.s -o again.o 2>errors.txt && echo "its assembly: accepted" || sed -n 's/^.*error: /its assembly: /p' errors.txt
}

{
  echo "one statement before:"
  build 1
  echo "two statements before:"
  build 2
  echo "one, execute-only:"
  build 1 -mexecute-only
} >seen.txt
cat seen.txt
diff seen.txt - <<'EXPECTED'
one statement before:
object: made
behind vptt.f32: b.w
its assembly: instruction in VPT block must be predicable
its assembly: VPT predicated instructions must be in VPT block
two statements before:
object: made
its assembly: accepted
one, execute-only:
object: made
its assembly: accepted
EXPECTED
