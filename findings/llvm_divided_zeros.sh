#!/usr/bin/env bash
# LLVM 19.1.7 (Debian 12's llvm-19), code for vectors of four lanes: zeros divided by zeros are taken for zeros.
#
# Expected   {6, 0, 0, 0} / {3, 0, 0, 0} is {2, NaN, NaN, NaN}, and a select that takes lane 0 of it and zeros elsewhere gives
#            {2, 0, 0, 0}: the language reference lets fdiv have no other values without fast-math flags.
# Happens    the selection of instructions derives that a lane whose operands are both known to be 0 is 0 behind fdiv too, as it is behind
#            fadd, fsub and fmul. So the select seems to change nothing and is left out, at every level of optimization: a sum over such
#            lanes is NaN. The lanes behind the end of an array are of this kind, where loads with a mask fill them with zeros.
# Not ours   the same function is right where `opt -O2` has made a division of scalars of it before, and where the divisor has ones in
#            these lanes. AArch64, RISC-V and WebAssembly lose the select too (seen in the assembly); LLVM 14 keeps it.
set -euo pipefail
. "$(dirname "$0")/support/debian.sh" llvm-19=1:19.1.7-3~deb12u1 libllvm19=1:19.1.7-3~deb12u1
[[ $(uname -m) == x86_64 ]] || { echo "the code is for x86-64"; exit 2; }
command -v gcc >/dev/null || { echo "there is no gcc"; exit 2; }
tools=$folder/usr/lib/llvm-19/bin
export LD_LIBRARY_PATH=$folder/usr/lib/llvm-19/lib:$folder/usr/lib/x86_64-linux-gnu

cat >main.c <<'C'
#include <stdio.h>
typedef float vector __attribute__((vector_size(16)));
vector first(const float* a, const float* b);
int main(void) {
  const float a = 6, b = 3;
  const vector v = first(&a, &b);
  for (int i = 0; i < 4; ++i) printf(v[i] == v[i] ? " %g" : " NaN", v[i]);
  printf("\n");
}
C
# answer BEHIND OPTION...: the divisor has the number BEHIND behind its first lane.
answer() {
  cat >first.ll <<LL
target triple = "x86_64-unknown-linux-gnu"
define <4 x float> @first(ptr %a, ptr %b) {
  %x = load float, ptr %a
  %y = load float, ptr %b
  %dividend = insertelement <4 x float> zeroinitializer, float %x, i32 0
  %divisor = insertelement <4 x float> splat (float $1), float %y, i32 0
  %quotient = fdiv <4 x float> %dividend, %divisor
  %one = select <4 x i1> <i1 true, i1 false, i1 false, i1 false>, <4 x float> %quotient, <4 x float> zeroinitializer
  ret <4 x float> %one
}
LL
  "$tools/llc" "${@:2}" -mattr=+sse4.1 -relocation-model=pic -filetype=obj first.ll -o first.o
  gcc main.c first.o -o program
  ./program
}
{ for level in -O0 -O2; do for behind in 0.0 1.0; do echo "$level, $behind:$(answer "$behind" "$level")"; done; done; } >seen 2>log ||
  { echo "llc or gcc failed: $(grep -m 1 . log)"; exit 2; }
diff seen - <<'SEEN' && echo "as stated: lanes of zeros divided by zeros are NaN where a select puts zeros"
-O0, 0.0: 2 NaN NaN NaN
-O0, 1.0: 2 0 0 0
-O2, 0.0: 2 NaN NaN NaN
-O2, 1.0: 2 0 0 0
SEEN
