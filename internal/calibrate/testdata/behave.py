"""A function that does what its argument says and returns what it knows of the call.

The steps are those of child_test.go, and so are the keys of the result."""
import json
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

PATIENCE = 60  # seconds, of every wait; reached only when a test fails


def behave(script):
    call = Call()
    for step in script.split(";"):
        word, *args = step.split()
        STEPS[word](call, *args)
    if call.given is not None:
        return call.given
    return None if call.quiet else call.truth()


class Call:
    def __init__(self):
        self.begin = time.monotonic_ns()
        self.base = used()
        self.seen = {"RSS": 0, "USS": 0, "VM": 0, "Most": 0}
        self.told, self.held, self.given, self.quiet = [], [], None, False
        self.look()

    def look(self):
        self.seen["Most"] = max(self.seen["Most"], proc_kb("self/status", "VmRSS:"))

    def truth(self):
        self.look()
        truth = {key: value - self.base[key] for key, value in used().items()}
        for other in self.told:
            truth["User"] += other["User"]
            truth["System"] += other["System"]
        truth.update(self.seen, PID=os.getpid(), Begin=self.begin, HighWater=proc_kb("self/status", "VmHWM:"))
        truth["End"] = time.monotonic_ns()
        return truth


def used():
    """What the kernel has counted for this process and all it has waited for."""
    both = [resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)]
    return {
        "User": sum(round(ru.ru_utime * 1e9) for ru in both),
        "System": sum(round(ru.ru_stime * 1e9) for ru in both),
        "Minor": sum(ru.ru_minflt for ru in both),
        "Major": sum(ru.ru_majflt for ru in both),
        "Voluntary": sum(ru.ru_nvcsw for ru in both),
        "Involuntary": sum(ru.ru_nivcsw for ru in both),
        "WriteBlocks": sum(ru.ru_oublock for ru in both),
    }


def proc_kb(file, *keys):
    """Sum of values in kB of a file in /proc, in bytes."""
    with open("/proc/" + file) as lines:
        return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(keys))


def seconds(text):
    return float(text[:-2]) / 1000 if text.endswith("ms") else float(text[:-1])


def letters(size, seed):
    return "".join(chr(97 + (i * i + seed) % 26) for i in range(size))


def wait_for(what, done):
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.001)


def quiet(call):
    call.quiet = True


def burn(call, duration, kind):
    """CPU time by the kernel's own count."""

    def own():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_stime if kind == "system" else usage.ru_utime

    goal = own() + seconds(duration)
    buffer, x = bytearray(1 << 20), 1
    with open("/dev/zero", "rb", buffering=0) as zero:
        while own() < goal:
            if kind == "system":
                zero.readinto(buffer)
                continue
            for _ in range(20_000):
                x = (x * 7 + 1) & 0xFFFF


def touch(call, mib):
    held = mmap.mmap(-1, int(mib) << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for i in range(0, len(held), mmap.PAGESIZE):
        held[i] = 1
    call.held.append(held)
    call.look()


def drop(call):
    call.held.pop().close()


def hold(call, duration):
    call.seen["RSS"] = proc_kb("self/status", "VmRSS:")
    call.seen["VM"] = proc_kb("self/status", "VmSize:")
    call.seen["USS"] = proc_kb("self/smaps_rollup", "Private_Clean:", "Private_Dirty:")
    time.sleep(seconds(duration))


def sleep(call, duration):
    time.sleep(seconds(duration))


def switch(call, n):
    for _ in range(int(n)):
        time.sleep(1e-4)


def children(call, n, duration):
    running = [subprocess.Popen([sys.executable, __file__, f"burn {duration} user"]) for _ in range(int(n))]
    for child in running:
        if child.wait() != 0:
            raise ChildProcessError(f"exit code {child.returncode}")


def daemon(call, duration, file):
    """A burning grandchild in a session of its own, whose parent ends at once."""
    middle = os.fork()
    if middle == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                burn(call, duration, "user")
                with open(file + ".part", "w") as out:
                    json.dump({"PID": os.getpid(), **used()}, out)
                os.rename(file + ".part", file)
        finally:
            os._exit(0)
    os.waitpid(middle, 0)
    wait_for("word from the daemon", lambda: os.path.exists(file))
    with open(file) as word:
        call.told.append(json.load(word))


def gone(call):
    """Wait until the daemons that told have ended; a parent may not have taken notice yet."""
    wait_for("end of the daemon", lambda: not any(lives(other["PID"]) for other in call.told))


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            state = stat.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state[0] != "Z" or int(state[17]) > 1  # threads


def write(call, file, mib):
    with open(file, "wb", buffering=0) as out:
        for _ in range(int(mib)):
            out.write(bytes(1 << 20))
        os.fsync(out.fileno())


def send(call, mib):
    """MiB to itself over loopback."""
    size = int(mib) << 20
    with socket.create_server(("127.0.0.1", 0)) as server:

        def deliver():
            with socket.create_connection(server.getsockname()) as out:
                out.sendall(bytes(size))

        thread = threading.Thread(target=deliver)
        thread.start()
        with server.accept()[0] as conn:
            got = 0
            while part := conn.recv(1 << 16):
                got += len(part)
        thread.join()
    if got != size:
        raise EOFError(f"{got} bytes of {size}")


def say(call, where, size, seed):
    stream = sys.stderr if where == "err" else sys.stdout
    stream.write(letters(int(size), int(seed)))


def give(call, size, seed):
    call.given = letters(int(size), int(seed))


def leave(call, code):
    os._exit(int(code))


def die(call, name):
    os.kill(os.getpid(), getattr(signal, "SIG" + name))
    time.sleep(PATIENCE)


def meet(call, directory, n):
    """Wait until so many tasks have come here."""
    with open(os.path.join(directory, str(os.getpid())), "w"):
        pass
    wait_for("others", lambda: len(os.listdir(directory)) >= int(n))


def murder(call, file):
    """Kill the worker, the first time."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(PATIENCE)


STEPS = {f.__name__: f for f in (quiet, burn, touch, drop, hold, sleep, switch, children, daemon, gone, write, send, say, give, die, meet, murder)}
STEPS["exit"] = leave

if __name__ == "__main__":
    behave(sys.argv[1])
