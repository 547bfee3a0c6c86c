# All dependencies are packages of the distribution (scripts/setup installs them).
if(RNNC_BUILD_COMPILER AND NOT RNNC_LLVM AND (RNNC_BUILD_TOOLS OR RNNC_BUILD_BENCH OR RNNC_BUILD_TESTS))
  message(FATAL_ERROR "RNNC_LLVM=OFF is for the libraries; the program, tests and benchmarks need LLVM: "
                      "add -DRNNC_BUILD_TOOLS=OFF -DRNNC_BUILD_TESTS=OFF -DRNNC_BUILD_BENCH=OFF")
endif()
if(RNNC_BUILD_COMPILER AND RNNC_LLVM)
  find_package(LLVM 19.1 REQUIRED CONFIG)
endif()
# xsimd declares every major version incompatible, but our code compiles with all versions from 8.1 on.
find_package(xsimd REQUIRED CONFIG)
if(xsimd_VERSION VERSION_LESS 8.1)
  message(FATAL_ERROR "xsimd ${xsimd_VERSION} is too old; 8.1 or newer is needed")
endif()
# Debian's package asks programs to link xtl, a header-only library that it neither needs here nor installs.
set_target_properties(xsimd PROPERTIES INTERFACE_LINK_LIBRARIES "")
find_package(nlohmann_json REQUIRED CONFIG)
find_package(Threads REQUIRED)
if(RNNC_ZLIB)
  find_package(ZLIB REQUIRED)
endif()
if(RNNC_BUILD_TOOLS OR RNNC_BUILD_BENCH OR RNNC_BUILD_TESTS)
  find_package(CLI11 REQUIRED CONFIG)
endif()
if(RNNC_ONEDNN)
  find_package(dnnl CONFIG QUIET)
  if(NOT dnnl_FOUND)
    message(FATAL_ERROR "oneDNN is not here, which rnnc is compared with: install libdnnl-dev and ocl-icd-opencl-dev "
                        "(scripts/setup does), or leave the comparison out with -DRNNC_ONEDNN=OFF")
  endif()
  find_package(OpenMP REQUIRED COMPONENTS CXX)  # Debian's oneDNN runs on it
endif()
if(RNNC_PYTHON)
  # The system's Python comes first, since its packages are the ones that scripts/setup installs.
  if(NOT Python_EXECUTABLE AND NOT Python_ROOT_DIR AND EXISTS /usr/bin/python3)
    set(Python_EXECUTABLE /usr/bin/python3)
  endif()
  find_package(Python 3.11 COMPONENTS Interpreter Development.Module)
  if(NOT Python_FOUND)
    message(STATUS "The Python package is left out: there is no Python 3.11 with headers (scripts/setup --python installs them)")
  endif()
endif()

find_program(RNNC_CCACHE ccache)
if(RNNC_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without these words ccache keeps nothing that is compiled with a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${RNNC_CCACHE})
endif()
