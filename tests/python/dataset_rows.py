"""Reads the rows of dataset files with h5py, for tests in Python.

A dataset's rows are a dictionary: (kind, draw, round) -> the config, as a tuple of its features.
"""
import collections

import h5py

NOT_FEATURES_FROM = "outcome"  # the first column behind a config's features


def tables(path):
    """Kind and table of each kind, without room that was never written."""
    with h5py.File(path, "r") as file:
        for kind in file:
            if kind not in ("devices", "canary"):
                table = file[kind]["rows"][:]
                yield kind, table[table["batch_size"] != 0]


def read(path):
    rows = {}
    for kind, table in tables(path):
        features = table.dtype.names[:table.dtype.names.index(NOT_FEATURES_FROM)]
        for row in table:
            key = (kind, int(row["draw"]), int(row["round"]))
            if key in rows:
                raise ValueError(f"{path}: {kind} draw {key[1]}, round {key[2]} is there twice")
            rows[key] = tuple(int(row[feature]) for feature in features)
    return rows


def visits(path):
    """(kind, draw) -> config and number of its rounds, joined to one row or not."""
    found = {}
    configs_of_rows = read(path)
    for kind, table in tables(path):
        for row in table:
            key = (kind, int(row["draw"]))
            config = configs_of_rows[(*key, int(row["round"]))]
            found[key] = (config, found.get(key, (config, 0))[1] + int(row["round_count"]))
    return found


def outcomes(path):
    """Outcome, by name -> number of rows."""
    found = collections.Counter()
    for _, table in tables(path):
        names = {value: name for name, value in
                 h5py.check_enum_dtype(table.dtype["outcome"]).items()}
        found.update(names[outcome] for outcome in table["outcome"])
    return found


def configs(path):
    """(kind, draw) -> config, and whether the file holds one row a config, as finished ones do."""
    rows = read(path)
    found = {(kind, draw): config for (kind, draw, _), config in rows.items()}
    return found, len(found) == len(rows)
