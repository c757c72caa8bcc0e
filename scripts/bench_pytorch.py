#!/usr/bin/env python3
"""Times PyTorch on the network and recipe that bench_trainer times: 32-64-128-128 ReLU units, dropout
0.2 after the last hidden layer, RMSLE loss, L2 1e-5, Adam with epsilon 0.1.

The fair fast eager loop: data resident as tensors, torch.randperm, no DataLoader, no progress.
Prints one line of JSON.
"""
import argparse
import json
import time

import torch


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=36000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--inputs", type=int, default=17)
    return parser.parse_args()


def build_network(inputs):
    widths = [inputs, 32, 64, 128, 128]
    layers = []
    for before, after in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(before, after), torch.nn.ReLU()]
    layers += [torch.nn.Dropout(0.2), torch.nn.Linear(widths[-1], 1, bias=False), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers)


def main():
    options = parse_options()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    inputs = torch.randn(options.rows, options.inputs)
    targets = torch.rand(options.rows, 1) * 3  # ln(1 + t)
    network = build_network(options.inputs)
    weights = [p for p in network.parameters() if p.dim() == 2]
    biases = [p for p in network.parameters() if p.dim() == 1]
    # weight_decay adds to the gradient in torch.optim.Adam: the L2 term, on weights only
    groups = [{"params": weights, "weight_decay": 1e-5}, {"params": biases}]
    optimizer = torch.optim.Adam(groups, lr=0.01, eps=0.1)

    def epoch():
        steps = 0
        order = torch.randperm(options.rows)
        for first in range(0, options.rows, options.batch):
            rows = order[first:first + options.batch]
            loss = (targets[rows] - torch.log1p(network(inputs[rows]))).square().mean()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            steps += 1
        return steps

    epoch()  # warm-up
    start = time.perf_counter()
    steps = sum(epoch() for _ in range(options.epochs))
    seconds = time.perf_counter() - start
    print(json.dumps({
        "seconds_per_epoch": seconds / options.epochs,
        "microseconds_per_step": 1e6 * seconds / steps,
        "version": torch.__version__,
    }))


if __name__ == "__main__":
    main()
