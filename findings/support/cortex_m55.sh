# Sourced after debian.sh by a finding about code for a Cortex-M55, which has asked for clang-19 and lld-19: makes board.c and board.ld for
# the board mps3-an547 of qemu-system-arm, which the machine has to have. `board.h` declares what a program has: it defines run(), and
# say(text) prints. `on_board OBJECT...` links and runs the objects of a program.
command -v qemu-system-arm >/dev/null || { echo "there is no qemu-system-arm"; exit 2; }
export LD_LIBRARY_PATH=$folder/usr/lib/llvm-19/lib:$folder/usr/lib/x86_64-linux-gnu
tools=$folder/usr/lib/llvm-19/bin
cortex_m55=(--target=thumbv8.1m.main-none-eabihf -mcpu=cortex-m55 -ffreestanding)

cat >board.h <<'C'
#include <stdint.h>
void run(void);
void say(const char* text);
C
cat >board.c <<'C'
#include "board.h"

extern char stack_end[];

static void ask(int operation, const void* argument) {  // of the emulator, by semihosting
  register int r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void say(const char* text) { ask(4, text); }

void reset(void) {
  static const uint32_t leave[2] = {0x20026, 0};
  *(volatile uint32_t*)0xe000ed88 |= 0xf << 20;  // switches the unit for floats and vectors on
  __asm__ volatile("dsb\n\tisb");
  run();
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
on_board() {
  "$tools/clang" "${cortex_m55[@]}" -O2 -c board.c -o board.o
  "$tools/ld.lld" -T board.ld -e reset board.o "$@" -o program
  timeout 60 qemu-system-arm -M mps3-an547 -nographic -semihosting -kernel program 2>&1
}
