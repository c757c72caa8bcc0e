#!/usr/bin/python3
"""h5py and pandas read what the program writes."""
import os
import subprocess
import sys
import tempfile

try:
    import h5py
    import pandas
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

program = sys.argv[1]
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "data.h5")
    subprocess.run([program, "sweep", "--device", "fake", "-l", "conv2d", "-n", "100", "-q", "-O", path], check=True,
                   stdout=subprocess.DEVNULL)
    with h5py.File(path) as file:
        assert file.attrs["format"] == b"epochcast dataset", file.attrs["format"]
        assert file.attrs["seed"] == 1
        rows = file["conv2d/rows"]
        assert len(rows) == 100
        assert rows.attrs["median_ms.unit"] == b"ms"
        names = h5py.check_enum_dtype(rows.dtype["padding"])
        assert names == {"valid": 0, "same": 1}, names
        assert file["devices/rows"][0]["name"] == b"fake device"
        described = {name.rsplit(".", 1)[0] for name in rows.attrs}
        assert described == set(rows.dtype.names)
    frame = pandas.read_hdf(path, "conv2d/rows")
    assert len(frame) == 100
    assert (frame["median_ms"] > 0).all()
    text = subprocess.run([program, "export", path, "--layer", "conv2d", "-o", "csv"], check=True,
                          stdout=subprocess.PIPE).stdout
    csv_path = os.path.join(folder, "rows.csv")
    with open(csv_path, "wb") as file:
        file.write(text)
    exported = pandas.read_csv(csv_path)
    assert abs(exported["median_ms"] - frame["median_ms"].to_numpy()).max() < 1e-6
    assert set(exported["padding"]) <= {"valid", "same"}
print("h5py, pandas and the CSV export agree")
