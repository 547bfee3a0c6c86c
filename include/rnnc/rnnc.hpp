// This header includes the whole C++ interface of rnnc.
#pragma once

#include <rnnc/ahead.hpp>
#include <rnnc/artifact.hpp>
#include <rnnc/builder.hpp>
#include <rnnc/compile.hpp>
#include <rnnc/dropout.hpp>
#include <rnnc/executor.hpp>
#include <rnnc/import.hpp>
#include <rnnc/model.hpp>
#include <rnnc/program.hpp>
#include <rnnc/ranges.hpp>
#include <rnnc/result.hpp>
#include <rnnc/session.hpp>
#include <rnnc/tensor.hpp>
#include <rnnc/tensor_files.hpp>
#include <rnnc/training.hpp>
#include <rnnc/version.hpp>
#include <rnnc/weight_format.hpp>
