// A type of Python whose objects own one content of C++: how they are made and freed is written here once. An object
// has a content from the beginning to the end.
#pragma once

#include <initializer_list>
#include <memory>
#include <vector>

#include "python/object.hpp"

namespace rnnc::python {

template <class Content>
struct Instance {
  PyObject head;
  Content* content;

  static inline PyTypeObject* type = nullptr;  // set by add_type
};

template <class Content>
Content& content_of(PyObject* self) noexcept {
  return *reinterpret_cast<Instance<Content>*>(self)->content;
}

template <class Content>
bool is_a(PyObject* object) noexcept {
  return PyObject_TypeCheck(object, Instance<Content>::type) != 0;
}

/// Makes the content of an object from the arguments of a call. Throws Raised.
template <class Content>
using Make = std::unique_ptr<Content> (*)(PyObject* arguments);

template <class Content, Make<Content> make>
PyObject* new_instance(PyTypeObject* type, PyObject* arguments, PyObject*) noexcept {
  return guarded([&]() -> PyObject* {
    std::unique_ptr<Content> content = make(arguments);
    const auto allocate = reinterpret_cast<allocfunc>(PyType_GetSlot(type, Py_tp_alloc));
    Object self = Object::steal(allocate(type, 0));
    reinterpret_cast<Instance<Content>*>(self.get())->content = content.release();
    return self.release();
  });
}

template <class Content>
void free_instance(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<Instance<Content>*>(self)->content;
  reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

/// Adds the type rnnc._rnnc.NAME to the module; `qualified` is this name, and `slots` are those besides new and
/// dealloc. Returns false with Python's exception set.
template <class Content, Make<Content> make>
bool add_type(PyObject* module, const char* qualified, unsigned flags, std::initializer_list<PyType_Slot> slots) {
  std::vector<PyType_Slot> all{{Py_tp_new, reinterpret_cast<void*>(new_instance<Content, make>)},
                               {Py_tp_dealloc, reinterpret_cast<void*>(free_instance<Content>)}};
  all.insert(all.end(), slots);
  all.push_back({});
  PyType_Spec spec{qualified, sizeof(Instance<Content>), 0, static_cast<unsigned>(Py_TPFLAGS_DEFAULT) | flags,
                   all.data()};
  PyObject* const type = PyType_FromSpec(&spec);
  Instance<Content>::type = reinterpret_cast<PyTypeObject*>(type);
  return type && PyModule_AddType(module, Instance<Content>::type) == 0;
}

}  // namespace rnnc::python
