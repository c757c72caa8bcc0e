#!/usr/bin/env python3
"""Whole steps of PyTorch beside epochcast's forecasts and `verify` of the same networks: how far a framework is from
the sum of its layers, and why. Measures the networks named, one file each; the tables are of all files there are, with
forecasts of the model that is given now.

  --fit writes, per pass and optimizer, the factor of the framework over the forecast, and what its optimizer adds per
  parameter: fitted on every other network, judged on the rest (`epochcast predict --framework pytorch`).
"""
import argparse
import csv
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

NETWORKS = ("alexnet", "vgg11", "resnet18", "mobilenet_v2", "lstm_lm", "bert_base")
BATCHES = "1,4,16"
STEPS = (("forward", "none"), ("train", "sgd"), ("train", "adam"))
COLUMNS = ("framework", "version", "device", "pass", "optimizer", "factor", "update_ns_per_parameter", "spread_factor",
           "fitted_steps", "fitted_networks", "judged_steps", "judged_networks", "judged_median_percent",
           "judged_worst_percent")


# ---- pure: rows, factors, tables ----

def step_key(row):
    return row.get("batch_size", row.get("batch")), row["pass"], row["optimizer"]


def join(torch_rows, forecasts, verified):
    """One row per step that PyTorch ran: its time, the forecast's, and verify's of the layers with a benchmark."""
    of_forecast = {step_key(row): row for row in forecasts}
    of_verify = {step_key(row): row for row in verified}
    rows = []
    for row in torch_rows:
        forecast = of_forecast.get(step_key(row))
        if "median_ms" not in row or not forecast:
            continue
        own = of_verify.get(step_key(row), {})
        rows.append({"network": row["network"], "batch_size": row["batch"], "pass": row["pass"],
                     "optimizer": row["optimizer"], "torch_ms": row["median_ms"],
                     "forecast_ms": forecast["batch_ms"], "low_ms": forecast["batch_low_ms"],
                     "high_ms": forecast["batch_high_ms"], "roofline_percent": forecast["roofline_percent"],
                     "verify_ms": own.get("measured_ms"), "verify_error_percent": own.get("error_percent"),
                     "parameters": forecast["memory"]["parameters_bytes"] / 4, "left_out": own.get("layers_left_out", 0), "shares": row.get("shares", {}),
                     "reorder_percent": row.get("reorder_percent")})
    return rows


def ratio(row):
    return row["torch_ms"] / row["forecast_ms"]


def in_interval(row):
    """None: the forecast has no interval."""
    if row["low_ms"] is None or row["high_ms"] is None:
        return None
    return row["low_ms"] <= row["torch_ms"] <= row["high_ms"]


def framework_ms(row, factor=1, update_ns=0):
    """What `predict --framework` shows."""
    return factor * row["forecast_ms"] + update_ns * 1e-6 * row["parameters"]


def log_errors(rows, factor=1, update_ns=0):
    return [math.log(row["torch_ms"] / framework_ms(row, factor, update_ns)) for row in rows]


def fit_step(rows, has_update):
    """Factor and, of a training step, the framework's own time of the update, ns per parameter: the least sum of the
    sizes of log_errors (one network that is far off does not move it), the update from a grid."""
    candidates = []
    for update_ns in [0] + [0.01 * 1.1 ** i for i in range(90)] if has_update else [0]:
        own = [row["torch_ms"] - update_ns * 1e-6 * row["parameters"] for row in rows]
        for factor in (own_ms / row["forecast_ms"] for own_ms, row in zip(own, rows) if own_ms > 0):
            candidates.append((sum(map(abs, log_errors(rows, factor, update_ns))), update_ns, factor))
    _, update_ns, factor = min(candidates)
    return factor, update_ns


def errors_percent(rows, factor=1, update_ns=0):
    return [100 * abs(framework_ms(row, factor, update_ns) / row["torch_ms"] - 1) for row in rows]


def spread_factor(rows, factor, update_ns=0, share=0.9):
    """The factor, up or down, that `share` of the rows stay within (as of one more row: the conformal rank)."""
    sizes = sorted(map(abs, log_errors(rows, factor, update_ns)))
    rank = min(len(sizes), math.ceil((len(sizes) + 1) * share))
    return math.exp(sizes[rank - 1])


