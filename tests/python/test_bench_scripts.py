#!/usr/bin/env python3
"""The benchmark scripts: what they compute, without PyTorch; and, where it is installed, that they run with it.

usage: test_bench_scripts.py EPOCHCAST
"""
import csv
import importlib.machinery
import importlib.util
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()


def load(name):
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_").removesuffix(".py"), str(SCRIPTS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


truth, sweep_torch, pytorch = load("bench_truth.py"), load("sweep-torch"), load("bench_pytorch.py")
rivals, results, catalogue = load("bench_rivals.py"), load("results"), load("bench_catalogue.py")


def torch_python():
    """An interpreter with PyTorch, or None."""
    for python in (os.environ.get("PYTHON"), SCRIPTS.parent / "build/python/bin/python", sys.executable):
        if python and shutil.which(python) and subprocess.run([python, "-c", "import torch"], stderr=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, check=False).returncode == 0:
            return python
    return None


def step(network, torch_ms, forecast_ms, pass_="forward", optimizer="none", parameters=1e6):
    return {"network": network, "batch_size": 1, "pass": pass_, "optimizer": optimizer, "torch_ms": torch_ms,
            "forecast_ms": forecast_ms, "low_ms": 0.9 * forecast_ms, "high_ms": 1.1 * forecast_ms, "shares": {},
            "verify_ms": None, "verify_error_percent": None, "left_out": 0, "roofline_percent": 0.0,
            "parameters": parameters, "reorder_percent": None}


class Catalogue(unittest.TestCase):
    def test_halves_are_apart(self):
        swept, others = catalogue.halves(["resnet50", "vgg11", "alexnet", "resnet34"])
        self.assertEqual((swept, others), (["alexnet", "resnet50"], ["resnet34", "vgg11"]))

    def test_long_steps_are_counted(self):
        forecasts = [{"batch_size": 1, "pass": "forward", "batch_ms": 900.0}, {"batch_size": 4, "pass": "train", "batch_ms": 3001.0}]
        self.assertEqual(catalogue.short_enough(forecasts, 3), ([(1, "forward")], 1))

    def test_sizes_and_shares(self):
        rows = [{"network": "a", "batch_size": 1, "pass": "forward", "measured_ms": 10.0, "predicted_ms": 9.0,
                 "predicted_low_ms": 8.0, "predicted_high_ms": 9.5, "error_percent": -10.0, "sum_gap_percent": 2.0,
                 "roofline_percent": 1.5},
                {"network": "a", "batch_size": 4, "pass": "train", "measured_ms": 10.0, "predicted_ms": 10.2,
                 "predicted_low_ms": 9.0, "predicted_high_ms": 11.0, "error_percent": 2.0, "roofline_percent": 0.0}]
        self.assertEqual(catalogue.summary(rows), "2 steps: error 6.0 / 10.0 % (median / worst), sum of layers 2.0 / 2.0 %, "
                                                  "1 within the interval, roofline at most 1.5 % of a forecast")
        self.assertIn("| -10.0 | 2.0 | 1.5 |", catalogue.steps_table(rows)[2])
        self.assertIn("| 2.0 | - | 0.0 |", catalogue.steps_table(rows)[3])

    def test_kinds_without_held_out_rows_are_left_out(self):
        rows = [{"layer": "dense", "held_out_rows": 9, "held_out_mape_percent": 5.04, "held_out_standard_error_percent": 0.5},
                {"layer": "pool2d", "held_out_rows": 0, "held_out_mape_percent": None}]
        self.assertEqual(catalogue.kinds_table(rows)[2:], ["| dense | 9 | 5.0 | 0.5 |"])


