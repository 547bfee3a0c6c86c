// What the shared libraries show: all that stands in a `namespace RNNC_API rnnc`, and single functions marked so.
#pragma once

#if defined(__GNUC__)
#define RNNC_API [[gnu::visibility("default")]]
#else
#define RNNC_API
#endif
