#!/usr/bin/env python3
"""What a user could take in epochcast's place, in one table: the time of a training step of the same network and recipe
(PyTorch eager, fused, compiled; JAX; scikit-learn), and error and time of regressors on our own columns and split
(LightGBM, XGBoost, scikit-learn's boosted trees). Versions stand beside the names. One thread everywhere; the time of a
training is the processor's.

  scripts/bench rivals [steps|errors|all]      errors: of the published files that FILES names (dense-V100,conv2d-V100)

The columns come from `export --encoded`. The test split stops boosting early, the validation split judges: the roles
that they have for the MLP.
"""
import argparse
import csv
import json
import math
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

SCRIPTS = pathlib.Path(__file__).resolve().parent
TREES, RATE = 2000, 0.03


# ---- pure ----

def mape_percent(predicted, measured):
    return 100 * statistics.fmean(abs(p / m - 1) for p, m in zip(predicted, measured))


def rmse(predicted, measured):
    return math.sqrt(statistics.fmean((p - m) ** 2 for p, m in zip(predicted, measured)))


def read_columns(text):
    """{split: (inputs, ms)} of `export --encoded`; devices as columns of their own where there are several."""
    rows = list(csv.reader(text.splitlines()))
    header, rows = rows[0], rows[1:]
    place = {name: header.index(name) for name in ("split", "median_ms")}
    rest = [i for i, name in enumerate(header) if name not in ("split", "device", "median_ms")]
    rest = [i for i in rest if len({row[i] for row in rows}) > 1]
    found = {}
    for row in rows:
        inputs, times = found.setdefault(row[place["split"]], ([], []))
        inputs.append([float(row[i]) for i in rest])
        times.append(float(row[place["median_ms"]]))
    return found


def medians(lines):
    """{name: (version, median us a step)} of lines of JSON."""
    found = {}
    for line in lines:
        found.setdefault((line["name"], line.get("version", "")), []).append(line["microseconds_per_step"])
    return {name: (version, statistics.median(times)) for (name, version), times in found.items()}


def strongest(found, ours):
    """The rival with the least time, and how many times ours fits into it."""
    name = min((name for name in found if name != ours), key=lambda name: found[name][1])
    return name, found[name][1] / found[ours][1]


def steps_table(by_workload, ours="epochcast host"):
    names = list(dict.fromkeys(name for found in by_workload.values() for name in found))
    lines = ["| step | version | " + " | ".join(f"{name}, us" for name in by_workload) + " |",
             "|---|---|" + "---|" * len(by_workload)]
    for name in names:
        version = next(found[name][0] for found in by_workload.values() if name in found)
        cells = [f"{found[name][1]:.0f} ({found[name][1] / found[ours][1]:.2f})" if name in found else "-"
                 for found in by_workload.values()]
        lines.append(f"| {name} | {version or 'this'} | " + " | ".join(cells) + " |")
    for workload, found in by_workload.items():
        if len(found) > 1:
            name, times = strongest(found, ours)
            lines.append(f"\n{workload}: the strongest rival is {name}; epochcast is {times:.2f} times as fast")
    return "\n".join(lines)


ERRORS_HEADER = ("| data | regressor | version | rows | MAPE % | RMSE ms | training, processor s |\n"
                 "|---|---|---|---|---|---|---|")


def errors_line(row):
    return (f"| {row['data']} | {row['name']} | {row['version'] or 'this'} | {row['rows']} | {row['mape']:.2f} |"
            f" {row['rmse']:.4g} | {row['seconds']:.1f} |")


# ---- steps ----

def json_lines(command, environment):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **environment})
    if done.returncode:
        print(f"# left out, ended with {done.returncode}: {' '.join(map(str, command))}", file=sys.stderr)
        return []
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]


def time_sklearn(workload, rows, epochs):
    """scikit-learn has neither dropout nor log-cosh: its squared loss of the same widths and batch."""
    import sklearn
    import numpy
    from sklearn.neural_network import MLPRegressor
    widths, batch, inputs = {"A": ((32, 64, 128, 128), 128, 17), "C": ((128, 128, 128), 256, 271)}[workload]
    data = numpy.random.default_rng(1)
    x = data.standard_normal((rows, inputs), dtype=numpy.float32)
    y = data.random(rows, dtype=numpy.float32)
    net = MLPRegressor(hidden_layer_sizes=widths, batch_size=batch, alpha=1e-5)
    net.partial_fit(x, y)
    start = time.perf_counter()
    for _ in range(epochs):
        net.partial_fit(x, y)
    steps = epochs * math.ceil(rows / batch)
    return {"name": "scikit-learn MLPRegressor", "version": sklearn.__version__,
            "microseconds_per_step": 1e6 * (time.perf_counter() - start) / steps}


def steps_of(options, workload):
    rows, lines = 35840, []
    common = ["--workload", workload, "--rows", str(rows)]
    one_thread = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for turn in range(options.turns):
        lines += json_lines([options.bench_trainer, *common, "--epochs", "5", "--threads", "1"], one_thread)
        for mode in options.modes.split(","):
            lines += json_lines([sys.executable, SCRIPTS / "bench_pytorch.py", *common, "--epochs", "1", "--mode", mode],
                                one_thread)
        lines += json_lines([sys.executable, SCRIPTS / "bench_jax.py", *common, "--epochs", "3"], one_thread)
        if turn == 0:
            lines += json_lines([sys.executable, __file__, "sklearn", "--workload", workload], one_thread)
    return medians(lines)


# ---- errors ----

