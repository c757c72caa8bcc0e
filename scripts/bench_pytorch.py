#!/usr/bin/env python3
"""Times PyTorch on the networks and recipe of bench_trainer: ReLU units, dropout 0.2 after the last
hidden layer, RMSLE loss, L2 1e-5, Adam with epsilon 0.1 (PyTorch adds it after the bias correction,
epochcast before it: the first thousand steps differ). Prints one line of JSON per run.

Data is resident as tensors, torch.randperm, no DataLoader, no progress. Modes, on cuda with the
fused Adam: eager; graph: the whole step, the gather of its rows included, replayed as one CUDA graph;
compile: the same with the network and its loss through torch.compile.
--truth instead times torchvision's unchanged ResNet-50 and VGG-16, to check verify's forecasts: the
median of 20 steps after 5 warm-up steps, forward (evaluation) and training with SGD, in fp32 and tf32.
Exit code 77: the device, or PyTorch (with --truth: torchvision), is missing.
"""
import argparse
import json
import statistics
import sys
import time

try:
    import torch
except ImportError:
    torch = None

WORKLOADS = {"A": ([17, 32, 64, 128, 128], 128), "B": ([64, 256, 256, 256, 256], 1024)}
WARM_UP_STEPS = 11
TRUTH_WARM_UP, TRUTH_STEPS = 5, 20


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--workload", choices=list(WORKLOADS), default="A")
    parser.add_argument("--mode", default="eager", help="eager, graph, compile, separated by commas")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--rows", type=int, default=40000)
    parser.add_argument("--test-rows", type=int, default=10000)
    parser.add_argument("--epochs", type=int, default=10, help="epochs per run")
    parser.add_argument("--batch", type=int, help="default: the workload's")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=0,
                        help="train this many nets for --epochs and print their test error instead")
    parser.add_argument("--truth", action="store_true", help="whole networks of torchvision")
    parser.add_argument("--truth-batches", default="1,8,32,64")
    parser.add_argument("--data", help="file written by bench_trainer --save-data (default: noise)")
    return parser.parse_args()


def build_network(widths):
    layers = []
    for before, after in zip(widths, widths[1:]):
        layers += [torch.nn.Linear(before, after), torch.nn.ReLU()]
    layers += [torch.nn.Dropout(0.2), torch.nn.Linear(widths[-1], 1, bias=False), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers)
    for parameter in network.parameters():  # as epochcast starts
        if parameter.dim() == 2:
            torch.nn.init.xavier_uniform_(parameter)
        else:
            torch.nn.init.zeros_(parameter)
    return network


def build_optimizer(network, device):
    weights = [p for p in network.parameters() if p.dim() == 2]
    biases = [p for p in network.parameters() if p.dim() == 1]
    # weight_decay adds to the gradient in torch.optim.Adam: the L2 term, on weights only
    groups = [{"params": weights, "weight_decay": 1e-5}, {"params": biases}]
    options = {"fused": True, "capturable": True} if device == "cuda" else {}
    return torch.optim.Adam(groups, lr=0.01, eps=0.1, **options)


def load_data(options, width):
    rows = options.rows + options.test_rows
    if options.data:
        values = torch.from_file(options.data, size=rows * (width + 1), dtype=torch.float32)
        inputs, targets = values[:rows * width].view(rows, width), values[rows * width:, None]
    else:
        inputs, targets = torch.randn(rows, width), torch.rand(rows, 1) * 3  # ln(1 + t)
    return inputs.to(options.device), targets.to(options.device)


class Trainer:
    """One net, its data and its way to run a step."""

    def __init__(self, options, mode, seed, data):
        torch.manual_seed(seed)
        widths, batch = WORKLOADS[options.workload]
        self.options, self.device = options, torch.device(options.device)
        self.batch = options.batch or batch
        self.inputs, self.targets = data
        self.network = build_network(widths).to(self.device)
        self.optimizer = build_optimizer(self.network, options.device)
        self.order = torch.empty(options.rows, dtype=torch.int64, device=self.device)
        self.loss = torch.compile(self.plain_loss) if mode == "compile" else self.plain_loss
        self.graph = None
        if mode != "eager":
            self.capture()

    def plain_loss(self, inputs, targets):
        return (targets - torch.log1p(self.network(inputs))).square().mean()

    def step(self, rows):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.inputs[rows], self.targets[rows]).backward()
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


def truth_step(network, images, is_training):
    """A function that does one step: forward, or forward, backward and SGD."""
    if not is_training:
        def forward():
            with torch.no_grad():
                network(images)
        return forward
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-8)
    gradient = torch.randn(images.shape[0], 1000, device=images.device)

    def train():
        optimizer.zero_grad(set_to_none=True)
        network(images).backward(gradient)
        optimizer.step()
    return train


def time_steps(step, device):
    times = []
    for _ in range(TRUTH_WARM_UP + TRUTH_STEPS):
        start = synchronized_s(device)
        step()
        times.append(1e3 * (synchronized_s(device) - start))
    times = times[TRUTH_WARM_UP:]
    return {"median_ms": statistics.median(times), "minimum_ms": min(times),
            "maximum_ms": max(times)}


def truth_rows(options):
    import torchvision
    head = {"name": "pytorch eager", "version": torch.__version__}
    if options.device == "cuda":
        head["device"] = torch.cuda.get_device_name()
    for name in ("resnet50", "vgg16"):
        network = getattr(torchvision.models, name)(weights=None).to(options.device)
        for batch in map(int, options.truth_batches.split(",")):
            images = torch.randn(batch, 3, 224, 224, device=options.device)
            for precision in ("fp32", "tf32") if options.device == "cuda" else ("fp32",):
                allow_tf32(precision == "tf32")
                for is_training in (False, True):
                    network.train(is_training)
                    what = {"network": name, "batch": batch, "precision": precision,
                            "pass": "train" if is_training else "forward"}
                    try:
                        times = time_steps(truth_step(network, images, is_training), options.device)
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
        if mode not in (["eager"] if options.device == "cpu" else ["eager", "graph", "compile"]):
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
