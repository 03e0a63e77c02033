import copy
import os
import pickle
import resource


def total(results):
    return sum(results)


def spread(*results):
    return len(results)


def pair(a, b):
    return [a, b]


def same(results, id):
    return results


def inside(results):
    return {"all": results, "n": len(results)}


def peak():
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def flat(results):
    """How far the peak rises while all are read, several times at once."""
    before = peak()
    n = sum(1 for a, b in zip(results, results) if a == b)
    return [n, peak() - before]


def acts(results):
    r, plain = results, list(results)
    n = len(plain)
    third = iter(r)
    next(third)
    assert r[0] == plain[0], "first, before there is an index"
    assert [r[i] for i in range(-n, n)] == plain + plain
    for s in (slice(None), slice(1, 3), slice(None, None, -1), slice(-2, None), slice(5, 1, -2), slice(9, 99)):
        assert r[s] == plain[s] and type(r[s]) is list, s
    assert next(third) == plain[1], "an iteration goes on by itself"
    assert plain[1] in r and "no such" not in r
    assert r == plain and plain == r and r == r and not r != plain
    assert r != plain[1:] and r != plain[:-1] + [None] and r != "text"
    assert r + [1] == plain + [1] and [1] + r == [1] + plain and r + r == plain + plain
    assert sorted(r, key=str) == sorted(plain, key=str)
    assert list(reversed(r)) == plain[::-1]
    assert list(enumerate(r)) == list(enumerate(plain))
    assert r.index(plain[2]) == plain.index(plain[2]) and r.count(plain[0]) == plain.count(plain[0])
    first, *rest = r
    assert [first] + rest == plain and [*r] == plain
    assert bool(r) and len(repr(r)) < 100, repr(r)
    assert type(pickle.loads(pickle.dumps(r))) is list and copy.deepcopy(r) == plain == r.copy()
    for wrong in (n, -n - 1):
        try:
            r[wrong]
        except IndexError:
            continue
        raise AssertionError(wrong)
    try:
        r["x"]
    except TypeError:
        pass
    else:
        raise AssertionError("a text as index")
    assert not hasattr(r, "append")
    return "as a list"


def too_far(results):
    return results[len(results)]


def nothing(results):
    assert not results and list(results) == [] == results and results[:] == []
    return len(results)
