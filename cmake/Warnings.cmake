# Warnings are errors in our own code; headers of dependencies are system headers and stay silent.
add_library(rnnc_warnings INTERFACE)
target_compile_options(rnnc_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  -Wnon-virtual-dtor -Woverloaded-virtual)
if(PROJECT_IS_TOP_LEVEL)  # others may build with compilers that know more warnings
  target_compile_options(rnnc_warnings INTERFACE -Werror)
endif()
# At -O3 GCC 12 sees uninitialised strings in aggregates built for a return, and overlaps, overflows and offsets out of
# bounds in `"literal" + string + "literal"` (its bugs 105651 and 105329), the last for some lengths of the source folder's name
# only: all false. At -O1 it misses that LLVM's values are deleted as they were made. GCC 13 and later suspect every function
# that takes a temporary of returning a reference into it.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(rnnc_warnings INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-array-bounds
    -Wno-stringop-overflow -Wno-mismatched-new-delete
    $<$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,13>:-Wno-dangling-reference>)
endif()
# Clang takes libstdc++'s own use of what it deprecates, in std::stable_sort, for ours.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(rnnc_warnings INTERFACE -Wno-deprecated-declarations)
endif()
