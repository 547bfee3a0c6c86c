#include "tools/torch_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <rnnc/tensor_files.hpp>

#include "torch_peer.hpp"

extern char** environ;

namespace rnnc::tools {
namespace {

namespace fs = std::filesystem;

Error refused(const std::string& message) { return {ErrorCode::Unsupported, {}, "--against torch: " + message}; }

// A folder for files that two processes share, for as long as this lives.
class SharedFolder {
 public:
  SharedFolder() {
    std::error_code ignored;
    std::string pattern = (fs::temp_directory_path(ignored) / "rnnc-torch-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~SharedFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

bool write_floats(const fs::path& path, const std::vector<float>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(4 * values.size()));
  return file.good();
}

std::vector<float> read_floats(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  const std::string bytes = content.str();
  std::vector<float> values(bytes.size() / 4);
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), 4 * values.size());
  return values;
}

}  // namespace

// Starts a program and exchanges lines with it. A socket, not a pipe, so that a program that has ended raises no signal
// here.
struct TorchProcess::Connection {
  pid_t process = -1;
  int socket = -1;
  std::string unread;

  explicit Connection(std::vector<std::string> command) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::vector<char*> arguments;
    for (std::string& part : command) arguments.push_back(part.data());
    arguments.push_back(nullptr);
    if (posix_spawnp(&process, arguments[0], &actions, nullptr, arguments.data(), environ) != 0) process = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    socket = ends[0];
  }
  ~Connection() {
    if (socket >= 0) close(socket);  // the process reads the end of its input, and ends
    if (process > 0) waitpid(process, nullptr, 0);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool send_line(const std::string& line) const {
    const std::string text = line + "\n";
    return send(socket, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

  /// Returns the next line; "" where the process has ended.
  std::string read_line() {
    for (;;) {
      if (const std::size_t end = unread.find('\n'); end != std::string::npos) {
        std::string line = unread.substr(0, end);
        unread.erase(0, end + 1);
        return line;
      }
      std::array<char, 65536> part{};
      const ssize_t count = recv(socket, part.data(), part.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return "";
      unread.append(part.data(), static_cast<std::size_t>(count));
    }
  }
};

Result<TorchProcess> TorchProcess::start(const std::string& python, const TorchRequest& request) {
  const SharedFolder folder;
  if (folder.path().empty()) return refused("no folder for temporary files can be made; set TMPDIR");
  if (const auto saved = save_safetensors(folder.path() / "weights.safetensors", request.weights); !saved)
    return saved.error();
  const nlohmann::json text = {
      {"prefixes", request.prefixes}, {"relu", request.relu}, {"shape", request.shape}, {"threads", request.threads}};
  std::ofstream(folder.path() / "request.json") << text;
  if (!write_floats(folder.path() / "x.f32", request.x))
    return refused("cannot write " + (folder.path() / "x.f32").string());
  TorchProcess started;
  started.connection_ =
      std::make_shared<Connection>(std::vector<std::string>{python, "-c", kTorchPeer, folder.path().string()});
  if (started.connection_->process < 0) return refused("cannot start " + python);
  const std::string line = started.connection_->read_line();
  if (!line.starts_with("ready "))
    return refused(line.starts_with("failed ") ? "PyTorch: " + line.substr(7) : python + " ended before it was ready");
  started.version_ = line.substr(6);
  started.y_ = read_floats(folder.path() / "y.f32");
  return started;
}

std::vector<double> TorchProcess::take_turn(double seconds) {
  std::vector<double> times;
  if (connection_->send_line("turn " + std::to_string(seconds))) {
    std::istringstream line(connection_->read_line());
    for (double nanoseconds = 0; line >> nanoseconds;) times.push_back(nanoseconds * 1e-9);
  }
  if (times.empty()) throw std::runtime_error("PyTorch has ended while it was timed");
  return times;
}

std::string TorchProcess::find_python(const std::vector<std::string>& pythons) {
  for (const std::string& python : pythons) {
    std::vector<std::string> command = {python, "-c", "import importlib.util as u; print(bool(u.find_spec('torch')))"};
    if (Connection connection(command); connection.read_line() == "True") return python;
  }
  return "";
}

}  // namespace rnnc::tools
