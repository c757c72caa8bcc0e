#!/usr/bin/python3
"""A merged file by h5py, pandas, h5dump and CSV readers; pandas' CSV by the program."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy
    import pandas
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
if not shutil.which("h5dump"):
    print("skipped: no h5dump (hdf5-tools)")
    sys.exit(77)

program = sys.argv[1]


def run(*arguments, code=0):
    done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True)
    assert done.returncode == code, (arguments, done.returncode, done.stderr)
    return done.stdout


KINDS = list(dict.fromkeys(line.split(",")[0]
                           for line in run("show", "layers", "-o", "csv").splitlines()[1:]))


def check_with_h5py(path):
    with h5py.File(path) as file:
        assert file.attrs["growing"] == 0
        assert file.attrs["licence"] == b"CC-BY-4.0 AND CC0-1.0"
        assert file.attrs["sources"].decode().count("\n") == 2
        assert len(file["devices/rows"]) == 1
        for kind in KINDS:
            rows = file[kind + "/rows"]
            assert len(rows) == 60, len(rows)
            times = rows["unix_time_s"]
            assert len(numpy.unique(times)) == len(times)


def check_with_pandas(path, folder):
    """A CSV that pandas has read and written again is still ours."""
    copies = []
    for kind in KINDS:
        frame = pandas.read_hdf(path, kind + "/rows")
        exported = os.path.join(folder, kind + ".csv")
        with open(exported, "w") as file:
            file.write(run("export", path, "--layer", kind, "-o", "csv"))
        table = pandas.read_csv(exported, keep_default_na=False, na_values=[""],
                                float_precision="round_trip")
        for name in ("median_ms", "ci_ms", "unix_time_s", "spread_percent"):
            assert numpy.array_equal(table[name].to_numpy(float), frame[name].to_numpy(float),
                                     equal_nan=True), name
        lines = run("export", path, "--layer", kind, "-o", "jsonl").splitlines()
        assert [json.loads(line)["median_ms"] for line in lines] == list(table["median_ms"])
        copies.append(os.path.join(folder, kind + "-copy.csv"))
        table.to_csv(copies[-1], index=False)
    copy = os.path.join(folder, "copy.h5")
    run("import", *copies, "-q", "-O", copy)
    for kind in KINDS:
        before, after = (run("export", name, "--layer", kind, "-o", "csv") for name in (path, copy))
        assert before == after, kind


def check_with_h5dump(path):
    header = subprocess.run(["h5dump", "-H", path], check=True, stdout=subprocess.PIPE,
                            text=True).stdout
    for kind in KINDS:
        assert f'GROUP "{kind}"' in header
    rows = subprocess.run(["h5dump", "-d", "/conv2d/rows", "-s", "0", "-c", "2", path], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    assert "conv2d" in rows and ("same" in rows or "valid" in rows)
    unit = subprocess.run(["h5dump", "-a", "/conv2d/rows/median_ms.unit", path], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    assert '"ms"' in unit


def check_show(path):
    shown = json.loads(run("show", path, "-o", "json"))
    assert {row["layer"] for row in shown["rows"]} == set(KINDS)
    assert sum(row["rows"] for row in shown["noise"]) == sum(row["timed"] for row in shown["rows"])
    assert abs(sum(row["percent"] for row in shown["outcomes"]) - 100) < 1e-6
    assert shown["licence"] == "CC-BY-4.0 AND CC0-1.0"
    assert json.loads(run("show", "--check", path, "-o", "json")) == {"rows": []}


def check_violations(path):
    """What another program may do to a file is named, all of it, with exit code 4."""
    with h5py.File(path, "r+") as file:
        rows = file["dense/rows"]
        row = rows[3]
        row["median_ms"] = 1e9
        rows[3] = row
        rows[6] = rows[5]
        row["device"] = 4
        rows[7] = row
        del file.attrs["licence"], rows.attrs["median_ms.unit"]
    found = json.loads(run("show", "--check", path, "-o", "json", code=4))["rows"]
    text = "\n".join(f"{row['where']}: {row['what']}" for row in found)
    for wanted in ("attribute 'licence' is missing", "'median_ms.unit' is missing", "no seal",
                   "/dense/rows, row 7: device = 4", "median_ms <= maximum_ms", "a duplicate"):
        assert wanted in text, (wanted, text)
    run("show", path, code=4)


with tempfile.TemporaryDirectory() as temporary:
    first, second, merged = (os.path.join(temporary, name) for name in ("a.h5", "b.h5", "all.h5"))
    count = str(30 * len(KINDS))
    run("sweep", "--device", "fake", "-n", count, "-q", "-O", first)
    run("sweep", "--device", "fake", "-n", count, "--seed", "2", "--licence", "CC0-1.0", "-q", "-O",
        second)
    run("merge", first, second, first, "-q", "-O", merged)
    check_with_h5py(merged)
    check_with_pandas(merged, temporary)
    check_with_h5dump(merged)
    check_show(merged)
    check_violations(merged)
print("h5py, pandas, h5dump and the program agree on a merged file")
