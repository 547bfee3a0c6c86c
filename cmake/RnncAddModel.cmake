# rnnc_add_model(TARGET MODEL file [WEIGHTS file] [NAME name] [CELL name] [VISIBILITY default|hidden] [TARGETS cpu...]
#                [DIMS name=number...])
#
# Compiles a cell or network, imported ones too, ahead of time and adds the object to TARGET, which can then include
# "NAME.h". NAME is the model's file name without its ending unless it is given. The code is for TARGETS, which are CPUs
# by LLVM's names; without TARGETS it is for x86-64-v2, x86-64-v3 and x86-64-v4, of which the first call takes the highest
# that the machine can run. With VISIBILITY hidden, a shared library that TARGET is does not show the object's functions.
# The object needs no library of rnnc.
function(rnnc_add_model target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "MODEL;WEIGHTS;NAME;CELL;VISIBILITY" "TARGETS;DIMS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_MODEL)
    message(FATAL_ERROR "rnnc_add_model(target MODEL file [WEIGHTS file] [NAME name] [CELL name] "
                        "[VISIBILITY default|hidden] [TARGETS cpu...] [DIMS name=number...]): there is no MODEL, or '${arg_UNPARSED_ARGUMENTS}' is unknown")
  endif()
  if(TARGET rnnc::rnnc)
    set(program rnnc::rnnc)
  elseif(TARGET rnnc)
    set(program rnnc)
  else()
    message(FATAL_ERROR "rnnc_add_model needs the program rnnc: install it, or set RNNC_BUILD_TOOLS=ON before "
                        "add_subdirectory")
  endif()
  cmake_path(ABSOLUTE_PATH arg_MODEL)
  if(NOT arg_NAME)
    cmake_path(GET arg_MODEL STEM LAST_ONLY arg_NAME)
  endif()
  set(inputs ${arg_MODEL})
  set(flags "")
  if(arg_WEIGHTS)
    cmake_path(ABSOLUTE_PATH arg_WEIGHTS)
    list(APPEND inputs ${arg_WEIGHTS})
    list(APPEND flags --weights ${arg_WEIGHTS})
  endif()
  if(arg_CELL)
    list(APPEND flags --cell ${arg_CELL})
  endif()
  if(arg_VISIBILITY)
    list(APPEND flags --visibility ${arg_VISIBILITY})
  endif()
  foreach(dim IN LISTS arg_DIMS)
    list(APPEND flags --dim ${dim})
  endforeach()
  if(arg_TARGETS)
    list(JOIN arg_TARGETS "," cpus)
    list(APPEND flags --target ${cpus})
  endif()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/rnnc_models)
  set(object ${folder}/${arg_NAME}.o)
  set(header ${folder}/${arg_NAME}.h)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(
    OUTPUT ${object} ${header}
    COMMAND ${program} compile ${arg_MODEL} ${flags} --name ${arg_NAME} -o ${object} --header ${header}
    DEPENDS ${inputs} ${program}
    COMMENT "Compiling model ${arg_NAME}"
    VERBATIM)
  set_source_files_properties(${object} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  target_sources(${target} PRIVATE ${object} ${header})
  target_include_directories(${target} PRIVATE ${folder})
endfunction()
