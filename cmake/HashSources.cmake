# This script writes OUTPUT, a string literal with a hash of all SOURCES, which changes with each of them.
set(hashes "")
foreach(source IN LISTS SOURCES)
  file(SHA256 "${source}" hash)
  string(APPEND hashes "${hash}\n")
endforeach()
string(SHA256 hash "${hashes}")
file(WRITE "${OUTPUT}" "\"${hash}\"\n")
