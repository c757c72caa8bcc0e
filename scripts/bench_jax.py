#!/usr/bin/env python3
"""The JAX side of `bench rivals`: an epoch of bench_trainer's networks and recipes (A: the paper's, C: the default
preset's) as one jit of lax.scan, on one thread. Prints one line of JSON per run. Exit code 77: no JAX.
"""
import argparse
import json
import os
import sys
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--workload", choices=["A", "C"], default="A")
parser.add_argument("--rows", type=int, default=35840)
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--runs", type=int, default=1)
OPTIONS = parser.parse_args()
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
# Beside its step XLA keeps other threads busy whatever the flags say: one processor, as the others have.
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ["JAX_PLATFORMS"] = "cpu"
try:
    import jax
    from jax import lax, numpy
except ImportError as reason:
    print(f"bench_jax.py: {reason}", file=sys.stderr)
    sys.exit(77)

WIDTHS, BATCH = {"A": ([17, 32, 64, 128, 128, 1], 128), "C": ([271, 128, 128, 128, 1], 256)}[OPTIONS.workload]
IS_DEFAULT = OPTIONS.workload == "C"
RATE, BETA1, BETA2, EPSILON = (5e-3, 0.9, 0.99, 1e-8) if IS_DEFAULT else (0.01, 0.9, 0.999, 0.1)


def initial(key):
    layers = []
    for before, after in zip(WIDTHS, WIDTHS[1:]):
        key, own = jax.random.split(key)
        limit = (6 / (before + after)) ** 0.5
        layers.append((jax.random.uniform(own, (before, after), minval=-limit, maxval=limit), numpy.zeros(after)))
    return layers


def loss(layers, inputs, targets, key):
    x = inputs
    for weights, bias in layers[:-1]:
        x = jax.nn.silu(x @ weights + bias) if IS_DEFAULT else jax.nn.relu(x @ weights + bias)
    weights, bias = layers[-1]
    if IS_DEFAULT:
        ratio = abs(targets - (x @ weights + bias)) / 0.1
        return 2 * 0.1 ** 2 * (ratio + numpy.log1p(numpy.exp(-2 * ratio)) - numpy.log(2)).mean()
    kept = jax.random.bernoulli(key, 0.8, x.shape)
    x = numpy.where(kept, x / 0.8, 0)
    return ((targets - numpy.log1p(jax.nn.relu(x @ weights))) ** 2).mean()


def step(state, batch):
    layers, first, second, count = state
    inputs, targets, key = batch
    gradients = jax.grad(loss)(layers, inputs, targets, key)
    if IS_DEFAULT:
        norm = sum((value ** 2).sum() for value in jax.tree.leaves(gradients)) ** 0.5
        gradients = jax.tree.map(lambda value: value * numpy.minimum(1, 1 / (norm + 1e-6)), gradients)
    else:
        gradients = jax.tree.map(lambda g, w: g + 1e-5 * w if w.ndim == 2 else g, gradients, layers)
    count = count + 1
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradients)
    root, size = numpy.sqrt(1 - BETA2 ** count), RATE / (1 - BETA1 ** count)

    def update(value, m, v):
        kept = value * (1 - RATE * 0.1) if value.ndim == 2 and IS_DEFAULT else value
        return kept - size * m / (numpy.sqrt(v) / root + EPSILON)
    return (jax.tree.map(update, layers, first, second), first, second, count), None


@jax.jit
def epoch(state, inputs, targets, key):
    order_key, mask_key = jax.random.split(key)
    order = jax.random.permutation(order_key, OPTIONS.rows).reshape(-1, BATCH)
    keys = jax.random.split(mask_key, len(order))
    return lax.scan(lambda carry, now: step(carry, (inputs[now[0]], targets[now[0]], now[1])), state, (order, keys))[0]


def main():
    key = jax.random.PRNGKey(1)
    inputs = jax.random.normal(key, (OPTIONS.rows, WIDTHS[0]))
    targets = jax.random.uniform(key, (OPTIONS.rows, 1)) * 3
    layers = initial(key)
    zeros = jax.tree.map(numpy.zeros_like, layers)
    state = epoch((layers, zeros, zeros, numpy.zeros(())), inputs, targets, key)  # warm-up
    jax.block_until_ready(state)
    for run in range(1, OPTIONS.runs + 1):
        start = time.perf_counter()
        for i in range(OPTIONS.epochs):
            state = epoch(state, inputs, targets, jax.random.PRNGKey(100 * run + i))
        jax.block_until_ready(state)
        seconds = (time.perf_counter() - start) / OPTIONS.epochs
        print(json.dumps({"name": "jax jit+scan", "workload": OPTIONS.workload, "version": jax.__version__, "run": run,
                          "seconds_per_epoch": seconds,
                          "microseconds_per_step": 1e6 * seconds / (OPTIONS.rows // BATCH)}), flush=True)


main()
