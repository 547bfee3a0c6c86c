// A Program is a compiled cell or network: it is immutable, and threads may share it. A State belongs to one stream or
// batch, and a Workspace is the memory of a call; each is for one thread at a time. Constructing them may allocate and
// fail; running allocates, locks and throws nothing, and makes no system call unless threads that share the call have
// to be woken or waited for.
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

namespace compiler {
class Trainer;
}

namespace runtime {
struct LoadedProgram;
struct StateContent;
struct WorkspaceContent;
}  // namespace runtime

/// A workspace is the memory that a call needs beside the states. A thread needs one for any number of states of the
/// program, and uses it for one call at a time.
class Workspace {
 public:
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;
  ~Workspace();

  std::int64_t batch() const noexcept;  // the most sequences that a call may have

 private:
  friend class Program;
  explicit Workspace(std::unique_ptr<runtime::WorkspaceContent> content);
  std::unique_ptr<runtime::WorkspaceContent> content_;
};

/// A state keeps the states of a batch of sequences between two calls, and may have a workspace of its own. A state
/// that was moved from has no sequences: calls refuse it, and its functions do nothing.
class State {
 public:
  State(State&&) noexcept;
  State& operator=(State&&) noexcept;
  ~State();

  std::int64_t batch() const noexcept;
  /// Returns the most steps that a call with the state's own workspace may have: 2^31 if there is no limit, 0 if it has
  /// no workspace.
  std::int64_t max_steps() const noexcept;

  /// Starts new sequences: sets all states to zero, or to the values that parameters of the network give them.
  void reset() noexcept;

  /// Sets one state, [batch, size] row-major. Errors: Name, ShapeMismatch; InvalidData if a program of integers takes
  /// smaller values only, since it knows how large the state can become by itself; an error changes nothing.
  Result<void> set(const std::string& name, std::span<const float> values);

  /// Returns one state, [batch, size] row-major. Errors: Name.
  Result<std::vector<float>> get(const std::string& name) const;

  /// Returns all states with their names, in a versioned form for programs of the same states on machines of the same
  /// byte order.
  std::vector<std::byte> save() const;

  /// Sets all states from the result of `save`, for a state of the same batch. Errors: InvalidData; an error changes
  /// nothing.
  Result<void> restore(std::span<const std::byte> saved);

 private:
  friend class Program;
  friend class Sessions;
  friend class compiler::Trainer;
  explicit State(std::unique_ptr<runtime::StateContent> content);
  std::unique_ptr<runtime::StateContent> content_;
};

enum class [[nodiscard]] RunStatus{
    Ok,
    WrongState,      // the state was made by another program, or moved from
    WrongWorkspace,  // the workspace was made by another program or for fewer sequences, or moved from
    NoWorkspace,     // neither the state nor the call has a workspace
    NegativeSteps,   // `steps` < 0
    MissingPointer,  // x, y or an output is null where elements are to be read or written
    ShortSpan,       // x, y, an input, an output or lengths have fewer elements than the call reads or writes
    BadLength,       // a length < 0 or > steps
    TooManySteps,    // the program needs whole sequences, and the workspace was made for fewer steps
    MissingInput,    // a named input of the network, or the steps of a time, is missing
    UnknownName,     // an input, an output or a time has a name that the program does not know
    NoStreaming,     // the network needs whole sequences: Program::streams() says why
    NoForward,       // a backward pass of a Training without a forward pass before it
};

/// Returns the meaning of the status in a few words: "ok", "the state was made by another program".
const char* text(RunStatus status) noexcept;

/// An input of a network that is no part of x.
struct NamedInput {
  std::string_view name;
  std::span<const float> data = {};  // [batch, size] of a vector; [steps of its time, batch, size] of a sequence
};

/// An output of a network after the first.
struct NamedOutput {
  std::string_view name;
  std::span<float> data = {};  // [batch, size] of a vector; [steps of its time, batch, size] of a sequence
};

/// A time of a network other than T.
struct NamedTime {
  std::string_view name;
  std::int64_t steps = 0;
  std::span<const std::int32_t> lengths = {};  // as RunArguments::lengths
};

/// The arguments of a call are what it reads and writes. A span may be longer than the call needs; its rest is left
/// alone.
struct RunArguments {
  std::span<const float> x = {};  // [steps, batch, input_size]
  std::span<float> y = {};        // [steps, batch, output_size]; of a network, see Program::output_time
  std::int64_t steps = 0;
  /// The lengths if sequences differ in length: [batch], each <= steps. Rows of x beyond a sequence's length are not
  /// used, y and other outputs are zero there, and the final state of a sequence is that of its own last step.
  std::span<const std::int32_t> lengths = {};
  std::span<const NamedInput> inputs = {};  // every one of Program::named_inputs, in any order
  std::span<const NamedTime> times = {};    // every time but T that the network has, in any order
  Workspace* workspace = nullptr;           // null for the state's own
  /// The caller names the outputs after the first that it wants, in any order; the others are not written.
  std::span<const NamedOutput> outputs = {};
};

/// The name and shape of an input, output or state, of one sequence at one step: [] is a scalar.
struct Port {
  std::string name;
  Shape shape;

  /// Returns the elements that a row has of it.
  std::int64_t size() const noexcept { return shape.empty() ? 1 : shape.front(); }
};

/// An input of a network that is given by name, or an output. `time` is "" for a vector, which has one value for a
/// whole sequence.
struct NamedPort {
  Port port;
  std::string time;
};

