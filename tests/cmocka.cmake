# The CMocka programs: test_<module>.c, one per module.
function(add_cmocka_test name)
    add_executable(${name} ${name}.c)
    target_link_libraries(${name} PRIVATE ${ARGN} epochcast_cli ${CMOCKA_LIBRARY})
    target_include_directories(${name} PRIVATE ${PROJECT_BINARY_DIR}/generated)
    target_include_directories(${name} SYSTEM PRIVATE ${CMOCKA_INCLUDE})
    target_compile_definitions(${name} PRIVATE ${test_definitions})
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600
                         ENVIRONMENT "${test_environment}")
endfunction()

# What the kinds mean: kinds/<kind>.c, one per kind.
file(GLOB reference_sources CONFIGURE_DEPENDS kinds/*.c)
add_library(kind_references STATIC ${reference_sources})
target_link_libraries(kind_references PUBLIC epochcast_layers ${CMOCKA_LIBRARY})
target_include_directories(kind_references PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_include_directories(kind_references SYSTEM PRIVATE ${CMOCKA_INCLUDE})

file(GLOB test_sources CONFIGURE_DEPENDS test_*.c)
set(cuda_tests test_convolution_graph test_gpu_info test_cuda_module test_cuda_plan)
foreach(source IN LISTS test_sources)
    get_filename_component(name ${source} NAME_WE)
    if(NOT name MATCHES "_(shim|gpu)$" AND NOT name IN_LIST cuda_tests)
        add_cmocka_test(${name})
    endif()
endforeach()
foreach(name IN ITEMS test_backend_cpu test_check test_sample)
    target_link_libraries(${name} PRIVATE kind_references)
endforeach()
# Asks the shared library what it asks inside.
target_link_libraries(test_library PRIVATE epochcast_shared)
add_dependencies(test_library epochcast)
add_dependencies(test_outputs epochcast)
include(cuda.cmake)