class Truth(unittest.TestCase):
    def test_join_takes_the_same_step(self):
        torch_rows = [{"network": "a", "batch": 4, "pass": "train", "optimizer": "adam", "median_ms": 6.0},
                      {"network": "a", "batch": 4, "pass": "forward", "optimizer": "none", "error": "no memory"}]
        forecast = {"batch_ms": 3.0, "batch_low_ms": 2.0, "batch_high_ms": 4.0, "roofline_percent": 5.0,
                    "memory": {"parameters_bytes": 40}}
        forecasts = [{**forecast, "batch_size": 4, "pass": "train", "optimizer": "sgd", "batch_ms": 1.0},
                     {**forecast, "batch_size": 4, "pass": "train", "optimizer": "adam"},
                     {**forecast, "batch_size": 4, "pass": "forward", "optimizer": "none"}]
        verified = [{"batch_size": 4, "pass": "train", "optimizer": "adam", "measured_ms": 2.5, "error_percent": 20.0}]
        rows = truth.join(torch_rows, forecasts, verified)
        self.assertEqual(len(rows), 1)
        self.assertEqual((rows[0]["forecast_ms"], rows[0]["verify_ms"], rows[0]["parameters"]), (3.0, 2.5, 10))
        self.assertEqual(truth.ratio(rows[0]), 2)
        self.assertIs(truth.in_interval(rows[0]), False)

    def test_factor_is_not_moved_by_one_network(self):
        rows = [step("a", 1.5, 1), step("b", 3.0, 2), step("c", 40.0, 4)]
        self.assertEqual(truth.fit_step(rows, False), (1.5, 0))

    def test_update_is_told_from_the_factor(self):
        rows = [step("a", 1.2 * ms + 1e-6 * count, ms, "train", "adam", count)
                for ms, count in ((10, 1e6), (10, 1e8), (1000, 1e7), (300, 5e7))]
        factor, update_ns = truth.fit_step(rows, True)
        self.assertAlmostEqual(factor, 1.2, delta=0.02)
        self.assertAlmostEqual(update_ns, 1, delta=0.06)
        self.assertLess(max(truth.errors_percent(rows, factor, update_ns)), 3)

    def test_spread_holds_nine_of_ten(self):
        rows = [step("a", math.exp(i / 10), 1) for i in range(-9, 11)]
        self.assertAlmostEqual(truth.spread_factor(rows, 1), math.exp(0.9))
        self.assertAlmostEqual(truth.spread_factor(rows[:3], 1), math.exp(0.9))  # few: the largest

    def test_half_fits_and_half_judges(self):
        rows = [step("alexnet", 2, 1), step("vgg11", 3, 1), step("resnet18", 2, 1)]
        line, = truth.fit(rows, "2.15", "cpu")
        self.assertEqual((line["fitted_networks"], line["judged_networks"]), ("alexnet;resnet18", "vgg11"))
        self.assertEqual((line["factor"], line["judged_median_percent"], line["spread_factor"]),
                         ("2.0000", "33.3", "1.5000"))
        self.assertEqual(truth.fit(rows[:1], "2.15", "cpu"), [])

    def test_predict_reads_the_factors(self):
        rows = [step(name, 2 * ms, ms, *kind) for name, ms in (("alexnet", 1), ("vgg11", 2))
                for kind in (("forward", "none"), ("train", "sgd"))]
        with tempfile.TemporaryDirectory() as folder:
            run(folder, "sweep", "--device", "fake", "-n", "200", "-O", "data.h5")
            run(folder, "train", "data.h5", "-e", "2", "-O", "model.h5")
            truth.write_factors(pathlib.Path(folder) / "pytorch.csv", truth.fit(rows, "2.15", "fake device"))
            found = json.loads(run(folder, "predict", "lenet5", "-m", "model.h5", "--framework", "pytorch",
                                   "--pass", "forward,train", "-o", "json"))["rows"]
        for row in found:
            self.assertAlmostEqual(row["framework"]["batch_ms"] / row["batch_ms"], 2, places=3)
            self.assertEqual(row["framework"]["fitted_networks"], "alexnet")

    def test_tables_tell_intervals_and_reasons(self):
        row = {**step("vgg11", 200, 100), "shares": {"pooling": 14.0}, "verify_ms": 99.0, "left_out": 2}
        self.assertIn("| vgg11 | 1 | forward | 200 | 100 (90-110) | 99 (without 2 layers) | 2.00* |",
                      truth.steps_table([row]))
        self.assertIn("| 14 |", truth.reasons_table([row]))
        self.assertIn("forward: forecasts are off by 50 % (median), 50 % (worst); the interval holds 0 of 1",
                      truth.summary([row], []))


class Reorders(unittest.TestCase):
    def test_logs_of_two_versions(self):
        log = ("onednn_verbose,info,oneDNN v3.1\n"
               "onednn_verbose,v1,primitive,exec,cpu,reorder,jit:uni,undef,src_f32,,,3x64,0.5\n"
               "onednn_verbose,exec,cpu,reorder,jit:uni,undef,src_f32,,,3x64,0.25\n"
               "onednn_verbose,v1,primitive,exec,cpu,convolution,jit,forward,src,,alg,mb1,9.0\n"
               "onednn_verbose,v1,primitive,create:cache_hit,cpu,reorder,jit:uni,undef,src,,,3x64,2.0\n")
        self.assertEqual(pytorch.reorder_ms(log), 0.75)

    def test_classes_of_operators(self):
        for name, kind in (("aten::mkldnn_convolution", "convolution"), ("aten::addmm", "matrix"),
                           ("aten::max_pool2d_with_indices", "pooling"), ("aten::native_batch_norm", "normalisation"),
                           ("aten::hardtanh_", "activation"), ("aten::copy_", "copies"), ("aten::what", "other")):
            self.assertEqual(pytorch.operator_class(name), kind)


