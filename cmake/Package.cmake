# This file installs everything besides the libraries: headers, the program, and the files that find_package(rnnc)
# reads.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/rnnc)
install(DIRECTORY include/rnnc DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT runtime PATTERN join.hpp EXCLUDE
  PATTERN default_float_environment.hpp EXCLUDE)
if(RNNC_BUILD_TOOLS)
  install(TARGETS rnnc EXPORT rnnc-tools RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
  if(NOT CMAKE_CROSSCOMPILING)
    set(about ${PROJECT_BINARY_DIR}/tools)
    set(share ${CMAKE_INSTALL_DATADIR})
    install(FILES ${about}/rnnc.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
    install(FILES ${about}/rnnc.bash DESTINATION ${share}/bash-completion/completions RENAME rnnc COMPONENT tools)
    install(FILES ${about}/_rnnc DESTINATION ${share}/zsh/site-functions COMPONENT tools)
    install(FILES ${about}/rnnc.fish DESTINATION ${share}/fish/vendor_completions.d COMPONENT tools)
  endif()
  install(EXPORT rnnc-tools NAMESPACE rnnc:: DESTINATION ${package_dir} COMPONENT tools)
endif()
configure_package_config_file(cmake/rnncConfig.cmake.in ${PROJECT_BINARY_DIR}/rnncConfig.cmake
                              INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/rnncConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/rnncConfig.cmake ${PROJECT_BINARY_DIR}/rnncConfigVersion.cmake cmake/RnncAddModel.cmake
        DESTINATION ${package_dir} COMPONENT runtime)
