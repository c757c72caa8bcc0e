# epochcast_cuda.so, where the toolkit (12 or 13) and cuDNN 9 are found.
option(EPOCHCAST_CUDA "Build the CUDA module where its libraries are found" ON)
set(EPOCHCAST_CUDA_BUILT FALSE)
if(NOT EPOCHCAST_CUDA)
    return()
endif()
find_package(CUDAToolkit 12 QUIET)
if(NOT CUDAToolkit_FOUND OR NOT CUDAToolkit_NVCC_EXECUTABLE)
    message(STATUS "No CUDA toolkit: --device cuda will say so")
    return()
endif()
find_path(CUDNN_INCLUDE cudnn_backend.h HINTS ${CUDAToolkit_INCLUDE_DIRS} ENV CUDNN_ROOT PATH_SUFFIXES include)
find_library(CUDNN_LIBRARY NAMES cudnn libcudnn.so.9 HINTS ${CUDAToolkit_LIBRARY_DIR} ENV CUDNN_ROOT
             PATH_SUFFIXES lib lib64)
if(NOT CUDNN_INCLUDE OR NOT CUDNN_LIBRARY OR NOT TARGET CUDA::cublas OR NOT TARGET CUDA::curand)
    message(STATUS "No cuDNN 9, cuBLAS or cuRAND: --device cuda will say so")
    return()
endif()

if(NOT CMAKE_CUDA_COMPILER)
    set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE})
endif()
# Machine code of these, and of the last one what newer devices compile when they load it.
set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90 CACHE STRING "GPUs to build for")
enable_language(CUDA)
set(CMAKE_CUDA_STANDARD 17)

add_library(epochcast_cudnn INTERFACE)
target_include_directories(epochcast_cudnn SYSTEM INTERFACE ${CUDNN_INCLUDE} ${CUDAToolkit_INCLUDE_DIRS})
target_link_libraries(epochcast_cudnn INTERFACE ${CUDNN_LIBRARY} CUDA::cudart)

file(GLOB sources CONFIGURE_DEPENDS cuda/*.c cuda/*.cu)
list(FILTER sources EXCLUDE REGEX "/module\\.c$")
add_library(epochcast_cuda_objects OBJECT ${sources})
target_include_directories(epochcast_cuda_objects PUBLIC cuda host)
# No contraction: equal to the host's arithmetic. A kernel that spills registers fails the build.
target_compile_options(epochcast_cuda_objects PRIVATE
    "$<$<COMPILE_LANGUAGE:CUDA>:--fmad=false;-Xcompiler=-ffp-contract=off;-Xptxas=-warn-spills;-Xptxas=-Werror>"
    -fvisibility=hidden)
target_link_libraries(epochcast_cuda_objects PUBLIC epochcast_cudnn CUDA::cublas CUDA::curand epochcast_trainer)

add_library(epochcast_cuda MODULE cuda/module.c)
target_include_directories(epochcast_cuda PRIVATE ${PROJECT_BINARY_DIR}/generated)
target_link_libraries(epochcast_cuda PRIVATE epochcast_cuda_objects)
# Copies of the host's functions inside, invisible outside: the program has its own.
target_link_options(epochcast_cuda PRIVATE -Wl,--exclude-libs,ALL -Wl,--as-needed)
set_target_properties(epochcast_cuda PROPERTIES PREFIX "" C_VISIBILITY_PRESET hidden
                      LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
install(TARGETS epochcast_cuda DESTINATION lib/epochcast)
set(EPOCHCAST_CUDA_BUILT TRUE)
