// Compiled cells and networks and their states. A Program is immutable and may be shared by threads; a State belongs to
// one stream or batch and to one thread at a time. Constructing either may allocate and fail; running allocates, locks
// and throws nothing, and makes no system call unless threads that share the call have to be woken or waited for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <rnnc/export.hpp>
#include <rnnc/result.hpp>
#include <rnnc/tensor.hpp>

namespace RNNC_API rnnc {

class Model;
struct CompileOptions;

namespace runtime {
struct LoadedProgram;
struct StateContent;
}  // namespace runtime

/// The states of a batch of sequences between two calls, and the working memory of a call, sized for the batch.
class State {
 public:
  State(State&&) noexcept;
  State& operator=(State&&) noexcept;
  ~State();

  std::int64_t batch() const noexcept;
  std::int64_t max_steps() const noexcept;  // that a call may have; 2^31 where there is no limit

  /// All states to zero, or to what parameters of the network begin them with: new sequences.
  void reset() noexcept;

  /// Sets one state, [batch, size] row-major. Errors: Name, ShapeMismatch; nothing is changed then.
  Result<void> set(const std::string& name, std::span<const float> values);

  /// One state, [batch, size] row-major. Errors: Name.
  Result<std::vector<float>> get(const std::string& name) const;

  /// All states with their names, in a versioned form for programs of the same states on machines of the same byte
  /// order.
  std::vector<std::byte> save() const;

  /// What `save` gave, into a state of the same batch. Errors: InvalidData; nothing is changed then.
  Result<void> restore(std::span<const std::byte> saved);

 private:
  friend class Program;
  friend class Sessions;
  explicit State(std::unique_ptr<runtime::StateContent> content);
  std::unique_ptr<runtime::StateContent> content_;
};

enum class [[nodiscard]] RunStatus{
    Ok,
    BatchMismatch,   // `batch` is not the state's
    WrongState,      // the state was made by another program
    NegativeSteps,   // `steps` < 0
    MissingPointer,  // x or y is null where elements are to be read or written
    BadLength,       // a length < 0 or > steps
    TooManySteps,    // the program needs whole sequences, and the state was made for fewer steps
    MissingInput,    // a named input of the network, or the steps of a time, is not told
    UnknownName,     // of an input or a time
    NoStreaming,     // the network needs whole sequences: Program::streams() says why
};

/// What the status means, in a few words: "ok", "the batch is not the state's".
const char* text(RunStatus status) noexcept;

/// An input of a network that is no part of x.
struct NamedInput {
  std::string_view name;
  const float* data = nullptr;  // [batch, size] of a vector; [steps of its time, batch, size] of a sequence
};

/// A time of a network other than T.
struct NamedTime {
  std::string_view name;
  std::int64_t steps = 0;
  const std::int32_t* lengths = nullptr;
};

struct RunArguments {
  const float* x = nullptr;  // [steps, batch, input_size]
  float* y = nullptr;        // [steps, batch, output_size]; of a network, see Program::output_time
  std::int64_t steps = 0;
  std::int64_t batch = 0;
  State& state;
  /// Where sequences differ in length: [batch], each <= steps. What a sequence reads beyond its length does not matter,
  /// y is zero there, and its final state is that of its own last step.
  const std::int32_t* lengths = nullptr;
  std::span<const NamedInput> inputs = {};  // every one of Program::named_inputs, in any order
  std::span<const NamedTime> times = {};    // every time but T that the network has, in any order
};

/// Named shapes of one sequence at one step: [] is a scalar.
struct Port {
  std::string name;
  Shape shape;
};

/// An input of a network that is told by name. `time` is "" of a vector, which is one for a whole sequence.
struct NamedPort {
  Port port;
  std::string time;
};

/// What runs a program: code generated for the CPU, or operations executed one after another, which no system forbids
/// and which take up to four times as long.
enum class Backend {
  Auto,  // Jit where it can be had
  Jit,
  Portable,
};

class Program {
 public:
  explicit Program(std::shared_ptr<const runtime::LoadedProgram> loaded) : loaded_(std::move(loaded)) {}

  std::vector<Port> inputs() const;             // side by side in a row of x, in this order
  std::vector<Port> states() const;             // of a network `a.h`, or `a.fwd.h` of two directions
  std::vector<NamedPort> named_inputs() const;  // of a network, those that are not in x
  /// The time that y runs over: "T", or another of the network's times; "" where y is a vector, [batch, output_size].
  std::string output_time() const;
  std::int64_t input_size() const noexcept;   // floats of a row of x
  std::int64_t output_size() const noexcept;  // floats of a row of y
  std::string name() const;                   // of the cell or network
  std::string cell() const;                   // the same
  std::string cpu() const;
  /// What runs it, Jit or Portable; an artifact's code counts as Jit.
  Backend backend() const noexcept { return backend_; }
  /// Why Backend::Auto came to the portable executor; "" of other programs.
  const std::string& fallback() const noexcept { return fallback_; }

  /// A state of `batch` new sequences, as State::reset leaves them. Calls of it have any number of steps where all
  /// scans run forwards over T: a call of more than `max_steps` goes through the network in pieces of as many, and
  /// gives the same bits. A program with a reverse scan, a function over time, a scan that begins with the end of
  /// another or a second time needs whole sequences: calls of its state have at most `max_steps`, of any of its times.
  /// A cell alone needs no room for steps. Throws std::bad_alloc, or std::length_error where either is < 0 or > 2^31.
  State make_state(std::int64_t batch, std::int64_t max_steps = 1) const;

  /// What make_state(batch, max_steps) takes, in bytes.
  std::int64_t state_bytes(std::int64_t batch, std::int64_t max_steps = 1) const noexcept;
  std::int64_t weights_bytes() const noexcept;

  /// Advances every sequence of the batch by `steps` time steps.
  ///
  /// Shapes    x f32[T, B, I], y f32[T, B, O], row-major; T >= 0 and B >= 0 (0 is a no-op)
  /// Numerics  bound per function in docs/numerics.md; NaN propagates; the same bits for every batch size and for a
  ///           sequence in pieces; denormals are flushed inside the call
  /// Errors    the status tells; state and y are untouched then
  /// Threads   concurrent calls allowed on distinct states; of those, one at a time is helped by the program's own
  /// threads
  RunStatus run(const RunArguments& arguments) const noexcept;

  /// Whether a sequence in pieces gives what one call gives: always of a cell. A network that reads time backwards,
  /// begins a scan with a value that inputs decide, sums up a sequence or needs the end of one in a step does not
  /// stream. Errors: Unsupported, which says why.
  Result<void> streams() const;

  /// One time step: `run` with steps = 1 and the state's batch. Errors: NoStreaming, and those of run.
  RunStatus step(State& state, const float* x, float* y) const noexcept;

 private:
  friend Result<Program> compile(const Model& model, const TensorMap& weights, const CompileOptions& options);
  std::shared_ptr<const runtime::LoadedProgram> loaded_;
  Backend backend_ = Backend::Jit;
  std::string fallback_;
};

}  // namespace rnnc
