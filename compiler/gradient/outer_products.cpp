#include "compiler/gradient/outer_products.hpp"

#include "compiler/gradient/outer_levels.hpp"

namespace rnnc::compiler {

AddOuterProducts outer_products_for(std::string_view level) {
#if defined(__x86_64__)
  if (level == "x86-64-v4") return kOuterAvx512;
  if (level == "x86-64-v3") return kOuterAvx2;
#else
  static_cast<void>(level);
#endif
  return kOuterBaseline;
}

}  // namespace rnnc::compiler
