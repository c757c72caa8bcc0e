#include "pictures/picture.h"

void picture_range_add(struct picture_range *range, double value)
{
    if (!(value > 0) || !isfinite(value))
        return;
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
}

static void set_range(struct picture *picture, char axis, double low, double high)
{
    fprintf(picture->script, "set %crange [%.6g:%.6g]\n", axis, low, high);
}

/* ---- round values ---- */

static const double second_ms = 1e3, minute_ms = 6e4, hour_ms = 3.6e6, day_ms = 8.64e7;

/* The smallest round value of the times from half a minute on that is >= ms. */
static double round_long_time(double ms)
{
    const double steps[] = {30 * second_ms, minute_ms,      2 * minute_ms, 5 * minute_ms,
                            10 * minute_ms, 20 * minute_ms, hour_ms,       2 * hour_ms,
                            5 * hour_ms,    10 * hour_ms,   day_ms,        2 * day_ms,
                            5 * day_ms};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i] >= ms * (1 - 1e-9))
            return steps[i];
    return NAN;
}

/* Of each decade. */
static const double coarse_steps[] = {1, 2, 5, 10, 0},
                    fine_steps[] = {1, 1.5, 2, 3, 4, 5, 7, 10, 0};

/* The smallest value of `steps` 10^k that is >= value. */
static double round_decimal(double value, const double *steps)
{
    const double decade = pow(10, floor(log10(value)));
    for (; *steps > 0; steps++)
        if (*steps * decade >= value * (1 - 1e-9))
            return *steps * decade;
    return value;
}

/* The smallest round value of the scale that is >= value, which is above 0. */
static double round_up(double value, const double *steps, enum unit_scale scale)
{
    if (scale == SCALE_BYTES)
        return exp2(ceil(log2(value) - 1e-9));
    if (scale != SCALE_MS || value <= 20 * second_ms)
        return round_decimal(value, steps);
    const double ms = round_long_time(value);
    return isnan(ms) ? day_ms * round_decimal(value / day_ms, coarse_steps) : ms;
}

/* ---- tics ---- */

/* Round values need no decimals. */
static void put_tic(struct picture *picture, double value, enum unit_scale scale, bool is_first)
{
    char text[HUMAN_TEXT_SIZE];
    if (!(value > 0) || scale == SCALE_MONEY || scale == SCALE_PERCENT)
        snprintf(text, sizeof text, "%g%s", value, scale == SCALE_PERCENT ? " %" : "");
    else
        human_text(text, scale, value, 0);
    fputs(is_first ? "" : ", ", picture->script);
    picture_tic_text(picture, text);
    fprintf(picture->script, " %.9g", value);
}

void picture_linear_axis(struct picture *picture, char axis, double end, enum unit_scale scale)
{
    enum { TICS = 6 };
    const double high = end > 0 && isfinite(end) ? end : 1;
    const double step = round_up(high / TICS, coarse_steps, scale);
    set_range(picture, axis, 0, high);
    fprintf(picture->script, "set %ctics (", axis);
    for (int i = 0; i * step <= high; i++)
        put_tic(picture, i * step, scale, i == 0);
    fputs(")\n", picture->script);
}

/* How far apart tics of an axis of at most so many decades are at least. */
struct spacing {
    double decades, factor;
    const double *steps;
};
static const struct spacing spacings[] = {
    {0.6, 1.01, fine_steps},      /* 1, 1.5, 2, 3, ... */
    {2.3, 1.01, coarse_steps},    /* 1, 2, 5, ... */
    {3.5, 4, coarse_steps},       /* 1, 5, 20, 100, ... */
    {7, 9.9, coarse_steps},       /* decades */
    {INFINITY, 99, coarse_steps}, /* every second one */
};

static void put_log_tics(struct picture *picture, char axis, double low, double high,
                         enum unit_scale scale)
{
    enum { TIC_LIMIT = 40 };
    const struct spacing *spacing = spacings;
    while (log10(high / low) > spacing->decades)
        spacing++;
    double tic = spacing->factor > 4 ? pow(10, ceil(log10(low) - 1e-9))
                                     : round_up(low, spacing->steps, scale);
    fprintf(picture->script, "set %ctics (", axis);
    for (int i = 0; tic <= high && i < TIC_LIMIT; i++) {
        put_tic(picture, tic, scale, i == 0);
        tic = round_up(tic * spacing->factor, spacing->steps, scale);
    }
    fputs(")\n", picture->script);
}

void picture_log_axis(struct picture *picture, char axis, struct picture_range range,
                      enum unit_scale scale)
{
    fprintf(picture->script, "set logscale %c\nset format %c '%%g'\n", axis, axis);
    if (!(range.high > 0))
        return;
    const double low = range.low / 1.3, high = range.high * 1.3;
    set_range(picture, axis, low, high);
    put_log_tics(picture, axis, low, high, scale);
}

void picture_batch_axis(struct picture *picture, struct picture_range range)
{
    fputs("set logscale x 2\nset format x '%g'\n", picture->script);
    set_range(picture, 'x', range.low / 1.15, range.high * 1.15);
}
