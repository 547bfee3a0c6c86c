// How often this thread has called operator new so far.
#pragma once

namespace rnnc::test {

long allocations();

}  // namespace rnnc::test
