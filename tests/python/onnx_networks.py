#!/usr/bin/python3
"""Known networks as ONNX models, as frameworks export them: weights are holes in a sparse file beside the
model, so that a network of a gigabyte takes a few kilobytes.

usage: onnx_networks.py FOLDER [NAME...]

writes FOLDER/NAME.onnx and FOLDER/NAME.bin of every known network, or of the named ones.
"""
import os
import sys

from onnx_image_networks import IMAGE_NETWORKS
from onnx_sequence_networks import SEQUENCE_NETWORKS

NETWORKS = {**IMAGE_NETWORKS, **SEQUENCE_NETWORKS}

if __name__ == "__main__":
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(NETWORKS):
        sys.exit(__doc__ + "\nknown: " + " ".join(NETWORKS))
    for wanted in sys.argv[2:] or NETWORKS:
        NETWORKS[wanted](os.path.join(sys.argv[1], wanted + ".onnx"))
