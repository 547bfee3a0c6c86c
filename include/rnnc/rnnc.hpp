// The whole C++ interface of rnnc.
#pragma once

#include <rnnc/builder.hpp>
#include <rnnc/compile.hpp>
#include <rnnc/import.hpp>
#include <rnnc/model.hpp>
#include <rnnc/program.hpp>
#include <rnnc/result.hpp>
#include <rnnc/session.hpp>
#include <rnnc/tensor.hpp>
#include <rnnc/tensor_files.hpp>
