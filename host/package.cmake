# The target `uninstall`, and a Debian package of what `cmake --install` installs:
#
#   cmake -S . -B build-deb -DCMAKE_INSTALL_PREFIX=/usr -DEPOCHCAST_SHARED_HDF5=ON
#   cmake --build build-deb && (cd build-deb && cpack -G DEB)
#
# Its dependencies are those of the programs in it: dpkg-shlibdeps (package dpkg-dev) finds them.
add_custom_target(uninstall VERBATIM
    COMMAND ${CMAKE_COMMAND} -DMANIFEST=${PROJECT_BINARY_DIR}/install_manifest.txt
            -P ${PROJECT_SOURCE_DIR}/host/uninstall.cmake)

set(CPACK_PACKAGE_NAME epochcast)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "forecasts how long a neural network takes to train or run on a device")
set(CPACK_PACKAGE_CONTACT "the epochcast authors <epochcast@localhost>" CACHE STRING "Maintainer of a package")
set(CPACK_PACKAGE_FILE_NAME epochcast)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS gnuplot-nox)
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
include(CPack)
