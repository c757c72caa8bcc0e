/* How long a config takes to become a row of columns: bench_encode [CONFIGS] */
#include "layers/encode.h"
#include "layers/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The fastest of five rounds, in ns per row. */
static double row_ns(const struct layer_config *configs, int count, enum encoding encoding)
{
    double fastest_s = 1e9;
    volatile float kept = 0;
    for (int round = 0; round < 5; round++) {
        float row[ENCODE_COLUMN_LIMIT];
        const double start_s = now_s();
        for (int i = 0; i < count; i++) {
            encode_row(row, encoding, &configs[i], true, NULL);
            kept = kept + row[0];
        }
        const double elapsed_s = now_s() - start_s;
        fastest_s = elapsed_s < fastest_s ? elapsed_s : fastest_s;
    }
    return 1e9 * fastest_s / count;
}

int main(int argc, char **argv)
{
    const int count = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20000;
    struct layer_config *configs = calloc((size_t)count, sizeof *configs);
    if (!configs || count < 1)
        return 1;
    printf("layer,encoding,row_ns\n");
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++) {
        struct sample_domain domain;
        sample_domain_default(&domain, (enum layer_kind)kind);
        for (int i = 0; i < count; i++) {
            enum stratum stratum;
            if (sample_draw(&configs[i], &stratum, &domain, 1, (uint32_t)i, NULL) != STATUS_OK)
                return 1;
        }
        for (int encoding = 0; encoding < choice_encoding.count; encoding++)
            printf("%s,%s,%.0f\n", layer_descriptors[kind]->name,
                   choice_name(&choice_encoding, encoding),
                   row_ns(configs, count, (enum encoding)encoding));
    }
    free(configs);
    return 0;
}
