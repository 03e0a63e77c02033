"""Calls noop for each number below N by one of Python's own pools: pools.py POOL N WORKERS.

Prints the sum of the results and the nanoseconds of the map alone."""
import json
import sys
import time

from noop import noop


def multiprocessing(n, workers):
    from multiprocessing import Pool

    with Pool(workers) as pool:
        begun = time.monotonic_ns()
        results = pool.map(noop, range(n), chunksize=1)
        spent = time.monotonic_ns() - begun
        pool.close()
        pool.join()
    return results, spent


def futures(n, workers):
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(max_workers=workers) as pool:
        begun = time.monotonic_ns()
        results = list(pool.map(noop, range(n), chunksize=1))
        spent = time.monotonic_ns() - begun
    return results, spent


if __name__ == "__main__":
    pool = {"multiprocessing": multiprocessing, "futures": futures}[sys.argv[1]]
    results, spent = pool(int(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps({"sum": sum(results), "ns": spent}))
