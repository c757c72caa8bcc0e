#include "base/human.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/* Units of one scale, ascending; a figure takes the first unit of which it is less than the next.
 */
struct scaled_unit {
    const char *name;
    double size; /* in the unit that figures come in */
};
enum { UNIT_LIMIT = 8 };

static const struct scale {
    int digits;
    struct scaled_unit units[UNIT_LIMIT]; /* ended by a size of 0, or by the limit */
} scales[SCALE_COUNT] = {
    [SCALE_NUMBER] = {4, {{"", 1}, {" k", 1e3}, {" M", 1e6}, {" G", 1e9}, {" T", 1e12}}},
    [SCALE_BYTES] = {3,
                     {{" B", 1},
                      {" KiB", 0x1p10},
                      {" MiB", 0x1p20},
                      {" GiB", 0x1p30},
                      {" TiB", 0x1p40},
                      {" PiB", 0x1p50}}},
    [SCALE_FLOP] = {4,
                    {{" FLOP", 1},
                     {" kFLOP", 1e3},
                     {" MFLOP", 1e6},
                     {" GFLOP", 1e9},
                     {" TFLOP", 1e12},
                     {" PFLOP", 1e15},
                     {" EFLOP", 1e18}}},
    [SCALE_GFLOPS] = {3,
                      {{" MFLOP/s", 1e-3}, {" GFLOP/s", 1}, {" TFLOP/s", 1e3}, {" PFLOP/s", 1e6}}},
    [SCALE_GBPS] = {3, {{" MB/s", 1e-3}, {" GB/s", 1}, {" TB/s", 1e3}}},
    [SCALE_MHZ] = {3, {{" MHz", 1}, {" GHz", 1e3}}},
    [SCALE_KWH] = {3, {{" Wh", 1e-3}, {" kWh", 1}, {" MWh", 1e3}, {" GWh", 1e6}}},
};

/* Times below a minute, in s. */
static const struct scale short_times = {3,
                                         {{" ns", 1e-9}, {" us", 1e-6}, {" ms", 1e-3}, {" s", 1}}};

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };
static const double year_s = 365.25 * DAY_S;

/* To that many significant digits; whole numbers beyond them stay whole. */
static double rounded(double value, int digits)
{
    const double exponent = floor(log10(value));
    if (!isfinite(exponent)) // of a number that underflowed or is infinite
        return value;
    const int decimals = digits - 1 - (int)exponent;
    const double factor = pow(10, decimals > 0 ? decimals : 0);
    const double result = round(value * factor) / factor;
    return isfinite(result) ? result : value;
}

/* Prints a rounded number without an exponent, unless it is huge or tiny. */
static int put_number(char *text, double value, int digits)
{
    const bool is_long = value >= pow(10, digits) && value < 1e9;
    return snprintf(text, HUMAN_TEXT_SIZE - 12, "%.*g", is_long ? 9 : digits, value);
}

/* value > 0 */
static void put_scaled(char *text, const struct scale *scale, double value, int digits)
{
    const struct scaled_unit *unit = scale->units;
    const int kept = digits ? digits : scale->digits;
    while (unit + 1 < scale->units + UNIT_LIMIT && unit[1].size > 0 &&
           rounded(value / unit->size, kept) >= round(unit[1].size / unit->size))
        unit++;
    const double number = rounded(value / unit->size, kept);
    const int used = put_number(text, number, kept);
    snprintf(text + used, (size_t)(HUMAN_TEXT_SIZE - 1 - used), "%s", unit->name);
}

/* "1 min 30 s", "2 h 10 min": `whole` counts the small unit, `per_large` of which are a large one.
 */
static void put_pair(char *text, long whole, long per_large, const char *large, const char *small)
{
    const size_t size = HUMAN_TEXT_SIZE - 1;
    if (whole % per_large)
        snprintf(text, size, "%ld %s %ld %s", whole / per_large, large, whole % per_large, small);
    else
        snprintf(text, size, "%ld %s", whole / per_large, large);
}

/* seconds > 0 */
static void put_time(char *text, double seconds, int digits)
{
    if (rounded(seconds, digits ? digits : short_times.digits) < MINUTE_S)
        put_scaled(text, &short_times, seconds, digits);
    else if (round(seconds) < HOUR_S)
        put_pair(text, (long)round(seconds), MINUTE_S, "min", "s");
    else if (seconds < 2 * DAY_S)
        put_pair(text, (long)round(seconds / MINUTE_S), HOUR_S / MINUTE_S, "h", "min");
    else if (seconds < year_s)
        snprintf(text, HUMAN_TEXT_SIZE - 1, seconds < 10 * DAY_S ? "%.1f days" : "%.0f days",
                 seconds / DAY_S);
    else
        snprintf(text, HUMAN_TEXT_SIZE - 1, seconds < 1e4 * year_s ? "%.1f years" : "%.3g years",
                 seconds / year_s);
}

/* Aligned at the decimal point as far as the size allows. */
static void put_percent(char *text, double value)
{
    const int decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    if (value < 1e6)
        snprintf(text, HUMAN_TEXT_SIZE - 1, "%.*f %%", decimals, value);
    else
        snprintf(text, HUMAN_TEXT_SIZE - 1, "%.3g %%", value);
}

static void put_money(char *text, double value)
{
    const char *form = value < 0.995 || value >= 1e15 ? "%.3g" : "%.2f";
    snprintf(text, HUMAN_TEXT_SIZE - 1, form, value);
}

/* value > 0 */
static void put(char *text, enum unit_scale scale, double value, int digits)
{
    if (scale == SCALE_US)
        put_time(text, value / 1e6, digits);
    else if (scale == SCALE_MS)
        put_time(text, value / 1e3, digits);
    else if (scale == SCALE_S)
        put_time(text, value, digits);
    else if (scale == SCALE_PERCENT)
        put_percent(text, value);
    else if (scale == SCALE_MONEY)
        put_money(text, value);
    else if (scale == SCALE_NUMBER && value < 9999.5)
        put_number(text, value, digits ? digits : 4);
    else
        put_scaled(text, &scales[scale], value, digits);
}

const char *human_text(char text[HUMAN_TEXT_SIZE], enum unit_scale scale, double value, int digits)
{
    if (!isfinite(value))
        snprintf(text, HUMAN_TEXT_SIZE, "-");
    else if (scale == SCALE_NONE)
        snprintf(text, HUMAN_TEXT_SIZE, "%.*g", digits ? digits : 4, value);
    else if (value == 0)
        snprintf(text, HUMAN_TEXT_SIZE, scale == SCALE_PERCENT ? "0 %%" : "0");
    else if (scale == SCALE_PERCENT && fabs(value) < 0.005)
        snprintf(text, HUMAN_TEXT_SIZE, "0.00 %%"); // no sign
    else {
        text[0] = '-';
        put(value < 0 ? text + 1 : text, scale, fabs(value), digits);
    }
    return text;
}
