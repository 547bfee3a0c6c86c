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
command -v qemu-system-arm >/dev/null || { echo "there is no qemu-system-arm"; exit 2; }
export LD_LIBRARY_PATH=$folder/usr/lib/llvm-19/lib:$folder/usr/lib/x86_64-linux-gnu

cat >order.c <<'C'
void below(const float* restrict x, float y, int* restrict out, int n) {
  for (int i = 0; i < n; ++i) out[i] = x[i] < y;
}
void above(const float* restrict x, float y, int* restrict out, int n) {
  for (int i = 0; i < n; ++i) out[i] = x[i] > y;
}
C
cat >main.c <<'C'
#include <stdint.h>

void below(const float* x, float y, int* out, int n);
void above(const float* x, float y, int* out, int n);
extern char stack_end[];
static volatile float zero;
static float x[4];
static int out[4];

static void ask(int operation, const void* argument) {  // of the emulator, by semihosting
  register int r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void show(const char* name) {
  static char text[] = "0 0 0 0\n";
  for (int i = 0; i < 4; ++i) text[2 * i] = (char)('0' + out[i]);
  ask(4, name);
  ask(4, text);
}

static __attribute__((noinline)) void compare(void) {  // 0, 2, NaN and NaN with 1
  x[1] = 2;
  x[2] = x[3] = zero / zero;
  below(x, 1, out, 4);
  show("below, together   ");
  for (int i = 0; i < 4; ++i) below(x + i, 1, out + i, 1);
  show("below, one by one ");
  above(x, 1, out, 4);
  show("above, together   ");
}

void reset(void) {
  static const uint32_t leave[2] = {0x20026, 0};
  *(volatile uint32_t*)0xe000ed88 |= 0xf << 20;  // switches the unit for floats on
  __asm__ volatile("dsb\n\tisb");
  compare();
  ask(0x20, leave);
}

__attribute__((section(".vectors"), used)) static const void* const vectors[] = {stack_end, reset};
C
cat >board.ld <<'LD'
MEMORY { FLASH (rx) : ORIGIN = 0, LENGTH = 512K
         RAM (rw) : ORIGIN = 0x20000000, LENGTH = 512K }
SECTIONS { .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) } > FLASH
  .data : { *(.data*) } > RAM AT > RAM
  .bss : { *(.bss*) } > RAM
  stack_end = ORIGIN(RAM) + LENGTH(RAM);
  /DISCARD/ : { *(.ARM.exidx*) } }
LD
tools=$folder/usr/lib/llvm-19/bin
answers() {
  local option=$1 source
  for source in order main; do
    "$tools/clang" --target=thumbv8.1m.main-none-eabihf -mcpu=cortex-m55 -ffreestanding -O3 "$option" -c "$source.c" -o "$source.o"
  done
  "$tools/ld.lld" -T board.ld -e reset main.o order.o -o program
  timeout 60 qemu-system-arm -M mps3-an547 -nographic -semihosting -kernel program 2>&1
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
