#include "layers/describe.h"
#include "test.h"

#include <string.h>

static const char conv_text[] = "conv2d:batch_size=8,pass=train,optimizer=adam,precision=fp32,"
                                "image_size=56,kernel_size=3,channels_in=64,channels_out=128,"
                                "stride=2,padding=same,use_bias=yes,activation=relu";

static void text_round_trips(void **state)
{
    (void)state;
    struct layer_config config, again;
    struct error error;
    char text[512];
    assert_int_equal(describe_parse(&config, conv_text, &error), STATUS_OK);
    assert_int_equal(config.kind, LAYER_CONV2D);
    assert_int_equal(config.as.conv2d.channels_out, 128);
    assert_int_equal(config.optimizer, OPTIMIZER_ADAM);
    assert_int_equal(describe_config(text, sizeof text, &config), strlen(conv_text));
    assert_string_equal(text, conv_text);
    assert_int_equal(describe_parse(&again, text, &error), STATUS_OK);
    assert_memory_equal(&config, &again, sizeof config);
}

static void order_is_free_and_omitted_features_are_minimal(void **state)
{
    (void)state;
    struct layer_config config;
    assert_int_equal(describe_parse(&config, "dense:outputs=3,inputs=2", NULL), STATUS_OK);
    assert_int_equal(config.batch_size, 1);
    assert_int_equal(config.as.dense.inputs, 2);
    assert_int_equal(config.as.dense.outputs, 3);
    assert_int_equal(config.as.dense.activation, ACTIVATION_NONE);
    assert_int_equal(describe_parse(&config, "pool2d", NULL), STATUS_OK);
    assert_int_equal(describe_parse(&config, "pool2d:", NULL), STATUS_OK);
}

static void short_buffers_are_cut_and_the_need_is_told(void **state)
{
    (void)state;
    struct layer_config config;
    char whole[512], text[512];
    assert_int_equal(describe_parse(&config, conv_text, NULL), STATUS_OK);
    const size_t length = describe_config(whole, sizeof whole, &config);
    for (size_t size = 1; size < length; size += 7) {
        memset(text, 'x', sizeof text);
        assert_int_equal(describe_config(text, size, &config), length);
        assert_int_equal(strlen(text), size - 1);
        assert_memory_equal(text, whole, size - 1);
        assert_int_equal(text[size], 'x');
    }
    assert_int_equal(describe_config(NULL, 0, &config), length);
}

static void assert_refused(const char *text, const char *message, const char *hint)
{
    struct layer_config config;
    struct error error;
    assert_int_equal(describe_parse(&config, text, &error), STATUS_USAGE);
    assert_string_equal(error.message, message);
    assert_string_equal(error.hint, hint);
    assert_int_equal(describe_parse(&config, text, NULL), STATUS_USAGE);
}

static void errors_say_what_and_what_to_do(void **state)
{
    (void)state;
    assert_refused("conv3d", "unknown layer kind 'conv3d'", "did you mean 'conv2d'?");
    char known[512] = "known:";
    for (int kind = 0; kind < LAYER_KIND_COUNT; kind++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s %s", kind ? "," : "",
                 layer_descriptors[kind]->name);
    assert_refused("", "unknown layer kind ''", known);
    assert_refused("transformer:x=1", "unknown layer kind 'transformer'", known);
    assert_refused("dense:input=3", "dense has no feature 'input'", "did you mean 'inputs'?");
    assert_refused("dense:inputs", "inputs: no value; write inputs=VALUE", "");
    assert_refused("dense:inputs=", "inputs: '' is not a whole number", "");
    assert_refused("dense:inputs=3.5", "inputs: '3.5' is not a whole number", "");
    assert_refused("dense:inputs=nan", "inputs: 'nan' is not a whole number", "");
    assert_refused("dense:inputs= 3", "inputs: ' 3' is not a whole number", "");
    assert_refused("dense:inputs=0x10", "inputs: '0x10' is not a whole number", "");
    assert_refused("dense:inputs=0", "inputs: 0 is outside 1..1000000", "");
    assert_refused("dense:inputs=-4", "inputs: -4 is outside 1..1000000", "");
    assert_refused("dense:inputs=99999999999999999999",
                   "inputs: 99999999999999999999 is outside 1..1000000", "");
    assert_refused("dense:inputs=2,inputs=3", "inputs is given twice", "");
    assert_refused("dense:activation=rely", "activation: unknown value 'rely'",
                   "did you mean 'relu'?");
    assert_refused("dense:inputs=2,", "dense has no feature ''",
                   "known: batch_size, pass, optimizer, precision, inputs, outputs, use_bias, "
                   "activation");
}

static void endless_words_are_refused(void **state)
{
    (void)state;
    struct layer_config config;
    struct error error;
    char text[1024] = "dense:inputs=";
    memset(text + strlen(text), '9', 900);
    assert_int_equal(describe_parse(&config, text, &error), STATUS_USAGE);
    assert_non_null(strstr(error.message, "too long"));
}

static void values(void **state)
{
    (void)state;
    const struct feature *padding = layer_feature_find(LAYER_CONV2D, "padding");
    const struct feature *stride = layer_feature_find(LAYER_CONV2D, "stride");
    char text[16];
    int32_t value;
    describe_value(text, sizeof text, padding, PADDING_SAME);
    assert_string_equal(text, "same");
    describe_value(text, sizeof text, stride, 3);
    assert_string_equal(text, "3");
    assert_int_equal(describe_parse_value(&value, padding, "valid", NULL), STATUS_OK);
    assert_int_equal(value, PADDING_VALID);
    assert_int_equal(describe_parse_value(&value, stride, "16", NULL), STATUS_OK);
    assert_int_equal(value, 16);
    assert_int_equal(describe_parse_value(&value, stride, "17", NULL), STATUS_USAGE);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_round_trips),
        cmocka_unit_test(order_is_free_and_omitted_features_are_minimal),
        cmocka_unit_test(short_buffers_are_cut_and_the_need_is_told),
        cmocka_unit_test(errors_say_what_and_what_to_do),
        cmocka_unit_test(endless_words_are_refused),
        cmocka_unit_test(values),
    };
    return RUN_TESTS(argc, argv, tests, NULL, NULL);
}