def halves(networks):
    return networks[::2], networks[1::2]


def of_networks(rows, networks, step):
    return [row for row in rows if row["network"] in networks and (row["pass"], row["optimizer"]) == step]


def fit(rows, version, device):
    """A line of the factor file per pass and optimizer; none for one without rows in both halves."""
    names = [name for name in NETWORKS if any(row["network"] == name for row in rows)]
    names += sorted({row["network"] for row in rows} - set(names))
    first, second = halves(names)
    lines = []
    for step in STEPS:
        fitted, judged = of_networks(rows, first, step), of_networks(rows, second, step)
        if not fitted or not judged:
            continue
        found = fit_step(fitted, step[0] == "train")
        errors = errors_percent(judged, *found)
        values = ("PyTorch", version, device, *step, *(f"{value:.4f}" for value in found),
                  f"{spread_factor(judged, *found):.4f}",
                  len(fitted), ";".join(first), len(judged), ";".join(second),
                  f"{statistics.median(errors):.1f}", f"{max(errors):.1f}")
        lines.append(dict(zip(COLUMNS, values)))
    return lines


def write_factors(path, lines):
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.write("# Factors of a framework's whole steps over the sum of its layers' forecasts, fitted on this device\n"
                   "# by scripts/bench truth. 90 % of the judged steps lie within factor / spread_factor and\n"
                   "# factor * spread_factor; a framework's update of a training step may cost time per parameter.\n")
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def number(value, digits=3):
    return "-" if value is None else f"{value:.{digits}g}" if abs(value) < 1000 else f"{value:.0f}"


