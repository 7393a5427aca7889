"""Fills a Ray cluster's object store, and holds it full until it is ended.

python -m tests.faults.hog ADDRESS
"""

import logging
import sys
from time import sleep

import numpy as np
import ray

MEGABYTES = 400

if __name__ == "__main__":
    ray.init(address=sys.argv[1], logging_level=logging.ERROR, log_to_driver=False)
    held = [ray.put(np.full(1 << 20, number % 256, np.uint8)) for number in range(MEGABYTES)]
    print("full", flush=True)
    sleep(600)
