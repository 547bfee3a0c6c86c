// A SharedObject is an object that was compiled, linked with C around it into a shared library of this process.
#pragma once

#include <rnnc/ahead.hpp>

#include <stdexcept>
#include <string>

namespace rnnc::test {

class SharedObject {
 public:
  /// `source` is C99 that includes the object's header as "m.h". Throws what the C compiler says where it does not
  /// link.
  SharedObject(const ObjectFiles& files, const std::string& source);
  ~SharedObject();
  SharedObject(const SharedObject&) = delete;
  SharedObject& operator=(const SharedObject&) = delete;

  /// Null where there is none.
  void* at(const std::string& name) const;

  template <class Function>
  Function* find(const std::string& name) const {
    if (void* const found = at(name)) return reinterpret_cast<Function*>(found);
    throw std::runtime_error("the object lacks " + name);
  }

 private:
  void* library_ = nullptr;
};

}  // namespace rnnc::test
