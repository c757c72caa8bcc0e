#!/usr/bin/env python3
"""Times PyTorch on the networks and recipe of bench_trainer: ReLU units, dropout 0.2 after the last
hidden layer, RMSLE loss, L2 1e-5, Adam with epsilon 0.1 (PyTorch adds it after the bias correction,
epochcast before it: the first thousand steps differ). Prints one line of JSON per run.

Workload C is the default preset's: SiLU units, log-cosh loss, AdamW, gradients clipped to a norm of 1.

Data is resident as tensors, torch.randperm, no DataLoader, no progress. Modes on the CPU: eager; fused: the fused Adam;
compile: network and loss through torch.compile; step: gradient, clipping and Adam as one compiled function. Modes on
cuda, with the fused Adam: eager; graph: the whole step, the gather of its rows included, replayed as one CUDA graph;
compile: the same with the network and its loss through torch.compile.
--truth instead times whole networks (torchvision's, and those of bench_networks.py), to check forecasts: the
median of 20 steps after 5 warm-up steps, fewer where they last, forward (evaluation) and training with an
optimizer, in fp32 and on cuda in tf32; channels as they come.
Exit code 77: the device, or PyTorch (with --truth: torchvision), is missing.
"""
import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time

try:
    import torch
except ImportError:
    torch = None

WORKLOADS = {"A": ([17, 32, 64, 128, 128], 128), "B": ([64, 256, 256, 256, 256], 1024),
             "C": ([271, 128, 128, 128], 256)}
MODES = {"cpu": ("eager", "fused", "compile", "step"), "cuda": ("eager", "graph", "compile")}
WARM_UP_STEPS = 11
LOSS_SCALE = 0.1
TRUTH_WARM_UP, TRUTH_STEPS = 5, 20


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--workload", choices=list(WORKLOADS), default="A")
    parser.add_argument("--mode", default="eager", help="of the device, separated by commas")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--rows", type=int, default=40000)
    parser.add_argument("--test-rows", type=int, default=10000)
    parser.add_argument("--epochs", type=int, default=10, help="epochs per run")
    parser.add_argument("--batch", type=int, help="default: the workload's")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=0,
                        help="train this many nets for --epochs and print their test error instead")
    parser.add_argument("--truth", action="store_true", help="whole networks")
    parser.add_argument("--truth-networks", default="resnet50,vgg16")
    parser.add_argument("--truth-batches", default="1,8,32,64")
    parser.add_argument("--truth-steps", default="forward,sgd", help="forward, sgd, adam, adamw")
    parser.add_argument("--truth-seconds", type=float, default=60, help="limit of a point's samples")
    parser.add_argument("--truth-clock", choices=["wall", "thread"], default="wall",
                        help="thread: processor time of one thread, for a machine that others use")
    parser.add_argument("--truth-profile", action="store_true",
                        help="also where a step's time goes: operators, and oneDNN's reorders (cpu)")
    parser.add_argument("--data", help="file written by bench_trainer --save-data (default: noise)")
    return parser.parse_args()


def build_network(widths, is_default):
    layers = []
    for before, after in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(before, after), torch.nn.SiLU() if is_default else torch.nn.ReLU()]
    if is_default:
        layers += [torch.nn.Linear(widths[-1], 1)]
    else:
        layers += [torch.nn.Dropout(0.2), torch.nn.Linear(widths[-1], 1, bias=False), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers)
    for parameter in network.parameters():  # as epochcast starts
        if parameter.dim() == 2:
            torch.nn.init.xavier_uniform_(parameter)
        else:
            torch.nn.init.zeros_(parameter)
    return network


def build_optimizer(network, device, is_default, is_fused):
    weights = [p for p in network.parameters() if p.dim() == 2]
    biases = [p for p in network.parameters() if p.dim() == 1]
    # weight_decay adds to the gradient in torch.optim.Adam: the L2 term, on weights only
    groups = [{"params": weights, "weight_decay": 0.1 if is_default else 1e-5}, {"params": biases, "weight_decay": 0}]
    options = {"fused": True, "capturable": True} if device == "cuda" else {"fused": True} if is_fused else {}
    if is_default:
        return torch.optim.AdamW(groups, lr=5e-3, betas=(0.9, 0.99), **options)
    return torch.optim.Adam(groups, lr=0.01, eps=0.1, **options)


