# The CUDA sources on the CPU: tests/shim stands in for the toolkit, whether or not there is one.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    enable_language(CXX)
    set(CMAKE_CXX_STANDARD 17)
    file(GLOB shim_kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cuda/*.cu)
    set_source_files_properties(${shim_kernels} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
    # All of cuda/ but what is cuRAND's and cuDNN's graph interface: doubles stand in for those.
    file(GLOB shim_hosts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cuda/*.c)
    list(FILTER shim_hosts EXCLUDE REGEX "/(module|sampler_words|convolution_graph|convolution_plans|cudnn_descriptor)\\.c$")
    set_source_files_properties(shim/libraries.c PROPERTIES COMPILE_OPTIONS -Wno-unused-parameter)
    add_library(epochcast_shim STATIC shim/fibers.cpp shim/runtime.cpp shim/products.cpp shim/sampler_words.c
                shim/libraries.c ${shim_kernels} ${shim_hosts})
    target_include_directories(epochcast_shim BEFORE PUBLIC shim ${PROJECT_SOURCE_DIR}/cuda)
    set(shim_options -ffp-contract=off -Wall -Wextra -Wno-unknown-pragmas)
    target_compile_options(epochcast_shim PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${shim_options}>")
    target_link_libraries(epochcast_shim PUBLIC epochcast_trainer)
    file(GLOB shim_tests CONFIGURE_DEPENDS test_*_shim.c)
    foreach(source IN LISTS shim_tests)
        get_filename_component(name ${source} NAME_WE)
        add_cmocka_test(${name} epochcast_shim)
    endforeach()

    # Modules whose GPU is the shim: of this build, and of another one.
    foreach(module IN ITEMS shim_module stale_module)
        add_library(${module} MODULE shim/module.c)
        target_include_directories(${module} PRIVATE ${PROJECT_BINARY_DIR}/generated)
        target_link_libraries(${module} PRIVATE epochcast_shim)
    endforeach()
    # The real module's backend and plans, on the shim and its doubles.
    add_library(shim_backend_module MODULE ${PROJECT_SOURCE_DIR}/cuda/module.c)
    target_include_directories(shim_backend_module PRIVATE ${PROJECT_BINARY_DIR}/generated)
    target_link_libraries(shim_backend_module PRIVATE epochcast_shim)
    target_compile_definitions(shim_module PRIVATE MODULE_COMMIT=EPOCHCAST_COMMIT)
    target_compile_definitions(stale_module PRIVATE MODULE_COMMIT="stale")
    add_cmocka_test(test_cuda_module)
    target_compile_definitions(test_cuda_module PRIVATE
        SHIM_MODULE="$<TARGET_FILE:shim_module>" STALE_MODULE="$<TARGET_FILE:stale_module>"
        BACKEND_MODULE="$<TARGET_FILE:shim_backend_module>"
        CUDA_MODULE="${PROJECT_BINARY_DIR}/bin/epochcast_cuda.so")
    add_dependencies(test_cuda_module epochcast shim_module stale_module shim_backend_module)

    add_test(NAME shim_races COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/shim/races)
    set_tests_properties(shim_races PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endif()

# Against the toolkit itself: some without a GPU, test_*_gpu on one (they skip elsewhere).
if(EPOCHCAST_CUDA_BUILT)
    add_library(fake_nvml MODULE fake_nvml.c)
    file(GLOB gpu_tests CONFIGURE_DEPENDS test_*_gpu.c)
    foreach(source IN ITEMS ${gpu_tests} test_convolution_graph.c test_cuda_plan.c test_gpu_info.c)
        get_filename_component(name ${source} NAME_WE)
        add_cmocka_test(${name} epochcast_cuda_objects)
        if(name MATCHES "_gpu$")
            set_tests_properties(${name} PROPERTIES LABELS gpu)
        endif()
    endforeach()
    target_link_libraries(test_backend_gpu PRIVATE kind_references)
    target_link_libraries(test_cuda_plan PRIVATE kind_references)
    target_compile_definitions(test_gpu_info PRIVATE FAKE_NVML="$<TARGET_FILE:fake_nvml>")
    add_dependencies(test_gpu_info fake_nvml)
endif()
