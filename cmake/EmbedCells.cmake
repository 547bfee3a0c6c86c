# Writes OUTPUT: for each file of CELLS an initializer {"name", R"rnn(text)rnn"}.
set(content "")
foreach(cell IN LISTS CELLS)
  get_filename_component(name "${cell}" NAME_WE)
  file(READ "${cell}" text)
  string(APPEND content "{\"${name}\", R\"rnn(${text})rnn\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "${content}")
