/* Caveats of forecasts as the commands show them. */
#ifndef EPOCHCAST_CLI_CAVEAT_NOTES_H
#define EPOCHCAST_CLI_CAVEAT_NOTES_H

#include "base/json.h"
#include "forecast/caveats.h"

/* On stderr, a line each: the loud ones as warnings, before a document; else the others as notes,
 * behind it. */
void print_caveats(const struct caveats *caveats, bool loud);
/* "caveats": [{"caveat": "bounds", "text": "..."}] */
void json_caveats(struct json *json, const struct caveats *caveats);

#endif
