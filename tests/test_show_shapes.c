/* Shapes of images that are no squares, as `show NETWORK` writes them. */
#include "cli/show_shapes.h"
#include "parsed_config.h"
#include "test.h"

static void sides_of_images_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *layer, *input, *output;
    } cases[] = {
        {"resize:batch_size=1,image_size=4,output_size=8,channels=3,image_width=5,output_width=7",
         "3x4x5", "3x8x7"},
        {"resize:batch_size=2,image_size=7,output_size=14,channels=3", "3x7x7", "3x14x14"},
        {"conv2d:batch_size=1,image_size=4,image_width=6,kernel_size=1,channels_in=2,"
         "channels_out=5,stride=2,padding=same",
         "2x4x6", "5x2x3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct network_layer layer = {.config = parsed_config(cases[i].layer)};
        char text[SHAPE_SIZE];
        write_input_shape(text, &layer);
        assert_string_equal(text, cases[i].input);
        write_output_shape(text, &layer);
        assert_string_equal(text, cases[i].output);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sides_of_images_are_told_apart)};
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
