/* This header has what a program on a board needs instead of a C library. Messages and files go to the debugger, or to
   the emulator, by semihosting. */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

/* Writes text to the debugger's console. */
void print(const char* text);
void print_number(int64_t value);

/* Read or write a whole file of the machine that runs the debugger, or the emulator. Return 0 if it worked. */
int read_file(const char* name, void* bytes, size_t size);
int write_file(const char* name, const void* bytes, size_t size);

/* Tells whether the program runs on a board, and not on Linux, which has neither this timer nor this stack. */
int on_board(void);

/* The time in ticks of a timer, which counts down from 2^24. Under an emulator with -icount shift=0, a tick is a fixed
   number of instructions. */
void start_timer(void);
uint32_t timer_ticks(void);

/* Returns the most bytes of the stack that were used until now. */
size_t stack_bytes(void);

#endif
