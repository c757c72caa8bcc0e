/* How the shim runs a grid. */
#ifndef SHIM_FIBERS_H
#define SHIM_FIBERS_H

#include "cuda_runtime.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define SHIM_ADDRESS 1
#else
#define SHIM_ADDRESS 0
#endif

namespace shim
{
const size_t page_bytes = 4096; /* of memory that shim_guard protects */

/* `body` for every thread: block after block, a block's threads by turns. */
void run_grid(dim3 grid, dim3 size, bool overlaps, const std::function<void()> &body);
} // namespace shim

#endif