class Rivals(unittest.TestCase):
    def test_errors_by_hand(self):
        self.assertAlmostEqual(rivals.mape_percent([1.1, 4], [1, 5]), 15)
        self.assertAlmostEqual(rivals.rmse([1, 5], [4, 9]), math.sqrt(12.5))

        line = rivals.errors_line({"data": "dense-V100", "name": "LightGBM", "version": "4.7", "rows": 9, "mape": 2.954,
                                   "rmse": 0.02171, "seconds": 12.34})
        self.assertEqual(line, "| dense-V100 | LightGBM | 4.7 | 9 | 2.95 | 0.02171 | 12.3 |")

    def test_columns_that_vary_by_split(self):
        found = rivals.read_columns("split,device,median_ms,a,b\ntrain,x,2,1,7\ntest,x,3,2,7\ntrain,x,4,3,7\n")
        self.assertEqual(found, {"train": ([[1.0], [3.0]], [2.0, 4.0]), "test": ([[2.0]], [3.0])})

    def test_the_strongest_rival_is_told(self):
        lines = [{"name": name, "version": "1", "microseconds_per_step": value} for name, value in
                 (("epochcast host", 100), ("slow", 900), ("fast", 150), ("fast", 190), ("fast", 170))]
        found = rivals.medians(lines)
        self.assertEqual(found["fast"], ("1", 170))
        self.assertEqual(rivals.strongest(found, "epochcast host"), ("fast", 1.7))
        text = rivals.steps_table({"A": found, "C": {name: found[name] for name in ("epochcast host", "slow")}})
        self.assertIn("| fast | 1 | 170 (1.70) | - |", text)
        self.assertIn("C: the strongest rival is slow; epochcast is 9.00 times as fast", text)


class Results(unittest.TestCase):
    def test_a_section_of_several_paragraphs_replaces_itself(self):
        match = results.section_of("## Name\n\nfirst\n\nsecond\n")
        self.assertEqual(match.groups(), ("Name", "first\n\nsecond\n"))


