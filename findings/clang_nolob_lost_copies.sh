#!/usr/bin/env bash
# clang 19.1.7 (Debian 12's clang-19), code for a Cortex-M55 without its low-overhead loops: copies of vectors are lost.
#
# Expected   "-mcpu=cortex-m55+nolob" switches one extension off, that of the instructions for low-overhead loops. A function without a
#            loop is the same code with it and without it.
# Happens    a function that returns the second of two vectors returns the first: the instruction that copies a register is not there.
#            The pass that writes such copies out at last is the one for these loops, and without the extension it does nothing.
# Not ours   -S shows an empty line instead of "vmov q0, q1"; the function with -mcpu=cortex-m55 is right.
# Run by     qemu-system-arm, which the machine has to have: board mps3-an547.
set -euo pipefail
. "$(dirname "$0")/support/debian.sh" clang-19=1:19.1.7-3~deb12u1 libclang-cpp19=1:19.1.7-3~deb12u1 libllvm19=1:19.1.7-3~deb12u1 \
  libclang-common-19-dev=1:19.1.7-3~deb12u1 lld-19=1:19.1.7-3~deb12u1
. "$support/cortex_m55.sh"

cat >second.c <<'C'
#include <arm_mve.h>
int32x4_t second(int32x4_t a, int32x4_t b) { return b; }
C
cat >main.c <<'C'
#include <arm_mve.h>
#include "board.h"

int32x4_t second(int32x4_t a, int32x4_t b);

void run(void) {
  static char text[] = "second of 1 and 2: 0\n";
  text[19] = (char)('0' + vgetq_lane_s32(second(vdupq_n_s32(1), vdupq_n_s32(2)), 0));
  say(text);
}
C
# answer CPU: what the program says where the function, and nothing else, is compiled for that CPU.
answer() {
  "$tools/clang" "${cortex_m55[@]}" -mfloat-abi=hard -O2 -mcpu="$1" -c second.c -o second.o
  "$tools/clang" "${cortex_m55[@]}" -mfloat-abi=hard -O2 -c main.c -o main.o
  on_board main.o second.o
}
{ answer cortex-m55 && answer cortex-m55+nolob; } >seen 2>log || { echo "clang, lld or qemu failed: $(grep -m 1 . log)"; exit 2; }
diff seen - <<'SEEN' && echo "as stated: without the extension, the first comes back"
second of 1 and 2: 2
second of 1 and 2: 1
SEEN
