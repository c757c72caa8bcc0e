/* A config from its text: "dense:inputs=2,outputs=3". */
#ifndef EPOCHCAST_TESTS_PARSED_CONFIG_H
#define EPOCHCAST_TESTS_PARSED_CONFIG_H

#include "layers/describe.h"
#include "test.h"

static inline struct layer_config parsed_config(const char *text)
{
    struct layer_config config;
    struct error error;
    if (describe_parse(&config, text, &error) != STATUS_OK)
        fail_msg("%s: %s", text, error.message);
    return config;
}

#endif
