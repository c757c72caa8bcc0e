#ifndef EPOCHCAST_BASE_CLOCK_H
#define EPOCHCAST_BASE_CLOCK_H

/* Monotonic seconds (CLOCK_MONOTONIC). */
double monotonic_s(void);

#endif
