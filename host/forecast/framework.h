/* A framework's whole steps over the sum of their layers' forecasts: factors that scripts/bench
 * truth fitted on the device, one line of a CSV per device, pass and optimizer:
 *
 *     framework,version,device,pass,optimizer,factor,update_ns_per_parameter,spread_factor,fitted_networks
 *     PyTorch,2.15.0,AMD EPYC,forward,none,1.31,0,1.24,alexnet;resnet18
 *
 * The forecast itself stays as it is: what a framework takes stands beside it.
 */
#ifndef EPOCHCAST_FORECAST_FRAMEWORK_H
#define EPOCHCAST_FORECAST_FRAMEWORK_H

#include "forecast/forecast.h"

enum { FRAMEWORK_LINE_LIMIT = 256 };

struct framework_line {
    char name[32], version[32]; /* "PyTorch", "2.15.0" */
    char device[64];            /* that the factor was fitted on */
    char networks[200];         /* that the factor was fitted on; may be empty */
    int32_t pass, optimizer;
    double factor;    /* measured over forecast */
    double update_ns; /* that the optimizer adds per parameter of 4 bytes; 0 of a forward pass */
    double spread_factor; /* 90 % of steps lie within factor / spread and factor * spread; >= 1 */
};

struct framework {
    struct framework_line lines[FRAMEWORK_LINE_LIMIT];
    int count;
};

/* framework_free releases. Other columns are left alone; version, networks and update may be
 * missing. STATUS_BAD_FILE names file, line and column: no such column, no number, not positive, an
 * unknown pass, two lines of the same step, no line. */
enum status framework_load(struct framework **framework, const char *path, struct error *error);
void framework_free(struct framework *framework); /* NULL is allowed */

/* The line of the forecast's pass and optimizer on that device, or NULL. */
const struct framework_line *framework_find(const struct framework *framework, const char *device,
                                            const struct forecast *forecast);

/* ms = factor * computation + update + communication. The interval is that of the forecast and the
 * spread of the factor, as root of squares of logarithms; NaN where the forecast has none. All NaN
 * for a line that is NULL. */
struct framework_time {
    double ms, low_ms, high_ms, update_ms;
};
struct framework_time framework_time_of(const struct framework_line *line,
                                        const struct forecast *forecast);

#endif
