/* The catalogue of devices: figures of data sheets, for forecasts of devices that nobody measured.
 * A CSV (datasets/devices.csv; datasets/README.md describes the columns), found as the file that
 * $EPOCHCAST_DEVICES names, in the installation, or beside the program that was built. */
#ifndef EPOCHCAST_DATA_DEVICE_CATALOGUE_H
#define EPOCHCAST_DATA_DEVICE_CATALOGUE_H

#include "bench/backend.h"

#define CATALOGUE_TYPES(X) X(TYPE_GPU, "gpu") X(TYPE_CPU, "cpu") X(TYPE_ACCELERATOR, "accelerator")
enum catalogue_type { CATALOGUE_TYPES(CHOICE_ENUMERATOR) };
extern const struct choice choice_catalogue_type;

/* NaN: unknown. Rates of tensor cores are dense, with fp32 accumulation. */
struct catalogue_device {
    char name[64], aliases[256]; /* aliases joined by ';' */
    char vendor[32], technology[32], link[16];
    int32_t type; /* enum catalogue_type */
    double memory_bytes, bandwidth_gbps, cache_bytes, unit_count, core_count, base_mhz, boost_mhz;
    double fp32_gflops, fp16_gflops; /* without tensor cores */
    double tf32_tensor_gflops, fp16_tensor_gflops, bf16_tensor_gflops, fp8_tensor_gflops;
    double tdp_watts, year;
};

enum { CATALOGUE_DEVICE_LIMIT = 1024 };
struct device_catalogue {
    struct catalogue_device *devices; /* owned */
    int count;
};

/* STATUS_FAILED: no such file is installed. STATUS_BAD_FILE names file, line and column: a missing
 * column, a number below 0 or not finite, a text too long, a name of two devices, too many. */
enum status device_catalogue_load(struct device_catalogue *catalogue, struct error *error);
enum status device_catalogue_read(struct device_catalogue *catalogue, const char *path,
                                  struct error *error);
bool device_catalogue_is_there(void); /* a file to load */
void device_catalogue_free(struct device_catalogue *catalogue);

/* The device of that name or alias, or NULL. Case, blanks, '-', '_' and brackets do not count, nor
 * do vendor and series in front: "NVIDIA A100-SXM4-80GB", "Tesla T4", "GeForce RTX 3090". */
const struct catalogue_device *device_catalogue_find(const struct device_catalogue *catalogue,
                                                     const char *name);
/* The name or alias nearest to `name`, or NULL: for "did you mean ...?". `text` holds it. */
const char *device_catalogue_nearest(char text[64], const struct device_catalogue *catalogue,
                                     const char *name);

/* As a model sees it: nominal rates, nothing measured; backend "catalogue". */
struct device_info device_catalogue_info(const struct catalogue_device *device);

/* Gives `info` the device's name, and what it does not know of its hardware. */
void device_catalogue_complete(struct device_info *info, const struct catalogue_device *device);

/* Two names are of one device of the catalogue. */
bool device_catalogue_same(const struct device_catalogue *catalogue, const char *a, const char *b);

#endif
