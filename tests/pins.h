/* Hashes that must not change, one per kind. */
#ifndef EPOCHCAST_TESTS_PINS_H
#define EPOCHCAST_TESTS_PINS_H

#include "layers/layer.h"
#include "test.h"

struct pin {
    const char *kind;
    uint64_t hash;
};

/* Prints every hash that differs, to be pinned anew, and fails. */
static inline void assert_pinned(const struct pin *pins, size_t count,
                                 uint64_t (*hash_of)(enum layer_kind kind))
{
    int wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t hash = hash_of((enum layer_kind)layer_kind_find(pins[i].kind));
        if (hash != pins[i].hash)
            print_message("%s: 0x%016llx\n", pins[i].kind, (unsigned long long)hash);
        wrong += hash != pins[i].hash;
    }
    assert_int_equal(wrong, 0);
}

#endif
