# This script writes OUTPUT, which has an initializer {"name", R"rnn(text)rnn"} for each file of CELLS.
set(content "")
foreach(cell IN LISTS CELLS)
  get_filename_component(name "${cell}" NAME_WE)
  file(READ "${cell}" text)
  string(APPEND content "{\"${name}\", R\"rnn(${text})rnn\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "${content}")
