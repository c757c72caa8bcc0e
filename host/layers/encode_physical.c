/* The physical encoding: what decides a layer's time on any device, in logarithms. The columns that
 * all kinds share are here; the kinds' own are in kind_<kind>.c.
 */
#include "layers/encode_gemm.h"

/* Cores of one unit that tiles are dealt out to: those of a streaming multiprocessor, mostly. */
enum { CORES_PER_UNIT = 64 };

static double intensity(const struct cost *cost)
{
    return cost->flops / (cost->bytes_read + cost->bytes_written);
}

/* What a config's work comes to, counted once for all columns. */
struct counts {
    struct cost cost, forward; /* of the config's own pass; of the forward pass inside it */
    double input, output;      /* elements: of the first input, of the output */
    int32_t activation;
};

static struct counts counts_of(const struct layer_work *work, const struct layer_config *config)
{
    const struct layer_tensor *input = work_find(work, TENSOR_INPUT, 0);
    struct counts counts = {
        .cost = cost_of_work(work, config->pass, config->optimizer, config->precision),
        .input = input ? input->count : 0,
        .output = work_elements(work, TENSOR_OUTPUT),
        .activation = work->activation,
    };
    counts.forward = config->pass == PASS_FORWARD
                         ? counts.cost
                         : cost_of_work(work, PASS_FORWARD, OPTIMIZER_NONE, config->precision);
    return counts;
}

static void emit_choices(struct columns *columns, const struct layer_config *config,
                         int32_t activation)
{
    const int32_t optimizer = optimizer_column(config->optimizer);
#define OPTIMIZER_COLUMN(value, text)                                                              \
    if ((value) == optimizer_column(value))                                                        \
        emit(columns, "optimizer=" text, optimizer == (value));
#define ACTIVATION_COLUMN(value, text) emit(columns, "activation=" text, activation == (value));
    const int32_t precision = precision_column(config->precision);
#define PRECISION_COLUMN(value, text)                                                              \
    if ((value) == precision_column(value))                                                        \
        emit(columns, "precision=" text, precision == (value));
    emit(columns, "pass=train", config->pass == PASS_TRAIN);
    OPTIMIZER_LIST(OPTIMIZER_COLUMN)
    ACTIVATION_LIST(ACTIVATION_COLUMN)
    PRECISION_LIST(PRECISION_COLUMN)
}

/* What the parts of a step would take one after the other (log2 of nanoseconds): the arithmetic,
 * the traffic, and the traffic of an optimizer that also updates the layer's input and output
 * (which some published measurements have it do, see datasets/README.md). */
static void emit_ceilings(struct columns *columns, const struct layer_config *config,
                          const struct counts *counts, const struct encode_hardware *hardware)
{
    const struct cost cost = counts->cost;
    const double passes = optimizer_reads(config->optimizer) + optimizer_writes(config->optimizer);
    const double tensor_bytes = FLOAT_BYTES * passes *
                                ((double)cost.parameter_count + counts->input + counts->output);
    const double compute_ns = cost.flops / hardware->peak_gflops;
    const double memory_ns = (cost.bytes_read + cost.bytes_written) / hardware->bandwidth_gbps;
    const double update_ns = tensor_bytes / hardware->bandwidth_gbps;
    emit(columns, "log_update_tensor_bytes", log_size(tensor_bytes));
    emit(columns, "log_total_bytes", log_size(cost.bytes_read + cost.bytes_written + tensor_bytes));
    emit(columns, "log_memory/compute", log2((memory_ns + update_ns) / compute_ns));
    emit(columns, "log_serial_ns", log2(1 + compute_ns + memory_ns + update_ns));
    emit(columns, "log_ceiling_ns", log2(1 + fmax(compute_ns, memory_ns) + update_ns));
}

