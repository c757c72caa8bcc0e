#!/usr/bin/env python3
"""Whole networks that a model has never seen: a sweep of layers of every other network of the catalogue, a model of it,
and `verify` of the others. Prints the errors of held-out layers by kind, the errors of whole steps beside the gap between
a step and the sum of its layers, and how much of each forecast is a roofline alone.

A step that would take longer than --longest-s by its forecast is left out, and said.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

PASSES = ("forward", "train") # with sgd


# ---- pure ----

def halves(names):
    """Every other name: neighbours (resnet34, resnet50) come apart."""
    ordered = sorted(names)
    return ordered[::2], ordered[1::2]


def short_enough(forecasts, longest_s):
    """(batch, pass) of forecasts that take less, and the number of the others."""
    kept = [(row["batch_size"], row["pass"]) for row in forecasts if row["batch_ms"] <= 1e3 * longest_s]
    return kept, len(forecasts) - len(kept)


def size_of(rows, name):
    values = [abs(row[name]) for row in rows if row.get(name) is not None]
    return f"{statistics.median(values):.1f} / {max(values):.1f}" if values else "-"


def figure(row, name, shape):
    """"-": not known, as without an interval."""
    return "-" if row.get(name) is None else format(row[name], shape)


def kinds_table(errors):
    """`train -o json`: rows of kinds with their errors on rows left out."""
    lines = ["| kind | held-out rows | MAPE % | standard error |", "|---|---|---|---|"]
    for row in errors:
        if row.get("held_out_mape_percent") is not None:
            lines.append(f"| {row['layer']} | {row['held_out_rows']} | {row['held_out_mape_percent']:.1f} |"
                         f" {row['held_out_standard_error_percent']:.1f} |")
    return lines


def steps_table(rows):
    lines = ["| network | batch | pass | measured ms | forecast ms (90 %) | error % | sum of layers, gap % | roofline share % |",
             "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        low, high = figure(row, "predicted_low_ms", ".4g"), figure(row, "predicted_high_ms", ".4g")
        lines.append(f"| {row['network']} | {row['batch_size']} | {row['pass']} | {figure(row, 'measured_ms', '.4g')} |"
                     f" {figure(row, 'predicted_ms', '.4g')} ({low}-{high}) | {figure(row, 'error_percent', '.1f')} |"
                     f" {figure(row, 'sum_gap_percent', '.1f')} | {figure(row, 'roofline_percent', '.1f')} |")
    return lines


def is_inside(row):
    low, high = row.get("predicted_low_ms"), row.get("predicted_high_ms")
    return low is not None and high is not None and low <= row["measured_ms"] <= high


def summary(rows):
    inside = sum(map(is_inside, rows))
    return (f"{len(rows)} steps: error {size_of(rows, 'error_percent')} % (median / worst), sum of layers "
            f"{size_of(rows, 'sum_gap_percent')} %, {inside} within the interval, roofline at most "
            f"{max((row['roofline_percent'] or 0 for row in rows), default=0):.1f} % of a forecast")


# ---- running ----

def run(*arguments, check=True):
    done = subprocess.run(arguments, stdout=subprocess.PIPE, check=False)
    if check and done.returncode:
        sys.exit(f"bench_catalogue.py: {' '.join(map(str, arguments))} ended with {done.returncode}")
    return done.stdout


def verified(options, name):
    """Rows of verify, each with the share of the roofline in its forecast."""
    rows = []
    common = [name, "--model", options.model, "-q", "-o", "json"]
    forecasts = {}
    for pass_ in PASSES:
        for row in json.loads(run(options.program, "predict", *common, "--batch", options.batches, "--pass", pass_))["rows"]:
            forecasts[row["batch_size"], row["pass"]] = row
    kept, left_out = short_enough(list(forecasts.values()), options.longest_s)
    if left_out:
        print(f"{name}: {left_out} steps left out, forecast to take more than {options.longest_s:g} s", flush=True)
    for batch, pass_ in kept:
        text = run(options.program, "verify", *common, "--device", "cpu", "--batch", str(batch), "--pass", pass_, "--sum",
                   "--cap-ms", str(options.cap_ms), "--rounds", "2", check=False)
        for row in json.loads(text)["rows"] if text else []:
            if row.get("measured_ms") is not None:
                row["roofline_percent"] = forecasts[batch, pass_]["roofline_percent"]
                rows.append(row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help="to verify (default: all of the other half that fit)")
    parser.add_argument("--program", required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--sweep-s", type=float, default=600)
    parser.add_argument("--longest-s", type=float, default=3)
    parser.add_argument("--cap-ms", type=float, default=1000)
    parser.add_argument("--batches", default="1,4")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    options.model = str(options.folder / "catalogue-model.h5")
    known = [row["network"] for row in json.loads(run(options.program, "show", "networks", "-o", "json"))["rows"]]
    swept, others = halves(known)
    data = str(options.folder / f"catalogue-{options.sweep_s:g}s.h5")
    if not pathlib.Path(data).exists():
        print(f"swept: {', '.join(swept)}", flush=True)
        run(options.program, "sweep", "--device", "cpu", "--from-networks", ",".join(swept), "--time-budget",
            f"{options.sweep_s:g}s", "-q", "-O", data)
    trained = json.loads(run(options.program, "train", data, "-q", "--overwrite", "-O", options.model, "-o", "json"))
    print("\n".join(kinds_table(trained["rows"])), flush=True)
    rows = []
    for name in options.networks or others:
        rows += verified(options, name)
    print("\n" + "\n".join(steps_table(rows)) + "\n\n" + summary(rows))


if __name__ == "__main__":
    main()
