// From relocatable object code to an image that runs at any address: sections are laid one after another and what they
// say of each other is filled in. Our code refers to nothing else, which is checked: an undefined symbol, a writable
// section or an absolute address is an internal error.
#pragma once

#include <cstddef>
#include <span>

#include "compiler/schedule/target.hpp"
#include "runtime/code_image.hpp"

namespace rnnc::compiler {

/// `object` is what emit_object makes for an architecture that has images.
runtime::CodeImage link_image(Arch arch, std::span<const std::byte> object);

}  // namespace rnnc::compiler
