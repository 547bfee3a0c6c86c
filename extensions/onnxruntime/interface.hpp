// ONNX Runtime's C interface, whose functions return a status that its caller owns: here a status that is an error is
// thrown as a Refusal, and leaves through the function that ONNX Runtime called.
#pragma once

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <utility>

namespace rnnc::onnxruntime {

/// The oldest version of the interface that has all that is called here; a newer ONNX Runtime has it too.
inline constexpr std::uint32_t kApiVersion = 17;

class Refusal {
 public:
  explicit Refusal(OrtStatus* status) : status_(status) {}
  OrtStatus* status() const { return status_; }

 private:
  OrtStatus* status_;  // whoever catches it hands it on to ONNX Runtime
};

inline void check(OrtStatus* status) {
  if (status != nullptr) throw Refusal(status);
}

[[noreturn]] inline void refuse(const OrtApi& api, OrtErrorCode code, const std::string& message) {
  throw Refusal(api.CreateStatus(code, message.c_str()));
}

/// Runs `work` and returns what it threw as a status.
template <class Work>
OrtStatus* guarded(const OrtApi& api, const Work& work) noexcept {
  try {
    work();
    return nullptr;
  } catch (const Refusal& refusal) {
    return refusal.status();
  } catch (const std::bad_alloc&) {
    return api.CreateStatus(ORT_RUNTIME_EXCEPTION, "rnnc: not enough memory");
  } catch (const std::exception& thrown) {
    return api.CreateStatus(ORT_RUNTIME_EXCEPTION, thrown.what());
  }
}

}  // namespace rnnc::onnxruntime
