# The libraries that the program needs, of whatever distribution. One that is missing, too old or half there
# is one line that says so; scripts/setup installs all of them, and names their packages elsewhere.
function(missing what packages)
    message(FATAL_ERROR " ${what}: install ${packages}, or run scripts/setup") # the blank: not wrapped
endfunction()

# The header's folder and the library as ${name}_INCLUDE and ${name}_LIBRARY; no package file needed.
function(find_plain name header library)
    find_path(${name}_INCLUDE ${header} PATH_SUFFIXES ${ARGN})
    find_library(${name}_LIBRARY ${library})
    mark_as_advanced(${name}_INCLUDE ${name}_LIBRARY)
endfunction()

# ---- HDF5: the archive where there is one. Debian 12's shared library pulls in curl, Kerberos, LDAP and 30 more,
# which cost every start of the program 5 ms; Debian 13's archive needs them, too, and gains nothing. What the
# archive needs beside it differs: only that is linked.

option(EPOCHCAST_SHARED_HDF5 "Link HDF5's shared library even where there is an archive" OFF)
set(hdf5_packages "libhdf5-dev (Debian, Ubuntu), hdf5-devel (Fedora) or hdf5 (Arch)")
find_package(HDF5 QUIET COMPONENTS C)
if(NOT HDF5_FOUND OR NOT HDF5_C_LIBRARIES)
    missing("HDF5's C library or its headers not found" "${hdf5_packages}")
elseif(HDF5_VERSION VERSION_LESS 1.10)
    missing("HDF5 ${HDF5_VERSION} is too old, 1.10 or later is needed" "${hdf5_packages}")
elseif(HDF5_IS_PARALLEL)
    missing("HDF5 found is built for MPI, the serial one is needed" "${hdf5_packages}")
endif()
list(GET HDF5_C_LIBRARIES 0 hdf5_shared)
if(TARGET "${hdf5_shared}") # HDF5's own package file names a target
    string(TOUPPER "${CMAKE_BUILD_TYPE}" build_type)
    get_target_property(hdf5_file ${hdf5_shared} LOCATION_${build_type})
    set(hdf5_shared ${hdf5_file})
endif()

