# What `cmake --install` (or `make install`) puts where; the manual page and bash's completion are
# printed by the program that was built.
set(documents ${PROJECT_BINARY_DIR}/documents)
file(MAKE_DIRECTORY ${documents})
add_custom_command(OUTPUT ${documents}/epochcast.1 ${documents}/epochcast
                   COMMAND epochcast --man > ${documents}/epochcast.1
                   COMMAND epochcast --completion bash > ${documents}/epochcast
                   VERBATIM)
add_custom_target(epochcast_documents ALL DEPENDS ${documents}/epochcast.1 ${documents}/epochcast)
install(FILES ${documents}/epochcast.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${documents}/epochcast DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)

install(TARGETS epochcast)
install(TARGETS epochcast_shared epochcast_static EXPORT epochcast)
install(FILES host/library/epochcast.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY datasets/networks DESTINATION ${CMAKE_INSTALL_DATADIR}/epochcast)
install(DIRECTORY datasets/maps DESTINATION ${CMAKE_INSTALL_DATADIR}/epochcast)
install(FILES datasets/devices.csv datasets/prices.csv DESTINATION ${CMAKE_INSTALL_DATADIR}/epochcast)

# README.md with the pages and pictures that it links to; links to pages about the sources become text.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/README.md)
file(READ README.md readme)
string(REGEX REPLACE "\\[([^]]*)\\]\\((cuda|host|scripts|tests)[^)]*\\)" "\\1" readme "${readme}")
string(REPLACE "](LICENSE)" "](copyright)" readme "${readme}")
file(WRITE ${PROJECT_BINARY_DIR}/generated/README.md "${readme}")
install(FILES ${PROJECT_BINARY_DIR}/generated/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
install(FILES datasets/README.md datasets/results.md datasets/LICENSES.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/datasets)
install(DIRECTORY datasets/pictures DESTINATION ${CMAKE_INSTALL_DOCDIR}/datasets)

# pkg-config, and CMake's find_package(epochcast): both find the rest from where they lie.
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/epochcast)
file(RELATIVE_PATH prefix_from_pkgconfig ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" prefix_from_pkgconfig "${prefix_from_pkgconfig}")
string(JOIN " " library_needs ${EPOCHCAST_LIBRARY_NEEDS})
configure_file(host/library/epochcast.pc.in generated/epochcast.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/generated/epochcast.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(EXPORT epochcast NAMESPACE epochcast:: DESTINATION ${package_folder} FILE epochcast-config.cmake)
include(CMakePackageConfigHelpers)
write_basic_package_version_file(generated/epochcast-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/generated/epochcast-config-version.cmake DESTINATION ${package_folder})
