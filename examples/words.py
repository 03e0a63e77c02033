# The functions of words.yaml and words-by-kind.yaml.
import collections
import os
import re


def count(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        words = collections.Counter(re.findall(r"[^\W\d_]+", f.read().lower()))
    print(sum(words.values()), "words in", path)  # into the task's log
    return {"kind": os.path.splitext(path)[1], "words": words}


def top(results):
    total, kinds = collections.Counter(), set()
    for r in results:
        total.update(r["words"])
        kinds.add(r["kind"])
    return {"kinds": sorted(kinds), "files": len(results), "top": total.most_common(10)}