def boosters():
    """name -> (version, fit), where fit(train, test) gives a function from inputs to ms; targets are logarithms."""
    found = {}
    try:
        import lightgbm
        def fit_lightgbm(x, y, test_x, test_y):
            model = lightgbm.LGBMRegressor(n_estimators=TREES, learning_rate=RATE, num_leaves=63, subsample=0.8,
                                           subsample_freq=1, colsample_bytree=0.6, n_jobs=1, verbose=-1)
            model.fit(x, y, eval_set=[(test_x, test_y)], callbacks=[lightgbm.early_stopping(100, verbose=False)])
            return model.predict
        found["LightGBM"] = (lightgbm.__version__, fit_lightgbm)
    except ImportError as reason:
        print(f"# {reason}", file=sys.stderr)
    try:
        import xgboost
        def fit_xgboost(x, y, test_x, test_y):
            model = xgboost.XGBRegressor(n_estimators=TREES, learning_rate=RATE, max_depth=8, subsample=0.8,
                                         colsample_bytree=0.6, n_jobs=1, tree_method="hist", early_stopping_rounds=100)
            model.fit(x, y, eval_set=[(test_x, test_y)], verbose=False)
            return model.predict
        found["XGBoost"] = (xgboost.__version__, fit_xgboost)
    except ImportError as reason:
        print(f"# {reason}", file=sys.stderr)
    try:
        import sklearn
        from sklearn.ensemble import HistGradientBoostingRegressor
        def fit_sklearn(x, y, test_x, test_y):
            model = HistGradientBoostingRegressor(max_iter=TREES, learning_rate=RATE, max_leaf_nodes=63,
                                                  early_stopping=True, n_iter_no_change=100)
            model.fit(x, y, X_val=test_x, y_val=test_y)
            return model.predict
        found["scikit-learn HistGradientBoosting"] = (sklearn.__version__, fit_sklearn)
    except ImportError as reason:
        print(f"# {reason}", file=sys.stderr)
    return found


def children_s():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def ours(options, data, kind, nets):
    model = options.folder / f"rivals-{kind}.h5"
    start = children_s()
    subprocess.run([options.program, "train", data, "--layer", kind, "--ensemble", str(nets), "--threads", "1", "-q",
                    "--overwrite", "-O", model], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = children_s() - start
    found = json.loads(subprocess.run([options.program, "evaluate", model, data, "-q", "-o", "json"], check=True,
                                      stdout=subprocess.PIPE).stdout)["rows"]
    row = next(row for row in found if row["group"] == "all" and row["layer"] == kind)
    return {"mape": row["mape_percent"], "rmse": row["rmse_ms"], "rows": row["count"], "seconds": seconds}


def errors_of(options, name, source):
    import numpy
    data = options.folder / f"rivals-{name}.data.h5"
    kind, device = name.split("-", 1)
    if source.suffix == ".csv":
        subprocess.run([options.program, "import", "--device-name", device, source, "-q", "--overwrite", "-O", data],
                       check=True, stdout=subprocess.DEVNULL)
    else:
        data = source
    for nets in (1, 5):
        yield {"data": name, "name": f"epochcast, {nets} net{'s' * (nets > 1)}", "version": "",
               **ours(options, data, kind, nets)}
    columns = read_columns(subprocess.run([options.program, "export", data, "--layer", kind, "--encoded"], check=True,
                                          stdout=subprocess.PIPE).stdout.decode())
    splits = {split: (numpy.array(x, dtype=numpy.float32), numpy.log(y)) for split, (x, y) in columns.items()}
    measured = columns["validation"][1]
    for booster, (version, fit) in boosters().items():
        start = time.process_time()
        predict = fit(*splits["train"], *splits["test"])
        seconds = time.process_time() - start
        predicted = numpy.exp(predict(splits["validation"][0])).tolist()
        yield {"data": name, "name": booster, "version": version, "rows": len(measured), "seconds": seconds,
               "mape": mape_percent(predicted, measured), "rmse": rmse(predicted, measured)}


def source_of(name):
    """dense-V100: the published file; or KIND-NAME=DATA.h5."""
    name, _, path = name.partition("=")
    if path:
        return name, pathlib.Path(path)
    folder = pathlib.Path(os.environ.get("JUSTUS2018", SCRIPTS.parent.parent / "shared/data/justus2018"))
    return name, folder / f"justus2018-{name}.csv"


def parse_options():
    parser = argparse.ArgumentParser(prog="scripts/bench rivals", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["all", "steps", "errors", "sklearn"], nargs="?", default="all")
    parser.add_argument("--program", type=pathlib.Path)
    parser.add_argument("--bench-trainer", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--workload", default="A,C", help="A: the paper's net, C: the default preset's")
    parser.add_argument("--modes", default="eager,fused,step", help="of PyTorch: eager, fused, compile, step")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--files", default=os.environ.get("FILES", "dense-V100,conv2d-V100"))
    return parser.parse_args()


def main():
    options = parse_options()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before scikit-learn reads it
    if options.what == "sklearn":
        print(json.dumps(time_sklearn(options.workload, 35840, 2)))
        return
    if options.what in ("all", "steps"):
        names = {"A": "17-32-64-128-128-1, batch 128, paper's recipe", "C": "271-128-128-128-1, batch 256, default recipe"}
        print(steps_table({names[workload]: steps_of(options, workload) for workload in options.workload.split(",")}),
              flush=True)
    if options.what in ("all", "errors"):
        print("\n" + ERRORS_HEADER, flush=True)
        for name in options.files.split(","):
            for row in errors_of(options, *source_of(name)):
                print(errors_line(row), flush=True)


if __name__ == "__main__":
    main()
