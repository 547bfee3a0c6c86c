# Warnings are errors in our own code. Headers of dependencies are system headers, which give no warnings.
add_library(rnnc_warnings INTERFACE)
target_compile_options(rnnc_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  -Wnon-virtual-dtor -Woverloaded-virtual)
if(PROJECT_IS_TOP_LEVEL)  # others may build with compilers that know more warnings
  target_compile_options(rnnc_warnings INTERFACE -Werror)
endif()
# These warnings of GCC are false. At -O3, GCC 12 reports uninitialised strings in aggregates built for a return, and
# overlaps, overflows and offsets out of bounds in `"literal" + string + "literal"` (its bugs 105651 and 105329; the
# last only for some lengths of the source folder's name). At -O1 it does not see that LLVM's values are deleted in the
# way in which they were made. GCC 13 and later suspect every function that takes a temporary of returning a reference
# into it.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(rnnc_warnings INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-array-bounds
    -Wno-stringop-overflow -Wno-mismatched-new-delete
    $<$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,13>:-Wno-dangling-reference>)
endif()
# Clang reports the use of deprecated names inside libstdc++, in std::stable_sort, as if it were ours.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(rnnc_warnings INTERFACE -Wno-deprecated-declarations)
endif()