def load_data(options, width):
    rows = options.rows + options.test_rows
    if options.data:
        values = torch.from_file(options.data, size=rows * (width + 1), dtype=torch.float32)
        inputs, targets = values[:rows * width].view(rows, width), values[rows * width:, None]
    else:
        inputs, targets = torch.randn(rows, width), torch.rand(rows, 1) * 3  # ln(1 + t)
    return inputs.to(options.device), targets.to(options.device)


class FunctionalStep:
    """Gradient, clipping and Adam of one net as one compiled function of its tensors."""

    def __init__(self, trainer):
        self.trainer = trainer
        self.values = {name: value.detach().clone() for name, value in trainer.network.named_parameters()}
        self.first = {name: torch.zeros_like(value) for name, value in self.values.items()}
        self.second = {name: torch.zeros_like(value) for name, value in self.values.items()}
        self.time = torch.zeros(())
        self.update = torch.compile(self.plain_update)

    def loss(self, values, inputs, targets):
        trainer = self.trainer
        return trainer.loss_of(torch.func.functional_call(trainer.network, values, (inputs,)), targets)

    def plain_update(self, values, first, second, time_, inputs, targets):
        is_default = self.trainer.is_default
        gradients = torch.func.grad(self.loss)(values, inputs, targets)
        rate, beta1, beta2, epsilon = (5e-3, 0.9, 0.99, 1e-8) if is_default else (0.01, 0.9, 0.999, 0.1)
        scale = 1.0
        if is_default:
            norm = torch.stack([gradient.square().sum() for gradient in gradients.values()]).sum().sqrt()
            scale = (1 / (norm + 1e-6)).clamp(max=1)
        time_ = time_ + 1
        root, step_size = (1 - beta2 ** time_).sqrt(), rate / (1 - beta1 ** time_)
        for name, gradient in gradients.items():
            value = values[name]
            if value.dim() == 2 and not is_default:
                gradient = gradient + 1e-5 * value
            gradient = scale * gradient
            first[name] = beta1 * first[name] + (1 - beta1) * gradient
            second[name] = beta2 * second[name] + (1 - beta2) * gradient.square()
            decayed = value * (1 - rate * 0.1) if value.dim() == 2 and is_default else value
            values[name] = decayed - step_size * first[name] / (second[name].sqrt() / root + epsilon)
        return values, first, second, time_

    def step(self, rows):
        trainer = self.trainer
        with torch.no_grad():
            self.values, self.first, self.second, self.time = self.update(
                dict(self.values), dict(self.first), dict(self.second), self.time, trainer.inputs[rows],
                trainer.targets[rows])