function(check_hdf5_archive)
    include(CheckCSourceCompiles)
    list(REMOVE_AT HDF5_C_LIBRARIES 0)
    set(CMAKE_REQUIRED_INCLUDES ${HDF5_C_INCLUDE_DIRS})
    set(CMAKE_REQUIRED_LIBRARIES ${HDF5_ARCHIVE} -Wl,--push-state,--as-needed ${HDF5_C_LIBRARIES})
    foreach(library IN ITEMS SZ AEC Z)
        if(${library}_LIBRARY)
            list(APPEND CMAKE_REQUIRED_LIBRARIES ${${library}_LIBRARY})
        endif()
    endforeach()
    list(APPEND CMAKE_REQUIRED_LIBRARIES m ${CMAKE_DL_LIBS} -Wl,--pop-state)
    check_c_source_compiles("#include <hdf5.h>
        int main(void) { return H5Fopen(\"x\", H5F_ACC_RDONLY, H5P_DEFAULT) != 0; }" HDF5_ARCHIVE_LINKS)
    set(hdf5_linked ${CMAKE_REQUIRED_LIBRARIES} PARENT_SCOPE)
endfunction()

if(NOT EPOCHCAST_SHARED_HDF5)
    get_filename_component(hdf5_folder "${hdf5_shared}" DIRECTORY)
    find_library(HDF5_ARCHIVE libhdf5.a PATHS ${hdf5_folder} NO_DEFAULT_PATH)
    find_library(SZ_LIBRARY sz)
    find_library(AEC_LIBRARY aec)
    find_library(Z_LIBRARY z)
    mark_as_advanced(HDF5_ARCHIVE SZ_LIBRARY AEC_LIBRARY Z_LIBRARY)
    if(HDF5_ARCHIVE)
        check_hdf5_archive()
    endif()
endif()
add_library(epochcast_hdf5 INTERFACE)
target_include_directories(epochcast_hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
if(NOT EPOCHCAST_SHARED_HDF5 AND HDF5_ARCHIVE AND HDF5_ARCHIVE_LINKS)
    target_link_libraries(epochcast_hdf5 INTERFACE ${hdf5_linked})
    message(STATUS "HDF5 ${HDF5_VERSION}: ${HDF5_ARCHIVE}")
else()
    target_link_libraries(epochcast_hdf5 INTERFACE ${hdf5_shared})
    message(STATUS "HDF5 ${HDF5_VERSION}: ${hdf5_shared}")
endif()

# ---- zlib: chunks of datasets are inflated in threads, beside HDF5

find_plain(ZLIB zlib.h z)
if(NOT ZLIB_INCLUDE OR NOT ZLIB_LIBRARY)
    missing("zlib not found" "zlib1g-dev (Debian, Ubuntu), zlib-devel (Fedora) or zlib (Arch)")
endif()
target_include_directories(epochcast_hdf5 SYSTEM INTERFACE ${ZLIB_INCLUDE})
target_link_libraries(epochcast_hdf5 INTERFACE ${ZLIB_LIBRARY})

# ---- cJSON

find_plain(CJSON cJSON.h cjson cjson)
if(NOT CJSON_INCLUDE OR NOT CJSON_LIBRARY)
    missing("cJSON not found" "libcjson-dev (Debian, Ubuntu), cjson-devel (Fedora) or cjson (Arch)")
endif()
add_library(epochcast_cjson INTERFACE)
target_include_directories(epochcast_cjson SYSTEM INTERFACE ${CJSON_INCLUDE})
target_link_libraries(epochcast_cjson INTERFACE ${CJSON_LIBRARY})

# ---- oneDNN, of either major version; -Ddnnl_ROOT=FOLDER for one of one's own. Debian 12's asks for OpenCL.

set(dnnl_packages "libdnnl-dev (Debian, Ubuntu) or onednn-devel (Fedora), or name one with -Ddnnl_ROOT=FOLDER")
find_package(OpenCL QUIET)
find_package(dnnl CONFIG QUIET)
if(dnnl_CONSIDERED_CONFIGS AND NOT dnnl_FOUND AND NOT OpenCL_FOUND)
    missing("oneDNN found, but not OpenCL, which it was built for" "ocl-icd-opencl-dev")
elseif(NOT dnnl_FOUND)
    missing("oneDNN not found" "${dnnl_packages}")
elseif(dnnl_VERSION VERSION_LESS 2.6 OR dnnl_VERSION VERSION_GREATER_EQUAL 4)
    missing("oneDNN ${dnnl_VERSION} found, 2.6 to 3.x is needed" "${dnnl_packages}")
endif()
get_target_property(dnnl_configurations DNNL::dnnl IMPORTED_CONFIGURATIONS)
list(GET dnnl_configurations 0 dnnl_configuration)
get_target_property(dnnl_file DNNL::dnnl IMPORTED_LOCATION_${dnnl_configuration})
get_filename_component(dnnl_folder ${dnnl_file} DIRECTORY)
if(dnnl_folder IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
    set(dnnl_library -ldnnl)
else()
    set(dnnl_library ${dnnl_file})
endif()
message(STATUS "oneDNN ${dnnl_VERSION}: ${dnnl_file}")

# ---- The compiler's own

find_package(OpenMP QUIET COMPONENTS C)
if(NOT OpenMP_C_FOUND)
    missing("${CMAKE_C_COMPILER} has no OpenMP" "libomp-dev (for clang; gcc brings its own)")
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set(openmp_library -lgomp)
else()
    list(GET OpenMP_C_LIBRARIES 0 openmp_library)
endif()
find_package(Threads REQUIRED)
