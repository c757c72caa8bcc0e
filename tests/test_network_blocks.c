/* Repeated blocks of networks. */
#include "network/network_blocks.h"
#include "test.h"

#include <stdlib.h>

enum { LAYERS = 16 };

/* A dense layer per letter: equal letters are equal layers. `names`: a first letter each. */
static void assert_blocks(const char *letters, const char *names,
                          const struct network_block *wanted, int wanted_count)
{
    struct network_layer layers[LAYERS] = {0};
    struct network network = {.layers = layers, .layer_count = (int)strlen(letters)};
    struct network_block *blocks;
    struct error error;
    int count;
    for (int i = 0; i < network.layer_count; i++) {
        snprintf(layers[i].name, sizeof layers[i].name, "%c%d", names[i], i);
        layers[i].config = (struct layer_config){
            .kind = LAYER_DENSE, .batch_size = 1, .as.dense = {.inputs = letters[i]}};
    }
    assert_int_equal(network_blocks(&blocks, &count, &network, &error), STATUS_OK);
    assert_int_equal(count, wanted_count);
    for (int i = 0; i < count; i++) {
        assert_int_equal(blocks[i].first, wanted[i].first);
        assert_int_equal(blocks[i].length, wanted[i].length);
        assert_int_equal(blocks[i].times, wanted[i].times);
    }
    free(blocks);
}
#define ASSERT_BLOCKS(letters, names, ...)                                                         \
    do {                                                                                           \
        static const struct network_block wanted[] = {__VA_ARGS__};                                \
        assert_blocks((letters), (names), wanted, sizeof wanted / sizeof *wanted);                 \
    } while (0)

static void repeated_layers_are_folded(void **state)
{
    (void)state;
    ASSERT_BLOCKS("A", "a", {0, 1, 1});
    ASSERT_BLOCKS("AB", "ab", {0, 1, 1}, {1, 1, 1});
    ASSERT_BLOCKS("AAAB", "aaaa", {0, 1, 3}, {3, 1, 1});
    ASSERT_BLOCKS("XABABABY", "aaaaaaaa", {0, 1, 1}, {1, 2, 3}, {7, 1, 1});
    ASSERT_BLOCKS("AABAABAAB", "aaaaaaaaa", {0, 3, 3});
    ASSERT_BLOCKS("ABCABDABC", "aaaaaaaaa", {0, 1, 1}, {1, 1, 1}, {2, 1, 1}, {3, 1, 1}, {4, 1, 1},
                  {5, 1, 1}, {6, 1, 1}, {7, 1, 1}, {8, 1, 1});
}

/* "A BCA BCA BCA": the names say that a block is BCA. */
static void names_say_where_a_block_begins(void **state)
{
    (void)state;
    ASSERT_BLOCKS("ABCABCABCA", "e111222333", {0, 1, 1}, {1, 3, 3});
    ASSERT_BLOCKS("ABCABCABCA", "1112223334", {0, 3, 3}, {9, 1, 1});
}

/* The catalogue's blocks hold every layer once; BERT's are its twelve layers. */
static void blocks_of_the_catalogue(void **state)
{
    (void)state;
    char **names;
    int name_count;
    struct error error;
    assert_int_equal(network_catalogue(&names, &name_count, &error), STATUS_OK);
    assert_true(name_count >= 18);
    for (int i = 0; i < name_count; i++) {
        struct network network;
        struct network_block *blocks;
        int count, layers = 0, most = 0;
        assert_int_equal(network_load(&network, names[i], &error), STATUS_OK);
        assert_int_equal(network_blocks(&blocks, &count, &network, &error), STATUS_OK);
        for (int k = 0; k < count; k++) {
            assert_int_equal(blocks[k].first, layers);
            assert_true(blocks[k].times > 1 || blocks[k].length == 1);
            layers += blocks[k].length * blocks[k].times;
            most = blocks[k].times > blocks[most].times ? k : most;
        }
        assert_int_equal(layers, network.layer_count);
        if (strcmp(names[i], "bert_base") == 0) {
            assert_int_equal(blocks[most].times, 12);
            assert_string_equal(network.layers[blocks[most].first].name, "layer0_query");
        }
        free(blocks);
        network_free(&network);
    }
    free(names);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeated_layers_are_folded),
        cmocka_unit_test(names_say_where_a_block_begins),
        cmocka_unit_test(blocks_of_the_catalogue),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