class Trainer:
    """One net, its data and its way to run a step."""

    def __init__(self, options, mode, seed, data):
        torch.manual_seed(seed)
        widths, batch = WORKLOADS[options.workload]
        self.options, self.device = options, torch.device(options.device)
        self.batch = options.batch or batch
        self.inputs, self.targets = data
        self.is_default = options.workload == "C"
        self.network = build_network(widths, self.is_default).to(self.device)
        self.optimizer = build_optimizer(self.network, options.device, self.is_default, mode == "fused")
        self.order = torch.empty(options.rows, dtype=torch.int64, device=self.device)
        self.loss = torch.compile(self.plain_loss) if mode == "compile" else self.plain_loss
        self.graph = None
        if mode == "step":
            self.step = FunctionalStep(self).step
        elif options.device == "cuda" and mode != "eager":
            self.capture()

    def loss_of(self, outputs, targets):
        if not self.is_default:
            return (targets - torch.log1p(outputs)).square().mean()
        ratio = ((targets - outputs) / LOSS_SCALE).abs()  # ln cosh without overflow
        return 2 * LOSS_SCALE ** 2 * (ratio + torch.log1p(torch.exp(-2 * ratio)) - math.log(2)).mean()

    def plain_loss(self, inputs, targets):
        return self.loss_of(self.network(inputs), targets)

    def step(self, rows):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.inputs[rows], self.targets[rows]).backward()
        if self.is_default:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()

    def captured_step(self):
        """Takes the next batch by a counter on the device: a replay needs nothing of the host."""
        self.step(self.order[self.position])
        self.position += self.batch

    def capture(self):
        self.shuffle()
        self.first = torch.arange(self.batch, device=self.device)
        self.position = self.first.clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_STEPS):
                self.position.copy_(self.first)
                self.captured_step()
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.captured_step()

    def shuffle(self):
        torch.randperm(self.options.rows, out=self.order)

    def epoch(self):
        """Steps done. A graph has one batch size: its epochs leave out the rows after the last
        full batch."""
        self.shuffle()
        rows = self.options.rows
        if self.graph:
            self.position.copy_(self.first)
            for _ in range(rows // self.batch):
                self.graph.replay()
            return rows // self.batch
        for first in range(0, rows, self.batch):
            self.step(self.order[first:first + self.batch])
        return -(-rows // self.batch)

    def test_rmsle(self):
        self.network.eval()
        with torch.no_grad():
            first = self.options.rows
            loss = self.plain_loss(self.inputs[first:], self.targets[first:])
        return loss.sqrt().item()


def synchronized_s(device):
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def time_runs(options, mode, data):
    trainer = Trainer(options, mode, 1, data)
    trainer.epoch()  # warm-up
    for run in range(1, options.runs + 1):
        start = synchronized_s(options.device)
        steps = sum(trainer.epoch() for _ in range(options.epochs))
        seconds = synchronized_s(options.device) - start
        yield {"run": run, "seconds_per_epoch": seconds / options.epochs,
               "microseconds_per_step": 1e6 * seconds / steps}


def train_seeds(options, mode, data):
    for seed in range(1, options.seeds + 1):
        start = time.perf_counter()
        trainer = Trainer(options, mode, seed, data)
        for _ in range(options.epochs):
            trainer.epoch()
        rmsle = trainer.test_rmsle()
        yield {"seed": seed, "epochs": options.epochs, "seconds": time.perf_counter() - start,
               "test_rmsle": rmsle}


def allow_tf32(allowed):
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def truth_step(network, inputs, step):
    """A function that does one step: forward (evaluation), or forward, backward and an optimizer's update."""
    if step == "forward":
        def forward():
            with torch.no_grad():
                network(inputs)
        return forward
    create = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[step]
    optimizer = create(network.parameters(), lr=1e-8)
    gradient = []

    def train():
        optimizer.zero_grad(set_to_none=True)
        outputs = network(inputs)
        if not gradient:
            gradient.append(torch.randn_like(outputs))
        outputs.backward(gradient[0])
        optimizer.step()
    return train


def timed_ms(step, device, clock):
    if clock == "thread":
        start = time.thread_time()
        step()
        return 1e3 * (time.thread_time() - start)
    start = synchronized_s(device)
    step()
    return 1e3 * (synchronized_s(device) - start)


def time_steps(step, device, limit_s, clock="wall"):
    """Median of up to 20 steps after up to 5 warm-up steps; the limit is of each, and never leaves fewer than one
    warm-up step and two samples."""
    def times(count, least):
        found, start = [], time.perf_counter()
        while len(found) < least or (len(found) < count and time.perf_counter() - start < limit_s):
            found.append(timed_ms(step, device, clock))
        return found
    times(TRUTH_WARM_UP, 1)
    found = times(TRUTH_STEPS, 2)
    return {"median_ms": statistics.median(found), "minimum_ms": min(found), "maximum_ms": max(found),
            "samples": len(found)}


# where a step's time goes: name -> what its operators' names hold, the first that fits
OPERATORS = (("optimizer", ("Optimizer.step", "_foreach_", "aten::addcdiv", "aten::addcmul", "aten::lerp")),
             ("convolution", ("conv", )), ("matrix", ("addmm", "aten::mm", "aten::bmm", "linear", "attention", "lstm", "rnn")),
             ("pooling", ("pool", )), ("normalisation", ("norm", )),
             ("activation", ("relu", "gelu", "threshold", "hardtanh", "clamp", "softmax", "sigmoid", "tanh")),
             ("copies", ("copy", "clone", "contiguous", "aten::cat", "fill", "zero", "empty", "resize", "reorder")))


def operator_class(name):
    lower = name.lower()
    return next((kind for kind, parts in OPERATORS if any(part.lower() in lower for part in parts)), "other")


def profile_step(step, step_name):
    """Percent of the processor time of one step by class of operator (torch.profiler's self time)."""
    from torch.profiler import ProfilerActivity, profile
    with profile(activities=[ProfilerActivity.CPU]) as found:
        step()
    shares = {}
    events = sorted(found.events(), key=lambda event: event.time_range.start)
    update_end = 0  # SGD and Adam are plain additions: what runs until then is the optimizer's
    for event in events:
        if event.name.startswith("Optimizer.step"):
            update_end = event.time_range.end
        is_update = step_name != "forward" and event.time_range.start < update_end
        kind = "optimizer" if is_update else operator_class(event.name)
        shares[kind] = shares.get(kind, 0) + event.self_cpu_time_total
    total = sum(shares.values()) or 1
    return {kind: round(100 * value / total, 1) for kind, value in sorted(shares.items())}


def reorder_percent(step, median_ms):
    """Percent of a step that oneDNN spends on changing layouts: its own log of one step, from the descriptor 1."""
    mkldnn = torch.backends.mkldnn
    if not mkldnn.is_available():
        return None
    sys.stdout.flush()
    with tempfile.TemporaryFile() as log:
        kept = os.dup(1)
        os.dup2(log.fileno(), 1)
        try:
            with mkldnn.verbose(mkldnn.VERBOSE_ON):
                step()
        finally:
            os.dup2(kept, 1)
            os.close(kept)
        log.seek(0)
        return round(100 * reorder_ms(log.read().decode(errors="replace")) / median_ms, 1)


def reorder_ms(log):
    """onednn_verbose,v1,primitive,exec,cpu,reorder,...,0.0120: what ran, and last its ms."""
    fields = [line.split(",") for line in log.splitlines() if "_verbose" in line]
    return sum(float(line[-1]) for line in fields if "exec" in line and "reorder" in line[:8])


def truth_rows(options):
    from bench_networks import build
    head = {"name": "pytorch eager", "version": torch.__version__}
    if options.device == "cuda":
        head["device"] = torch.cuda.get_device_name()
    for name in options.truth_networks.split(","):
        network, inputs_of = build(name)
        network = network.to(options.device)
        for batch in map(int, options.truth_batches.split(",")):
            inputs = inputs_of(batch).to(options.device)
            for precision in ("fp32", "tf32") if options.device == "cuda" else ("fp32",):
                allow_tf32(precision == "tf32")
                for step_name in options.truth_steps.split(","):
                    is_training = step_name != "forward"
                    network.train(is_training)
                    what = {"network": name, "batch": batch, "precision": precision,
                            "pass": "train" if is_training else "forward",
                            "optimizer": step_name if is_training else "none"}
                    try:
                        step = truth_step(network, inputs, step_name)
                        times = time_steps(step, options.device, options.truth_seconds, options.truth_clock)
                        if options.truth_profile:
                            times["shares"] = profile_step(step, step_name)
                            times["reorder_percent"] = reorder_percent(step, times["median_ms"])
                    except torch.cuda.OutOfMemoryError as reason:
                        times = {"error": str(reason).split(".")[0]}
                    yield {**head, **what, **times}


def truth(options):
    try:
        for row in truth_rows(options):
            print(json.dumps(row), flush=True)
    except ImportError as reason:
        print(f"bench_pytorch.py: {reason}", file=sys.stderr)
        sys.exit(77)


def main():
    options = parse_options()
    if torch is None:
        print("bench_pytorch.py: this Python has no PyTorch", file=sys.stderr)
        sys.exit(77)
    if options.device == "cuda" and not torch.cuda.is_available():
        print(f"bench_pytorch.py: PyTorch {torch.__version__} finds no GPU here", file=sys.stderr)
        sys.exit(77)
    torch.set_num_threads(options.threads)
    if options.truth:
        truth(options)
        return
    data = load_data(options, WORKLOADS[options.workload][0][0])
    for mode in options.mode.split(","):
        if mode not in MODES[options.device]:
            sys.exit(f"bench_pytorch.py: no mode '{mode}' on {options.device}")
        head = {"name": f"pytorch {mode}", "workload": options.workload,
                "version": torch.__version__}
        try:
            for row in (train_seeds if options.seeds else time_runs)(options, mode, data):
                print(json.dumps({**head, **row}), flush=True)
        except Exception as reason:  # the other modes are still worth a line
            if mode == options.mode:
                raise
            print(f"bench_pytorch.py: {mode}: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
