/* Inside of the list of caveats: its parts add to one list. */
#ifndef EPOCHCAST_FORECAST_CAVEATS_PARTS_H
#define EPOCHCAST_FORECAST_CAVEATS_PARTS_H

#include "forecast/caveats.h"

/* The forecasts that the caveats are about. */
struct subject {
    const struct forecast *const *forecasts;
    int count;
    const struct network *network;
    const struct predictor *predictor;
};

/* Appends to the text, cut at its end. */
void caveat_text(struct caveat *caveat, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A new one, without a text. */
struct caveat *caveats_add(struct caveats *caveats, enum caveat_kind kind);

/* caveats_model.c; for count >= 1 forecasts */
void caveats_add_errors(struct caveats *caveats, const struct subject *subject);
void caveats_add_few_rows(struct caveats *caveats, const struct subject *subject);

#endif
