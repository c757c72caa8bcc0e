/* Operators that an ONNX file has as several nodes. */
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "cli/show.h"

void print_patterns(const struct network *network, int indent)
{
    char line[512], counts[480] = "";
    for (int i = 0; i < network->pattern_count; i++)
        text_list_add(counts, sizeof counts, ", ", "%d %s", network->patterns[i].count,
                      network->patterns[i].name);
    if (network->pattern_count == 0)
        return;
    snprintf(line, sizeof line, "recognised: %s", counts);
    printf("%-*s", indent, "patterns");
    table_print_wrapped(stdout, line, TABLE_WIDTH - indent, indent);
}

void json_patterns(struct json *json, const struct network *network)
{
    json_open(json, "recognised", '{');
    for (int i = 0; i < network->pattern_count; i++)
        json_integer(json, network->patterns[i].name, network->patterns[i].count);
    json_close(json, '}');
}