/// A program is run as code generated for the CPU, or as operations that are executed one after another. Every system
/// allows the second, which takes up to four times as long.
enum class Backend {
  Auto,  // Jit if the system allows it
  Jit,
  Portable,
  Tiered,  // Portable at once, and Jit as soon as the code is there; Portable if the system allows nothing else
};

class Program {
 public:
  explicit Program(std::shared_ptr<const runtime::LoadedProgram> loaded) : loaded_(std::move(loaded)) {}

  std::vector<Port> inputs() const;             // side by side in a row of x, in this order
  std::vector<Port> states() const;             // of a network `a.h`, or `a.fwd.h` of two directions
  std::vector<NamedPort> named_inputs() const;  // of a network, those that are not in x
  /// Returns the outputs in the order of the text. The first is y, and "y" is its name where the text gives it none.
  std::vector<NamedPort> outputs() const;
  /// Returns the time of y: "T", or another of the network's times; "" if y is a vector, [batch, output_size].
  std::string output_time() const;
  std::int64_t input_size() const noexcept;   // floats of a row of x
  std::int64_t output_size() const noexcept;  // floats of a row of y
  std::string name() const;                   // of the cell or network
  std::string cell() const;                   // the same
  std::string cpu() const;
  /// Returns Jit or Portable, whichever runs the program now; the code of an artifact counts as Jit.
  Backend backend() const noexcept;
  /// Returns the reason why Backend::Auto or Tiered stays with the portable executor; "" for other programs.
  const std::string& fallback() const noexcept;

  /// Waits until a program of Backend::Tiered has its generated code; other programs have nothing to wait for. From
  /// then on every call runs that code, with the same bits. A state that was made before moves to it in its next call,
  /// which allocates nothing: such a state has had memory for both from its beginning, and keeps it. The last owner of
  /// the program and its states waits as well when it destroys them. Errors: Limit if the memory did not suffice for
  /// the code; Unsupported in a child process that was forked before. The program stays Portable then.
  Result<void> wait_for_code() const;

  /// Makes a state of `batch` new sequences, as State::reset leaves them, with a workspace of its own. If all scans run
  /// forwards over T, calls may have any number of steps: a call of more than `max_steps` runs through the network in
  /// pieces of as many, and gives the same bits. A program with a reverse scan, a function over time, a scan that
  /// begins with the end of another or a second time needs whole sequences: calls of its state have at most
  /// `max_steps`, of any of its times. A cell alone takes calls of any length at full speed. Throws std::bad_alloc,
  /// whose text says what is missing, or std::length_error if either argument is < 0 or > 2^31.
  State make_state(std::int64_t batch, std::int64_t max_steps = 1) const;

  /// Makes a state without a workspace: it takes the memory of its states and less than 512 bytes. Calls name a
  /// workspace. Throws as make_state.
  State make_state_without_workspace(std::int64_t batch) const;

  /// Makes the memory of calls of at most `batch` sequences. Calls of more steps than `max_steps` run as make_state
  /// says, those of a cell alone in pieces too. Throws as make_state.
  Workspace make_workspace(std::int64_t batch, std::int64_t max_steps = 1) const;

  /// The same without exceptions. Errors: Limit with the text of what is missing; Usage for arguments that make no
  /// sense.
  Result<State> try_make_state(std::int64_t batch, std::int64_t max_steps = 1) const;
  Result<State> try_make_state_without_workspace(std::int64_t batch) const;
  Result<Workspace> try_make_workspace(std::int64_t batch, std::int64_t max_steps = 1) const;

  /// Return the size in bytes of make_state(batch, max_steps), of make_state_without_workspace(batch) and of
  /// make_workspace(batch, max_steps). Throw std::length_error as make_state.
  std::int64_t state_bytes(std::int64_t batch, std::int64_t max_steps = 1) const;
  std::int64_t bytes_without_workspace(std::int64_t batch) const;
  std::int64_t workspace_bytes(std::int64_t batch, std::int64_t max_steps = 1) const;

  std::int64_t weights_bytes() const noexcept;

  /// Advances every sequence of the batch by `steps` time steps.
  ///
  /// Shapes    x f32[T, B, I], y f32[T, B, O], row-major; T >= 0 and B >= 0 (0 is a no-op)
  /// Numerics  bound per function in docs/numerics.md; NaN propagates; the same bits for every batch size and for a
  ///           sequence in pieces and every floating-point mode of the caller; denormals are flushed inside the
  ///           call; the caller's mode is as before, and so are the flags of exceptions (docs/numerics.md)
  /// Errors    the status tells; state, y and other outputs are untouched then
  /// Threads   concurrent calls are allowed on distinct states; the program's own threads help one of them at a time
  RunStatus run(State& state, const RunArguments& arguments) const noexcept;

  /// Tells whether a sequence in pieces gives the same as one call, which every cell does. A network does not stream if
  /// it reads time backwards, begins a scan with a value that depends on inputs, has a function over time or needs the
  /// end of a sequence in a step. Errors: Unsupported, with the reason.
  Result<void> streams() const;

  /// Runs one time step: `run` with steps = 1, in the state's own workspace or in `workspace`. It gives y; a network
  /// whose other outputs are wanted at each step takes `run` with steps = 1. Errors: NoStreaming, and those of run.
  RunStatus step(State& state, std::span<const float> x, std::span<float> y) const noexcept;
  RunStatus step(State& state, Workspace& workspace, std::span<const float> x, std::span<float> y) const noexcept;

 private:
  friend Result<Program> compile(const Model& model, const TensorMap& weights, const CompileOptions& options);
  std::shared_ptr<const runtime::LoadedProgram> loaded_;
  Backend backend_ = Backend::Jit;
  std::string fallback_;
};

}  // namespace rnnc
