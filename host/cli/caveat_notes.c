#include "cli/caveat_notes.h"

#include "base/term.h"

void print_caveats(const struct caveats *caveats, bool loud)
{
    for (int i = 0; i < caveats->count; i++)
        if (caveats->list[i].is_loud == loud)
            term_message(stderr, "%s: %s\n", loud ? "warning" : "note", caveats->list[i].text);
}

void json_caveats(struct json *json, const struct caveats *caveats)
{
    json_open(json, "caveats", '[');
    for (int i = 0; i < caveats->count; i++) {
        json_open(json, NULL, '{');
        json_string(json, "caveat", choice_name(&choice_caveat, (int)caveats->list[i].kind));
        json_string(json, "text", caveats->list[i].text);
        json_close(json, '}');
    }
    json_close(json, ']');
}
