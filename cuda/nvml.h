/* NVML, NVIDIA's management library: the device's links, clocks and temperature.
 *
 * Opened on demand with prototypes of our own, as headers and library may be absent. Everything
 * here is extra: whoever gets STATUS_NO_DEVICE goes on with NULL in place of a struct nvml, which
 * stands for a device of which nothing is known.
 */
#ifndef EPOCHCAST_CUDA_NVML_H
#define EPOCHCAST_CUDA_NVML_H

#include "base/error.h"
#include "bench/backend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nvml;

/* The device at `pci_bus_id` as cudaDeviceGetPCIBusId writes it: "0000:19:00.0". path: the library,
 * NULL for the driver's. STATUS_NO_DEVICE: no library, no driver or no such device; *nvml is NULL
 * on error. Not for two threads at once. */
enum status nvml_open(struct nvml **nvml, const char *pci_bus_id, const char *path,
                      struct error *error);
void nvml_close(struct nvml *nvml); /* NULL is allowed */

/* "NVLink" when a link is active, else the fastest that device and board can do, "PCIe5 x16";
 * "PCIe" when they do not say. */
void nvml_link(char connectivity[16], const struct nvml *nvml);

/* The device now, `throttled` included, as of 100 ms ago at most: reading takes up to some ms. One
 * that was throttled is read again. */
void nvml_conditions(struct conditions *out, struct nvml *nvml);

/* Below 75 % of the maximum clock because of heat, power or a hardware slowdown. Such a reason at a
 * high clock is ordinary under load, or a flag that stays; low clocks without a reason are an idle
 * device or clocks locked by the user. */
bool conditions_throttled(const struct conditions *conditions);

/* "sw_power_cap,hw_thermal"; bits without a name as "0x200"; empty for 0. 160 characters hold all;
 * what does not fit `size` is left out as a whole. */
void conditions_text(char *text, size_t size, int64_t clock_events);

#endif