def table(header, rows):
    return "\n".join(["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
                     + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def step_name(row):
    return row["pass"] if row["pass"] == "forward" else row["optimizer"]


def steps_table(rows):
    lines = []
    for row in rows:
        verified = "-" if row["verify_ms"] is None else number(row["verify_ms"])
        verified += f" (without {row['left_out']} layers)" if row["left_out"] else ""
        inside = in_interval(row)
        lines.append((row["network"], row["batch_size"], step_name(row), number(row["torch_ms"]),
                      f"{number(row['forecast_ms'])} ({number(row['low_ms'])}-{number(row['high_ms'])})", verified,
                      f"{ratio(row):.2f}" + ("*" if inside is False else ""), number(row["roofline_percent"], 2)))
    return table(("network", "batch", "step", "PyTorch ms", "forecast ms (90 %)", "verify ms", "PyTorch / forecast",
                  "roofline %"), lines)


def middle_batch(rows):
    return sorted({row["batch_size"] for row in rows})[len({row["batch_size"] for row in rows}) // 2]


def reasons_table(rows):
    """Where PyTorch's time goes, at the middle batch size: by torch.profiler, reorders by oneDNN's log."""
    kinds = ("convolution", "matrix", "pooling", "normalisation", "activation", "copies", "optimizer", "other")
    lines = []
    for row in rows:
        if row["shares"] and row["batch_size"] == middle_batch(rows):
            cells = [number(row["shares"].get(kind, 0), 2) for kind in kinds]
            lines.append((row["network"], row["batch_size"], step_name(row), *cells, number(row["reorder_percent"], 2)))
    return table(("network", "batch", "step", *(f"{kind} %" for kind in kinds), "reorders %"), lines) if lines else ""


def summary(rows, factors):
    lines = []
    if rows:
        errors = errors_percent(rows)
        lines.append(f"all {len(rows)} steps: forecasts are off by {statistics.median(errors):.0f} % (median),"
                     f" {max(errors):.0f} % (worst)")
        names = dict.fromkeys(row["network"] for row in rows)
        lines.append("PyTorch / forecast, median of a network: " + ", ".join(
            f"{name} {statistics.median(ratio(row) for row in rows if row['network'] == name):.2f}" for name in names))
    for step in STEPS:
        here = of_networks(rows, NETWORKS, step)
        if not here:
            continue
        errors = errors_percent(here)
        inside = [held for held in map(in_interval, here) if held is not None]
        own = [abs(row["verify_error_percent"]) for row in here if row["verify_error_percent"] is not None]
        line = (f"{step_name(here[0])}: forecasts are off by {statistics.median(errors):.0f} % (median), {max(errors):.0f} % (worst);"
                f" the interval holds {sum(inside)} of {len(inside)}")
        line += f"; verify of the same layers: {statistics.median(own):.1f} % (median)" if own else ""
        lines.append(line)
    for line in factors:
        update = float(line["update_ns_per_parameter"])
        lines.append(f"{step_name(line)}: PyTorch takes {line['factor']} times the forecast"
                     + (f" and {update:.2g} ns per parameter" if update else "")
                     + f" on {line['fitted_networks']}; with this {line['judged_networks']} are off by"
                     f" {line['judged_median_percent']} % (median), {line['judged_worst_percent']} % (worst)")
    return "\n".join(lines)


# ---- measuring ----

def run_json(program, *arguments):
    output = subprocess.run([program, *arguments, "-q", "-o", "json"], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output)


STEP_OPTIONS = ("--pass", "forward,train", "--optimizer", "sgd,adam")


def measure(options, network):
    pytorch = [options.python, pathlib.Path(__file__).with_name("bench_pytorch.py"), "--truth", "--truth-networks",
               network, "--truth-batches", options.batches, "--truth-steps", "forward,sgd,adam", "--truth-profile",
               "--truth-seconds", str(options.seconds), "--truth-clock", options.clock]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(pytorch, stdout=subprocess.PIPE, env=environment)
    if done.returncode == 77:
        sys.exit(77)
    if done.returncode:
        sys.exit(f"scripts/bench truth: PyTorch's {network} ended with {done.returncode}")
    torch_rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
    verified = [] if options.no_verify else run_json(
        options.program, "verify", network, "--model", options.model, "--rounds", "1", "--cap-ms",
        str(1000 * options.seconds), "--batch", options.batches, *STEP_OPTIONS)["rows"]
    return {"version": torch_rows[0]["version"], "torch": torch_rows, "verified": verified}


def forecast(options, network, found):
    """Device and rows of a network measured before, forecast by the model of now."""
    batches = ",".join(map(str, sorted({row["batch"] for row in found["torch"]})))
    forecasts = run_json(options.program, "predict", network, "--model", options.model, "--batch", batches,
                         *STEP_OPTIONS)
    return forecasts["device"], join(found["torch"], forecasts["rows"], found["verified"])


def parse_options():
    parser = argparse.ArgumentParser(prog="scripts/bench truth", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="?", default=",".join(NETWORKS), help="to measure now; none: the tables alone")
    parser.add_argument("--batches", default=BATCHES)
    parser.add_argument("--seconds", type=float, default=4, help="limit of a step's samples (default: 4)")
    parser.add_argument("--no-verify", action="store_true", help="leave out our own whole steps")
    parser.add_argument("--clock", choices=["wall", "thread"], default="wall",
                        help="of PyTorch; thread: processor time, for a machine that others use")
    parser.add_argument("--model", required=True)
    parser.add_argument("--program", required=True)
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has PyTorch")
    parser.add_argument("--folder", required=True, help="of a file per network")
    parser.add_argument("--fit", metavar="FILE.csv", nargs="?", const="",
                        help="write the factors (default: pytorch.csv beside the model)")
    return parser.parse_args()


def main():
    options = parse_options()
    folder = pathlib.Path(options.folder)
    folder.mkdir(parents=True, exist_ok=True)
    for network in options.networks.split(",") if options.networks != "none" else ():
        found = measure(options, network)
        (folder / f"{network}.json").write_text(json.dumps(found, indent=1) + "\n")
    files = {name: json.loads((folder / f"{name}.json").read_text()) for name in NETWORKS
             if (folder / f"{name}.json").exists()}
    if not files:
        sys.exit(f"scripts/bench truth: no network measured in {folder}")
    rows = []
    for network, found in files.items():
        device, own = forecast(options, network, found)
        rows += own
    versions = sorted({found["version"] for found in files.values()})
    factors = fit(rows, versions[-1], device)
    print(f"PyTorch {', '.join(versions)}, one thread, fp32. *: outside the forecast's interval.\n")
    print(steps_table(rows), reasons_table(rows), summary(rows, factors), sep="\n\n")
    if options.fit is not None:
        if not factors:
            sys.exit("scripts/bench truth: --fit needs networks in both halves")
        write_factors(options.fit or pathlib.Path(options.model).with_name("pytorch.csv"), factors)


if __name__ == "__main__":
    main()
