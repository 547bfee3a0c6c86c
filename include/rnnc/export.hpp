// The shared libraries export the names of a `namespace RNNC_API rnnc`, and single functions that are marked RNNC_API.
#pragma once

#if __cplusplus < 201709L
#error \
    "The C++ interface of rnnc needs C++20 (-std=c++20; in CMake, target_link_libraries with rnnc::runtime asks for it); <rnnc/rnnc.h> serves C and older C++"
#endif

#if defined(__GNUC__)
#define RNNC_API [[gnu::visibility("default")]]
#else
#define RNNC_API
#endif
