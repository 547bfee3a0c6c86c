/* Starts a program on a Cortex-M, gives it memcpy and memset, and reaches the debugger by semihosting. Compiled for
   another machine, it starts a program of Linux, which emulators of a user's program run. */
#include "board.h"

int main(void);

/* Asks the debugger, or the emulator, for an operation: ARM's document "Semihosting" lists them. */
__attribute__((noinline)) static intptr_t ask(intptr_t operation, const void* arguments) {
#if defined(__arm__)
  register intptr_t r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = arguments;
#if __ARM_ARCH_PROFILE == 'M'
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
#elif defined(__thumb__)
  __asm__ volatile("svc 0xab" : "+r"(r0) : "r"(r1) : "memory");
#else
  __asm__ volatile("svc 0x123456" : "+r"(r0) : "r"(r1) : "memory");
#endif
  return r0;
#elif defined(__aarch64__)
  register intptr_t x0 __asm__("x0") = operation;
  register const void* x1 __asm__("x1") = arguments;
  __asm__ volatile("hlt 0xf000" : "+r"(x0) : "r"(x1) : "memory");
  return x0;
#elif defined(__riscv)
  register intptr_t a0 __asm__("a0") = operation;
  register const void* a1 __asm__("a1") = arguments;
  __asm__ volatile(
      ".option push\n.option norvc\n.balign 16\nslli zero, zero, 0x1f\nebreak\nsrai zero, zero, 7\n.option pop"
      : "+r"(a0)
      : "r"(a1)
      : "memory");
  return a0;
#else
#error "semihosting of this machine is not written down here"
#endif
}

enum { kOpen = 1, kClose = 2, kWriteText = 4, kWrite = 5, kRead = 6, kExit = 0x20, kStopped = 0x20026 };
enum { kReadBinary = 1, kWriteBinary = 5 };

static void leave(int code) {
  const uintptr_t arguments[2] = {kStopped, (uintptr_t)code};
  ask(kExit, arguments);
  for (;;) {}
}

static size_t length(const char* text) {
  size_t n = 0;
  while (text[n] != 0) ++n;
  return n;
}

/* The operation leaves the number of bytes that it did not read or write. */
static int with_file(const char* name, int mode, int operation, uintptr_t bytes, size_t size) {
  const uintptr_t opening[3] = {(uintptr_t)name, (uintptr_t)mode, length(name)};
  const intptr_t file = ask(kOpen, opening);
  const uintptr_t moving[3] = {(uintptr_t)file, bytes, size};
  intptr_t left;
  if (file < 0) return 1;
  left = ask(operation, moving);
  return (ask(kClose, moving) != 0) | (left != 0);
}

int read_file(const char* name, void* bytes, size_t size) {
  return with_file(name, kReadBinary, kRead, (uintptr_t)bytes, size);
}

int write_file(const char* name, const void* bytes, size_t size) {
  return with_file(name, kWriteBinary, kWrite, (uintptr_t)bytes, size);
}

void print(const char* text) { ask(kWriteText, text); }

void print_number(int64_t value) {
  char text[16];
  size_t i = sizeof text - 1;
  uint32_t left = (uint32_t)(value < 0 ? -value : value);
  text[i] = 0;
  do text[--i] = (char)('0' + left % 10);
  while ((left /= 10) != 0);
  if (value < 0) text[--i] = '-';
  print(text + i);
}

/* Loops that compilers do not turn into calls of these functions. */
void* memcpy(void* to, const void* from, size_t size) {
  volatile uint8_t* out = to;
  const uint8_t* in = from;
  if ((((uintptr_t)to | (uintptr_t)from | size) & 3) == 0) {
    volatile uint32_t* words = to;
    const uint32_t* from_words = from;
    for (size /= 4; size-- > 0;) *words++ = *from_words++;
    return to;
  }
  while (size-- > 0) *out++ = *in++;
  return to;
}

void* memset(void* to, int value, size_t size) {
  volatile uint8_t* out = to;
  while (size-- > 0) *out++ = (uint8_t)value;
  return to;
}

#if defined(__arm__) && __ARM_ARCH_PROFILE == 'M'

/* The names by which C compilers for bare ARM call these functions; size and value are in another order. */
void __aeabi_memcpy(void* to, const void* from, size_t size) { memcpy(to, from, size); }
void __aeabi_memcpy4(void* to, const void* from, size_t size) { memcpy(to, from, size); }
void __aeabi_memset(void* to, size_t size, int value) { memset(to, value, size); }
void __aeabi_memset4(void* to, size_t size, int value) { memset(to, value, size); }
void __aeabi_memclr(void* to, size_t size) { memset(to, 0, size); }
void __aeabi_memclr4(void* to, size_t size) { memset(to, 0, size); }

extern uint32_t data_load[], data_begin[], data_end[], bss_begin[], bss_end[], stack_begin[], stack_end[];

#define REGISTER(address) (*(volatile uint32_t*)(address))
#define COPROCESSORS REGISTER(0xe000ed88)
#define TIMER_CONTROL REGISTER(0xe000e010)
#define TIMER_RELOAD REGISTER(0xe000e014)
#define TIMER_VALUE REGISTER(0xe000e018)

enum { kUnused = 0x5ac35ac3 };

void reset(void) {
  uint32_t *to, *here;
  const uint32_t* from = data_load;
  COPROCESSORS |= 0xfu << 20; /* the unit for floats, and vectors */
  __asm__ volatile("dsb\n\tisb");
  for (to = data_begin; to != data_end;) *to++ = *from++;
  for (to = bss_begin; to != bss_end;) *to++ = 0;
  __asm__ volatile("mov %0, sp" : "=r"(here));
  for (to = stack_begin; to < here - 16;) *(volatile uint32_t*)to++ = kUnused;
  leave(main());
}

static void fault(void) {
  print("the processor stopped at a fault\n");
  leave(99);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[])(void) = {
    (void (*)(void))stack_end, reset, fault, fault, fault, fault, fault};

int on_board(void) { return 1; }

void start_timer(void) {
  TIMER_RELOAD = 0xffffff;
  TIMER_VALUE = 0;
  TIMER_CONTROL = 5;
}

uint32_t timer_ticks(void) { return (0x1000000 - TIMER_VALUE) & 0xffffff; }

size_t stack_bytes(void) {
  const uint32_t* word = stack_begin;
  while (*word == kUnused) ++word;
  return (size_t)(stack_end - word) * sizeof *word;
}

#else

int on_board(void) { return 0; }
void start_timer(void) {}
uint32_t timer_ticks(void) { return 0; }
size_t stack_bytes(void) { return 0; }

void _start(void) { leave(main()); }

#endif