/* Work of the config's own pass, and of the forward pass inside it. */
static void emit_cost(struct columns *columns, const struct layer_config *config,
                      const struct counts *counts)
{
    const struct cost cost = counts->cost, forward = counts->forward;
    const double is_train = config->pass == PASS_TRAIN;
    const double has_activation = counts->activation != ACTIVATION_NONE;
    const double parameters = (double)cost.parameter_count;
    const double output_bytes = (double)forward.activation_bytes;
    const double log_flops = log_size(forward.flops);
    const double update_passes = optimizer_reads(config->optimizer) +
                                 optimizer_writes(config->optimizer);

    emit(columns, "log_flops", log_size(cost.flops));
    emit(columns, "log_bytes_read", log_size(cost.bytes_read));
    emit(columns, "log_bytes_written", log_size(cost.bytes_written));
    emit(columns, "log_intensity", log2(1 + intensity(&cost)));
    emit(columns, "log_memory_bytes", log_size((double)cost.memory_bytes));
    emit(columns, "log_forward_flops", log_flops);
    emit(columns, "log_forward_intensity", log2(1 + intensity(&forward)));
    emit(columns, "log_input_bytes", log_size((double)cost.input_bytes));
    emit(columns, "log_output_bytes", log_size(output_bytes));
    emit(columns, "log_parameters", log_size(parameters));
    emit(columns, "log_update_bytes", log_size(FLOAT_BYTES * update_passes * parameters));
    emit(columns, "update_passes", update_passes);
    emit(columns, "update_flops_per_parameter", optimizer_flops_per_parameter(config->optimizer));
    emit(columns, "is_train*log_flops", is_train * log_flops);
    emit(columns, "is_train*log_input_bytes", is_train * log_size((double)cost.input_bytes));
    emit(columns, "is_train*log_output_bytes", is_train * log_size(output_bytes));
    emit(columns, "is_train*log_parameters", is_train * log_size(parameters));
    emit(columns, "has_activation*log_output_bytes", has_activation * log_size(output_bytes));
}

/* Hardware in logarithms, and the times that its ceilings allow (log2 of nanoseconds). */
static void emit_hardware(struct columns *columns, const struct counts *counts,
                          const struct encode_hardware *hardware)
{
    const struct cost cost = counts->cost;
    const double compute_ns = cost.flops / hardware->peak_gflops;
    const double memory_ns = (cost.bytes_read + cost.bytes_written) / hardware->bandwidth_gbps;
    const double balance = hardware->peak_gflops / hardware->bandwidth_gbps;
    emit(columns, "log_bandwidth_gbps", log2(hardware->bandwidth_gbps));
    emit(columns, "log_core_count", log2(hardware->core_count));
    emit(columns, "log_clock_mhz", log2(hardware->clock_mhz));
    emit(columns, "log_peak_gflops", log2(hardware->peak_gflops));
    emit(columns, "log_flops_per_byte", log2(balance));
    emit(columns, "log_bandwidth_per_core", log2(hardware->bandwidth_gbps / hardware->core_count));
    emit(columns, "log_compute_ns", log2(1 + compute_ns));
    emit(columns, "log_memory_ns", log2(1 + memory_ns));
    emit(columns, "log_roofline_ns", log2(1 + fmax(compute_ns, memory_ns)));
    emit(columns, "log_intensity/balance", log2(intensity(&cost) / balance));
    emit(columns, "log_output/core", log2(counts->output / hardware->core_count));
}

/* What a kind without columns of its own has beside those of its work. */
static void emit_generic(struct columns *columns, const struct layer_descriptor *descriptor,
                         const struct layer_config *config, const struct layer_work *work,
                         double units)
{
    emit_own_choices(columns, descriptor, config);
    emit_numbers(columns, descriptor, config);
    emit_products(columns, work, units);
}

void encode_physical(struct columns *columns, const struct layer_descriptor *descriptor,
                     const struct layer_config *config, bool with_hardware,
                     const struct encode_hardware *hardware)
{
    const struct encode_hardware known = hardware_known(hardware);
    const double units = fmax(1, floor(known.core_count / CORES_PER_UNIT));
    struct layer_work work;
    work_begin(&work);
    descriptor->work(&work, config);
    const struct counts counts = counts_of(&work, config);
    emit_choices(columns, config, counts.activation);
    emit_cost(columns, config, &counts);
    emit_ceilings(columns, config, &counts, &known);
    if (descriptor->encode)
        descriptor->encode(columns, config, &work, units);
    else
        emit_generic(columns, descriptor, config, &work, units);
    if (with_hardware)
        emit_hardware(columns, &counts, &known);
}
