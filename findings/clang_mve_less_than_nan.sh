#!/usr/bin/env bash
# clang 19.1.7 (Debian 12's clang-19), code for a Cortex-M55: in a loop that becomes vectors, NaN is less than a number.
#
# Expected   x[i] < y is 0 where x[i] is NaN: IEEE 754 and C's annex F say so, and -O3 allows nothing else.
# Happens    a loop with a y that does not change compares four numbers at once with one register, "vcmp.f32 lt, q, r". The conditions lt
#            and le of MVE's comparison hold for NaN too. So four numbers give 1 for NaN, and the last ones of an array, which are compared
#            one by one, give 0: the result depends on the place in the array.
# Not ours   x[i] > y is right in the same loop; so is x[i] < y with -fno-vectorize, or with another vector instead of y, where clang
#            turns the sides and compares with gt.
# Run by     qemu-system-arm, which the machine has to have: board mps3-an547.
set -euo pipefail
. "$(dirname "$0")/support/debian.sh" clang-19=1:19.1.7-3~deb12u1 libclang-cpp19=1:19.1.7-3~deb12u1 libllvm19=1:19.1.7-3~deb12u1 \
  libclang-common-19-dev=1:19.1.7-3~deb12u1 lld-19=1:19.1.7-3~deb12u1
. "$support/cortex_m55.sh"

cat >order.c <<'C'
void below(const float* restrict x, float y, int* restrict out, int n) {
  for (int i = 0; i < n; ++i) out[i] = x[i] < y;
}
void above(const float* restrict x, float y, int* restrict out, int n) {
  for (int i = 0; i < n; ++i) out[i] = x[i] > y;
}
C
cat >main.c <<'C'
#include "board.h"

void below(const float* x, float y, int* out, int n);
void above(const float* x, float y, int* out, int n);
static volatile float zero;
static float x[4];
static int out[4];

static void show(const char* name) {
  static char text[] = "0 0 0 0\n";
  for (int i = 0; i < 4; ++i) text[2 * i] = (char)('0' + out[i]);
  say(name);
  say(text);
}

void run(void) {  // 0, 2, NaN and NaN with 1
  x[1] = 2;
  x[2] = x[3] = zero / zero;
  below(x, 1, out, 4);
  show("below, together   ");
  for (int i = 0; i < 4; ++i) below(x + i, 1, out + i, 1);
  show("below, one by one ");
  above(x, 1, out, 4);
  show("above, together   ");
}
C
answers() {
  local option=$1 source
  for source in order main; do "$tools/clang" "${cortex_m55[@]}" -O3 "$option" -c "$source.c" -o "$source.o"; done
  on_board main.o order.o
}
{ answers -fvectorize && answers -fno-vectorize; } >seen 2>log || { echo "clang, lld or qemu failed: $(grep -m 1 . log)"; exit 2; }
diff seen - <<'SEEN' && echo "as stated: with vectors, NaN < 1 holds"
below, together   1 0 1 1
below, one by one 1 0 0 0
above, together   0 1 0 0
below, together   1 0 0 0
below, one by one 1 0 0 0
above, together   0 1 0 0
SEEN
