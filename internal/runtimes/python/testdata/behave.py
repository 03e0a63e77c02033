"""Functions that behave in many ways."""
import asyncio
import contextlib
import io
import math
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings

import sibling

if __name__ == "__main__":
    raise RuntimeError("loaded as a program")

calls = 0


class Custom(Exception):
    class Inner(Exception):
        pass


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def echo(x):
    return x


def size(x):
    return len(x)


def big(n):
    return "x" * n


def count(x):
    global calls
    calls += 1
    return calls


# Errors


def fail(kind):
    if kind == "value":
        raise ValueError("bad\nvalue")
    if kind == "key":
        return {}["x"]
    if kind == "custom":
        raise Custom("a", 1)
    if kind == "inner":
        raise Custom.Inner()
    if kind == "elsewhere":
        sibling.fail()
    if kind == "cause":
        try:
            sibling.fail()
        except LookupError as error:
            raise ValueError("caused") from error
    if kind == "context":
        try:
            sibling.fail()
        except LookupError:
            raise ValueError("in handling")
    if kind == "unprintable":
        raise Unprintable()
    if kind == "recursion":
        return fail(kind)
    if kind == "memory":
        return bytearray(1 << 62)
    if kind == "interrupt":
        raise KeyboardInterrupt()
    if kind == "generator exit":
        raise GeneratorExit()
    if kind == "surrogate":
        raise ValueError("half \ud83d")
    if kind == "long":
        raise ValueError("x" * (1 << 20))
    return "fine"


def not_json(kind):
    circle = [1]
    circle.append(circle)
    deep = []
    if kind == "deep":
        for _ in range(200000):
            deep = [deep]
    return {
        "set": {"x": 1, "y": [0, 1, {"x": {1}}]},
        "top": Custom,
        "own": [Custom("a")],
        "nan": {"a": [math.nan]},
        "inf": -math.inf,
        "key": [{(1, 2): 3}],
        "number key": {1: {2.5: {None: object()}}},
        "circle": circle,
        "deep": deep,
        "bytes": b"x",
        "surrogate": "half \ud83d\\",
        "text": "\u00e4\u2028\n\"\U0001f600",
        "keys": {1: True, "b": None},
        "tuple": (1, (2.0, 1e300), -0.0),
        "map": map(str, [1]),
    }[kind]


def generate(x):
    yield x


async def generate_async(x):
    yield x


# Asynchronous ones

lock = asyncio.Lock()
loops = set()


async def later(x):
    async with lock:
        await asyncio.sleep(0)
        loops.add(id(asyncio.get_running_loop()))
        return [x, len(loops)]


async def later_fail(x):
    await asyncio.sleep(0)
    raise ValueError("later")


def returns_awaitable(x):
    class Awaitable:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return [x]
    return Awaitable()


async def later_generator(x):
    return generate(x)


def own_loop(x):
    return asyncio.run(later_elsewhere(x))


async def later_elsewhere(x):
    await asyncio.sleep(0)
    return x


async def leaves_task(x):
    async def wait():
        try:
            await asyncio.Event().wait()
        finally:
            print("task ended")
    asyncio.ensure_future(wait())
    await asyncio.sleep(0)


async def exits_later(x):
    await asyncio.sleep(0)
    sys.exit(x)


# Output


def prints(x):
    print("out", x)
    print("no newline", end="", flush=True)
    print(" err ", end="", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-S", "-c", "print('child')"], check=True)
    os.write(1, b"raw\n")
    print("\u00e4 \udcff", end="")


def says(text):
    print(text, end="")


def spoils(how):
    if how == "close":
        sys.stdout.close()
        sys.stderr.close()
    elif how == "close fds":
        os.close(1)
        os.close(2)
        print("an error")
    elif how == "replace":
        sys.stdout = io.StringIO()
        sys.stderr = None
    elif how == "restore":
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    elif how == "detach":
        sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="latin-1")
    elif how == "delete":
        del sys.stdout
    elif how == "closed file":
        with open(os.devnull, "w") as sys.stdout:
            pass
    elif how == "rubbish":
        sys.stdout = sys.stderr = object()
    elif how == "redirect":
        with contextlib.redirect_stdout(io.StringIO()):
            print("lost")
    elif how == "low":
        os.closerange(3, 100)


def writes_4(x):
    with contextlib.suppress(OSError):
        os.write(4, b"rubbish\n")
    with contextlib.suppress(OSError):
        os.read(3, 10)


def descriptors(program):
    """What a program that is started has open."""
    return subprocess.run([sys.executable, "-S", program], close_fds=False, stdout=subprocess.PIPE, check=True).stdout.decode()


# Processes


def exits(x):
    print("exiting", end="")
    sys.exit(x)


def exits_at_once(x):
    os._exit(x)


def killed(x):
    os.kill(os.getpid(), x)
    return "alive"


def forks(how):
    pid = os.fork()
    if pid == 0:
        if how == "raise":
            raise ValueError("in the child")
        if how == "exit":
            sys.exit(3)
        return "child"
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if hasattr(os, "waitstatus_to_exitcode") \
        else os.waitpid(pid, 0)[1] >> 8


def double(x):
    return 2 * x


def pool(method):
    with multiprocessing.get_context(method).Pool(1) as p:
        return p.map(double, [1, 2, 3])


def where(x):
    import inspect
    assert pickle.loads(pickle.dumps(echo)) is echo
    assert pickle.loads(pickle.dumps(Custom("a"))).args == ("a",)
    return [__name__, os.path.basename(__file__), sys.path[0] == os.path.dirname(__file__), sys.argv == [__file__],
            inspect.getsource(echo), sys.modules[__name__].echo is echo]


def thread(x):
    done = threading.Event()

    def work():
        done.wait()
        print("thread ended")
    threading.Thread(target=work).start()
    threading.Thread(target=lambda: (threading.main_thread().join(), done.set())).start()


def at_exit(x):
    import atexit
    atexit.register(print, "at exit", x)


def collects(x):
    import gc
    return [gc.isenabled(), gc.get_threshold() == threshold]


def set_threshold():
    import gc
    return gc.get_threshold()


threshold = set_threshold()


def interrupted(x):
    os.kill(os.getpid(), signal.SIGINT)
    return subprocess.run([sys.executable, "-S", "-c",
                           "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"],
                          stdout=subprocess.PIPE, check=True).stdout.decode().strip()


def warned(x):
    warnings.warn("careful")


# Measured ones


def usage(who):
    import resource
    u = resource.getrusage(who)
    return u.ru_utime + u.ru_stime


def burn(seconds):
    import resource
    begin = usage(resource.RUSAGE_SELF)
    while usage(resource.RUSAGE_SELF) - begin < seconds:
        pass
    return usage(resource.RUSAGE_SELF) - begin


def burn_child(seconds):
    import resource
    begin = usage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-S", "-c",
                    "import time\nwhile time.process_time() < %r: pass" % seconds], check=True)
    return usage(resource.RUSAGE_CHILDREN) - begin


def allocate(megabytes):
    block = bytearray(megabytes << 20)
    return len(bytes(block[:10]))


def allocate_child(megabytes):
    subprocess.run([sys.executable, "-S", "-c", "x = bytearray(%d << 20)" % megabytes], check=True)
