// The shared libraries export the names of a `namespace RNNC_API rnnc`, and single functions that are marked RNNC_API.
#pragma once

#if defined(__GNUC__)
#define RNNC_API [[gnu::visibility("default")]]
#else
#define RNNC_API
#endif
