// This header lists every environment variable that rnnc reads.
#pragma once

#include <string>
#include <vector>

namespace rnnc {

struct Environment {
  bool debug_ir = false, debug_plan = false, debug_llvm = false, debug_asm = false, debug_time = false;  // RNNC_DEBUG
  std::string dump_dir;   // RNNC_DUMP_DIR: where dumps and repro.rnn go; "" is the current folder
  std::string cache_dir;  // RNNC_CACHE_DIR, else XDG_CACHE_HOME/rnnc, else ~/.cache/rnnc; "" where none is known
  bool cache_reads = true, cache_writes = true;  // RNNC_CACHE=off|ro
  std::string isa;                               // RNNC_ISA: the CPU to compile for where nothing else is said
  std::string plugin_dir;  // RNNC_PLUGIN_DIR: where plug-ins are; "" is beside the program and where it is installed
  std::vector<std::string> warnings;  // about values that have no meaning; the program prints them
};

Environment read_environment();

}  // namespace rnnc
