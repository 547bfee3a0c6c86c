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
command -v qemu-system-arm >/dev/null || { echo "there is no qemu-system-arm"; exit 2; }
export LD_LIBRARY_PATH=$folder/usr/lib/llvm-19/lib:$folder/usr/lib/x86_64-linux-gnu

cat >second.c <<'C'
#include <arm_mve.h>
int32x4_t second(int32x4_t a, int32x4_t b) { return b; }
C
cat >main.c <<'C'
#include <arm_mve.h>

int32x4_t second(int32x4_t a, int32x4_t b);
extern char stack_end[];

static void ask(int operation, const void* argument) {  // of the emulator, by semihosting
  register int r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static __attribute__((noinline)) void choose(void) {
  static char text[] = "second of 1 and 2: 0\n";
  text[19] = (char)('0' + vgetq_lane_s32(second(vdupq_n_s32(1), vdupq_n_s32(2)), 0));
  ask(4, text);
}

void reset(void) {
  static const uint32_t leave[2] = {0x20026, 0};
  *(volatile uint32_t*)0xe000ed88 |= 0xf << 20;  // switches the unit for vectors on
  __asm__ volatile("dsb\n\tisb");
  choose();
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
# answer CPU: what the program says where the function, and nothing else, is compiled for that CPU.
answer() {
  local flags=(--target=thumbv8.1m.main-none-eabihf -mfloat-abi=hard -ffreestanding -O2)
  "$tools/clang" "${flags[@]}" -mcpu="$1" -c second.c -o second.o
  "$tools/clang" "${flags[@]}" -mcpu=cortex-m55 -c main.c -o main.o
  "$tools/ld.lld" -T board.ld -e reset main.o second.o -o program
  timeout 60 qemu-system-arm -M mps3-an547 -nographic -semihosting -kernel program 2>&1
}
{ answer cortex-m55 && answer cortex-m55+nolob; } >seen 2>log || { echo "clang, lld or qemu failed: $(grep -m 1 . log)"; exit 2; }
diff seen - <<'SEEN' && echo "as stated: without the extension, the first comes back"
second of 1 and 2: 2
second of 1 and 2: 1
SEEN