class SweepTorch(unittest.TestCase):
    def test_interval_of_the_median(self):
        self.assertTrue(math.isnan(sweep_torch.median_interval([1, 2, 3, 4, 5])))
        self.assertEqual(sweep_torch.median_interval(list(range(100))), (99 - 40 - 40) / 2)

    def test_label_is_the_fastest_round(self):
        common = {"warmup_ms": 1.0, "measuring_ms": 10.0, "setup_ms": 0.5, "outcome": "ok"}
        visits = [sweep_torch.visit_of([3, 4, 5], **common), sweep_torch.visit_of([1, 2, 9], **common),
                  sweep_torch.visit_of([4, 4, 4], **common)]
        row = sweep_torch.join_visits(visits)
        self.assertEqual((row["median_ms"], row["minimum_ms"], row["maximum_ms"]), (2, 1, 9))
        self.assertEqual((row["sample_count"], row["measuring_ms"], row["round_count"]), (9, 30.0, 3))
        self.assertEqual(row["spread_percent"], 50)
        self.assertEqual(sweep_torch.join_visits([{"outcome": "unsupported"}])["outcome"], "unsupported")

    def test_every_config_in_every_round_once(self):
        visits = list(sweep_torch.schedule(130, 3))
        self.assertEqual(len(visits), 390)
        self.assertEqual(set(visits), {(config, round_) for config in range(130) for round_ in range(3)})
        self.assertEqual(visits, list(sweep_torch.schedule(130, 3)))

    def test_zeros_of_same_padding(self):
        self.assertEqual(sweep_torch.window(7, 3, 2, "same"), (1, 1))
        self.assertEqual(sweep_torch.window(8, 3, 2, "same"), (0, 1))
        self.assertEqual(sweep_torch.window(8, 1, 4, "same"), (0, 0))
        self.assertEqual(sweep_torch.window(8, 3, 2, "valid"), (0, 0))

    def test_times_with_units(self):
        self.assertEqual([sweep_torch.seconds_of(text) for text in ("30", "30s", "5m", "1h")], [30, 30, 300, 3600])
        self.assertRaises(ValueError, sweep_torch.seconds_of, "-1")

    def test_import_takes_the_rows(self):
        with tempfile.TemporaryDirectory() as folder:
            run(folder, "sweep", "--device", "fake", "-n", "30", "-O", "data.h5")
            sources = [row for kind in ("dense", "conv2d") for row in
                       csv.DictReader(run(folder, "export", "data.h5", "-l", kind, "-o", "csv").splitlines())]
            common = {"warmup_ms": 1.0, "measuring_ms": 10.0, "setup_ms": 0.5, "repeats_per_sample": 1, "outcome": "ok"}
            rows = [sweep_torch.row_of(source, [sweep_torch.visit_of([1.0, 2.0, 3.0], **common)], "PyTorch 2.15.0")
                    for source in sources]
            rows[0] = sweep_torch.row_of(sources[0], [{"outcome": "unsupported"}], "PyTorch 2.15.0")
            sweep_torch.write_csv(pathlib.Path(folder) / "torch.csv", rows)
            run(folder, "import", "torch.csv", "-O", "torch.h5")
            again = [row for kind in ("dense", "conv2d") for row in
                     csv.DictReader(run(folder, "export", "torch.h5", "-l", kind, "-o", "csv").splitlines())]
        self.assertEqual(len(again), len(sources))
        self.assertEqual({row["device_library"] for row in again}, {"PyTorch 2.15.0"})
        self.assertEqual([row["draw"] for row in again], [row["draw"] for row in sources])
        self.assertEqual({row["median_ms"] for row in again[1:]}, {"2"})
        self.assertEqual((again[0]["outcome"], again[0]["median_ms"]), ("unsupported", ""))

    def test_journal_outlives_a_torn_line(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "journal"
            line = json.dumps({"config": "a", "round": 1, "library": "PyTorch 2", "outcome": "ok"}) + "\n"
            path.write_text(line + line.replace("PyTorch 2", "PyTorch 1").replace('"a"', '"b"') + line[:20])
            self.assertEqual(sweep_torch.read_journal(path, "PyTorch 2"), {"a": {1: {"outcome": "ok"}}})
            self.assertTrue(path.read_text().endswith("}\n"))


class WithPyTorch(unittest.TestCase):
    def setUp(self):
        self.python = torch_python()
        if not self.python:
            self.skipTest("no PyTorch: scripts/setup --bench")

    def test_layers_of_every_kind(self):
        with tempfile.TemporaryDirectory() as folder:
            run(folder, "sweep", "--device", "fake", "-n", "18", "--max-flops", "1e7", "--max-memory", "8MB",
                "-O", "data.h5")
            command = [self.python, SCRIPTS / "sweep-torch", "data.h5", "-O", "torch.csv", "--program", PROGRAM,
                       "--cap-ms", "1", "-q"]
            first = subprocess.run([*command, "-t", "0.001"], cwd=folder, check=True, stdout=subprocess.PIPE)
            self.assertIn(b"the same command goes on", first.stdout)
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE)
            self.assertFalse((pathlib.Path(folder) / "torch.csv.journal").exists())
            run(folder, "import", "torch.csv", "-O", "torch.h5")
            self.assertIn(",PyTorch ", run(folder, "export", "torch.h5", "-l", "pool2d", "-o", "csv"))
            with open(pathlib.Path(folder) / "torch.csv", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 18)
        timed = {row["layer"] for row in rows if row["outcome"] in ("ok", "capped", "slow")}
        later = {"attention", "layer_norm"} # fused attention, rms_norm: PyTorch 2
        self.assertLessEqual(timed, set(sweep_torch.KINDS))
        self.assertLessEqual(set(sweep_torch.KINDS) - later, timed)
        self.assertEqual({row["precision"] for row in rows if row["outcome"] == "unsupported"} - {"fp32"},
                         {row["precision"] for row in rows} - {"fp32"})

    def test_steps_of_a_network(self):
        done = subprocess.run([self.python, SCRIPTS / "bench_pytorch.py", "--truth", "--truth-networks", "lstm_lm",
                               "--truth-batches", "1", "--truth-steps", "forward,sgd", "--truth-seconds", "0.01",
                               "--truth-profile"], stdout=subprocess.PIPE, check=True)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([(row["pass"], row["optimizer"]) for row in rows], [("forward", "none"), ("train", "sgd")])
        self.assertTrue(all(row["median_ms"] > 0 and 99 < sum(row["shares"].values()) < 101 for row in rows))
        self.assertGreater(rows[1]["shares"]["optimizer"], 0)


def run(folder, *arguments):
    return subprocess.run([PROGRAM, *arguments, "-q"], cwd=folder, check=True,
                          stdout=subprocess.PIPE).stdout.decode()


if __name__ == "__main__":
    unittest.main()
