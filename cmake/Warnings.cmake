# Warnings are errors in our own code; headers of dependencies are system headers and stay silent.
add_library(rnnc_warnings INTERFACE)
target_compile_options(rnnc_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
