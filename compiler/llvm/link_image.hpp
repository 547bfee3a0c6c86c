// Relocatable object code becomes an image that runs at any address: the sections are laid one after another, and their
// references to each other are filled in. Generated code refers to nothing else, which is checked: an undefined symbol,
// a writable section or an absolute address is an internal error.
#pragma once

#include <cstddef>
#include <span>

#include "compiler/schedule/target.hpp"
#include "runtime/code_image.hpp"

namespace rnnc::compiler {

/// Links `object`, which emit_object made for an architecture that has images.
runtime::CodeImage link_image(Arch arch, std::span<const std::byte> object);

}  // namespace rnnc::compiler
