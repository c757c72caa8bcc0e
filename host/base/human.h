/* Figures for people: "15.6 ms", "2 h 10 min", "3.81 GiB", "30.97 GFLOP". For text and HTML only;
 * csv and json hold figures in the unit that their name ends in.
 */
#ifndef EPOCHCAST_BASE_HUMAN_H
#define EPOCHCAST_BASE_HUMAN_H

#include <stddef.h>

/* The quantity of a figure, and its unit. */
enum unit_scale {
    SCALE_NONE,    /* "%.4g" */
    SCALE_NUMBER,  /* 0.25, 312.5, 138.4 M; whole below 10,000 */
    SCALE_US,      /* a time in us */
    SCALE_MS,      /* a time in ms */
    SCALE_S,       /* a time in s */
    SCALE_BYTES,   /* 512 B, 3.81 GiB: units of 1024, as --device-memory reads them */
    SCALE_FLOP,    /* 30.97 GFLOP */
    SCALE_GFLOPS,  /* a rate in GFLOP/s: 19.5 TFLOP/s */
    SCALE_GBPS,    /* a rate in GB/s, of 1e9 bytes as hardware is sold */
    SCALE_MHZ,     /* 2.6 GHz */
    SCALE_PERCENT, /* 12.3 % */
    SCALE_MONEY,   /* 562.65; no currency */
    SCALE_KWH,     /* 1.2 kWh */
    SCALE_COUNT
};

enum { HUMAN_TEXT_SIZE = 32 };

/* The figure with `digits` significant digits (0: those of the scale); "-" unless it is finite.
 * Returns text. */
const char *human_text(char text[HUMAN_TEXT_SIZE], enum unit_scale scale, double value, int digits);

#endif
