# rnnc_library(NAME [LINKS DEP...]) makes the library rnnc::NAME from the objects of the static library rnnc_NAME: a
# shared one, or a static one where BUILD_SHARED_LIBS is OFF. Programs of others link it; our own programs and tests link
# rnnc_NAME, since they use internal functions.
include(GNUInstallDirs)

option(RNNC_UNITY "Compile the sources of a folder together, eight at a time: a whole build takes half as long" OFF)

# rnnc_unity(TARGET) does so for a target. Sources with options of their own are compiled alone.
function(rnnc_unity target)
  if(NOT RNNC_UNITY)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.cpp$")
  foreach(source IN LISTS sources)
    get_filename_component(folder ${source} DIRECTORY)
    string(MAKE_C_IDENTIFIER "${folder}" folder)
    math(EXPR group "0${count_${folder}} / 8")
    math(EXPR count_${folder} "0${count_${folder}} + 1")
    set_property(SOURCE ${source} PROPERTY UNITY_GROUP ${folder}_${group})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()

function(rnnc_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINKS")
  set(static rnnc_${name})
  set(shared rnnc_${name}_shared)
  set_target_properties(${static} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(DEFINED BUILD_SHARED_LIBS AND NOT BUILD_SHARED_LIBS)
    add_library(${shared} STATIC $<TARGET_OBJECTS:${static}>)
    # The archive has the name of the static library that our own programs link, so that it needs a folder of its own.
    set_target_properties(${shared} PROPERTIES ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/static)
  else()
    add_library(${shared} SHARED $<TARGET_OBJECTS:${static}>)
  endif()
  # A project that sets no standard gets the one of our C++ headers; one that sets its own may want the C interface only.
  target_compile_features(${shared} INTERFACE $<$<NOT:$<BOOL:$<TARGET_PROPERTY:CXX_STANDARD>>>:cxx_std_20>)
  add_library(rnnc::${name} ALIAS ${shared})
  set_target_properties(${shared} PROPERTIES
    OUTPUT_NAME rnnc_${name} EXPORT_NAME ${name} LINKER_LANGUAGE CXX INSTALL_RPATH "$ORIGIN"
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_include_directories(${shared} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                                 $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  # All symbols are resolved when the library is loaded, since a real-time thread may make the first call; unused code
  # is removed.
  target_link_options(${shared} PRIVATE LINKER:-z,now LINKER:--gc-sections LINKER:--as-needed)
  if(NOT RNNC_SANITIZE)
    target_link_options(${shared} PRIVATE LINKER:-z,defs)
  endif()
  set(requires "")
  foreach(dependency IN LISTS arg_LINKS)
    target_link_libraries(${shared} PUBLIC rnnc_${dependency}_shared)
    string(APPEND requires " rnnc-${dependency}")
  endforeach()

  install(TARGETS ${shared} EXPORT rnnc-${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${name}
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${name})
  install(EXPORT rnnc-${name} NAMESPACE rnnc:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/rnnc COMPONENT ${name})
  file(RELATIVE_PATH to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/rnnc.pc.in ${PROJECT_BINARY_DIR}/rnnc-${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/rnnc-${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT ${name})
endfunction()
