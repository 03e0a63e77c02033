"""Calls functions of a Python file for a lithops worker, which starts it as

    python runtime.py FILE NAME...

Descriptor 3 brings requests, a JSON object per line; each is answered, before
the next is read, by a line on descriptor 4. Standard output and error are the
log of the calls. The end of descriptor 3 is the end.

Python 2 has to be able to read this file as far as to say that it is too old:
no syntax here that it does not know.
"""

import sys

if __name__ == "__main__":
    # What lies beside this file must not be taken for a module of Python.
    if not (getattr(sys.flags, "isolated", 0) or getattr(sys.flags, "safe_path", False)):
        del sys.path[0]

import json
import os

if sys.version_info < (3, 8):
    os.write(4, json.dumps({"fatal": {
        "type": "RuntimeError",
        "message": "needs Python 3.8 or newer; %s is %s" % (sys.executable, sys.version.split()[0]),
    }}, separators=(",", ":")).encode("ascii") + b"\n")
    sys.exit(1)

import array
import faulthandler
import fcntl
import importlib.machinery
import importlib.util
import inspect
import io
import operator
import resource
import select
import signal
import time
import traceback
from collections.abc import Sequence

RESULT_LIMIT = 128 << 20  # bytes of a result as JSON
TEXT_LIMIT = 64 << 10  # characters of an error's message or stack
READ_SIZE = 64 << 10  # more than a packet of a pipe, of which the rest would be lost
CHILDREN_AFTER = 100000  # ns that a call lasts at least if it has waited for a child

FORK_TIME = 20000  # ns that a call lasts at least in which the process is copied

OUTPUT = b'{"id":%d,"m":[%d,%d,%d,%d,%b,%d,%d],"output":%b}\n'
ERROR = OUTPUT.replace(b'"output"', b'"error"')
COUNTED = (6, 7, 9, 10, 14, 15)  # of what getrusage returns: page faults, blocks, switches
COUNTS = b",".join([b"%d"] * len(COUNTED))
NO_COUNTS = COUNTS.replace(b"%d", b"0")


class Refusal(Exception):
    """An error of ours: its type as replies have it, and a message."""

    def __init__(self, kind, message):
        Exception.__init__(self, message)
        self.kind = kind


# Descriptors and streams


def aside(fd):
    """A duplicate of fd out of reach of what closes or writes to low descriptors
    by mistake; no program that is started inherits it."""
    for lowest in (200, 11):
        try:
            return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, lowest)
        except OSError:
            if lowest == 11:
                raise


def move(fd):
    moved = aside(fd)
    os.close(fd)
    return moved


def close(fds):
    for fd in fds:
        try:
            os.close(fd)
        except OSError:
            pass


def peak_reset():
    """A descriptor that sets the kernel's peak of our memory to what it is now
    when "5" is written to it, or -1."""
    try:
        fd = move(os.open("/proc/self/clear_refs", os.O_WRONLY))
    except OSError:
        return -1
    try:
        os.pwrite(fd, b"5", 0)
    except OSError:
        os.close(fd)
        return -1
    return fd


class Streams:
    """sys.stdout and sys.stderr as text over the log, whatever users do to them."""

    def __init__(self, log):
        self.log = log  # the log file, should they close descriptors 1 and 2
        self.stdout = self.stderr = None
        for name, fd in (("stdout", 1), ("stderr", 2)):
            stream = getattr(sys, name)
            try:
                stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
            except Exception:
                stream = self.open(fd)
                setattr(sys, name, stream)
            setattr(self, name, stream)

    def open(self, fd):
        raw = io.open(fd, "wb", closefd=False)
        return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)

    def flush(self):
        try:
            self.stdout.flush()
            self.stderr.flush()
            if sys.stdout is not self.stdout:
                sys.stdout.flush()
            if sys.stderr is not self.stderr:
                sys.stderr.flush()
        except Exception:
            self.mend()

    def mend(self):
        """Puts what was closed in its place again. What else users have put there
        stays."""
        for name, fd in (("stdout", 1), ("stderr", 2)):
            try:
                os.fstat(fd)
            except OSError:
                os.dup2(self.log, fd)
            own = getattr(self, name)
            current = getattr(sys, name, own)
            try:
                own.flush()
            except Exception:
                setattr(self, name, self.open(fd))
            try:
                if current is own or current.closed:
                    setattr(sys, name, getattr(self, name))
                else:
                    current.flush()
            except Exception:
                pass  # a stream of theirs, such as None

    def end(self):
        """Flushes, and has Python's own flush at its end not fail, which would change
        the exit code."""
        self.flush()
        for name in ("stdout", "stderr"):
            try:
                getattr(sys, name).flush()
            except Exception:
                setattr(sys, name, getattr(self, name))


def lines(fd):
    """The lines that come, each asked for only when those before it are done."""
    rest = []
    while True:
        try:
            chunk = os.read(fd, READ_SIZE)
        except BlockingIOError:
            select.select([fd], [], [])
            continue
        if not chunk:
            return
        if not rest and chunk.find(b"\n") == len(chunk) - 1:
            yield chunk[:-1]
            continue
        parts = chunk.split(b"\n")
        if len(parts) > 1 and rest:
            rest.append(parts[0])
            parts[0] = b"".join(rest)
            rest.clear()
        last = parts.pop()
        if last:
            rest.append(last)
        parts.reverse()
        chunk = None
        while parts:
            yield parts.pop()


def send(fd, line):
    try:
        written = os.write(fd, line)
        if written < len(line):  # a signal came
            left = memoryview(line)[written:]
            while left:
                left = left[os.write(fd, left):]
    except BrokenPipeError:
        sys.exit(1)  # the worker is gone


# JSON


class ResultList(Sequence):
    """The list that a reduce function gets: a JSON value per line of a file, read
    as they are asked for. Equal to a list of the same values; + and slices make
    lists, and so does pickling."""

    __hash__ = None

    def __init__(self, path, count):
        self._path = path
        self._count = count
        self._file = None  # for single elements, and where each begins
        self._offsets = None

    def __len__(self):
        return self._count

    def __iter__(self):
        left = self._count
        if not left:
            return
        with open(self._path, "rb") as file:
            for line in file:
                yield decode_value(line)
                left -= 1
                if not left:
                    return
        raise RuntimeError("%s has %d results, not %d" % (self._path, self._count - left, self._count))

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self._at(i) for i in range(*index.indices(self._count))]
        index = operator.index(index)
        if index < 0:
            index += self._count
        if not 0 <= index < self._count:
            raise IndexError("list index out of range")
        if index == 0 and self._offsets is None:
            return next(iter(self))
        return self._at(index)

    def _at(self, index):
        if self._offsets is None:
            file = open(self._path, "rb")
            offsets = array.array("Q", [0])
            for line in file:
                offsets.append(offsets[-1] + len(line))
            self._file, self._offsets = file, offsets
        begin, end = self._offsets[index:index + 2]
        return decode_value(os.pread(self._file.fileno(), end - begin, begin))

    def __eq__(self, other):
        if not isinstance(other, (list, ResultList)):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other))

    def __add__(self, other):
        if not isinstance(other, (list, ResultList)):
            return NotImplemented
        return list(self) + list(other)

    def __radd__(self, other):
        if not isinstance(other, list):
            return NotImplemented
        return other + list(self)

    def copy(self):
        return list(self)

    def __reduce__(self):
        return list, (list(self),)

    def __repr__(self):
        return "<list of %d results>" % self._count


def json_default(value):
    if isinstance(value, ResultList):
        return list(value)
    raise TypeError


def make_encode():
    """json.dumps, but for what it makes anew for each call, and strict."""
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=json_default)
    try:
        seen = {}  # to find circles by; has to be empty before each call
        fast = json.encoder.c_make_encoder(
            seen, json_default, json.encoder.encode_basestring, None, ":", ",", False, False, False)
        if "".join(fast({"a": [1, "b"]}, 0)) != '{"a":[1,"b"]}':
            return encoder.encode
    except Exception:
        return encoder.encode  # a Python whose json is made in another way

    def encode(value):
        try:
            return "".join(fast(value, 0))
        except BaseException:
            seen.clear()
            raise

    return encode


encode = make_encode()
decode = json.JSONDecoder().scan_once
decode_value = json.loads


def utf8(text):
    """Half characters, which UTF-8 cannot have, become the escapes JSON has for them."""
    return text.encode("utf-8", "backslashreplace")


def cut(text, most):
    """text without its middle, should it be longer than most characters."""
    if len(text) <= most:
        return text
    return "%s... (%d characters left out) ...%s" % (text[:most // 2], len(text) - most, text[-(most // 2):])


def not_json(value):
    """What in value is not JSON and where, such as `set at [2]["x"]`, or None. It
    goes down without recursion, for it has to survive what the encoder did not."""
    path, above = [], set()  # the places and the objects on the way down
    todo = [iter([("", value)])]
    while todo:
        for where, value in todo[-1]:
            what = inside = None
            if value is None or isinstance(value, (str, ResultList)):
                pass
            elif isinstance(value, int):
                try:
                    int.__repr__(value)
                except ValueError:
                    what = "an int of too many digits"
            elif isinstance(value, float):
                if value - value != 0:
                    what = float.__repr__(value)
            elif isinstance(value, (list, tuple, dict)):
                if id(value) in above:
                    what = "a circular reference"
                elif isinstance(value, dict):
                    inside = [("[%s]" % json.dumps(k, ensure_ascii=False), v) for k, v in value.items() if is_key(k)]
                    if len(inside) < len(value):
                        what = "%s as a key" % type_name(type(next(k for k in value if not is_key(k))))
                else:
                    inside = [("[%d]" % i, v) for i, v in enumerate(value)]
            else:
                what = type_name(type(value))
            if what:
                place = "".join(p for p, _ in path) + where
                return what + " at " + cut(place, 200) if place else what
            if inside:
                path.append((where, id(value)))
                above.add(id(value))
                todo.append(iter(inside))
                break
        else:
            todo.pop()
            if path:
                above.discard(path.pop()[1])
    return None


def is_key(key):
    return key is None or isinstance(key, (str, int)) or isinstance(key, float) and key - key == 0


def unencodable(name, value, error):
    """The error of a result that could not be encoded, for error."""
    kind, what = type_name(type(error)), None
    if isinstance(error, RecursionError):
        kind, what = "ValueError", "nested too deeply"
    elif isinstance(error, (TypeError, ValueError)):
        try:
            what = not_json(value)
        except Exception:
            pass  # an object of a class that only looks like JSON
    return failure(Refusal(kind, "result of %s is not JSON: %s" % (name, what or cut(message_of(error), 200) or kind)))


# Errors


def type_name(kind):
    module = getattr(kind, "__module__", "builtins")
    name = getattr(kind, "__qualname__", "?")
    return name if module in ("builtins", None) else "%s.%s" % (module, name)


def message_of(error):
    try:
        return str(error)
    except Exception as broken:
        return "(its message could not be made: %s)" % type(broken).__name__


def stack_of(error):
    """The traceback as Python prints it, with causes, but without what is not the
    user's: our frames, those of importing, and those of the event loop at its
    beginning."""
    shown = traceback.TracebackException(type(error), error, error.__traceback__)
    around = Awaiting.directory
    todo = [shown]
    while todo:
        one = todo.pop()
        frames = [f for f in one.stack or ()
                  if f.filename != OWN_FILE and not f.filename.startswith("<frozen importlib")]
        ours = one.stack and one.stack[0].filename == OWN_FILE
        first = 0
        while ours and around and first < len(frames) - 1 and frames[first].filename.startswith(around):
            first += 1
        if one.stack:
            one.stack[:] = frames[first:]
        todo += [e for e in (one.__cause__, one.__context__) if e is not None]
        todo += getattr(one, "exceptions", None) or ()
    if not shown.stack and shown.__cause__ is None and shown.__context__ is None:
        return "".join(shown.format_exception_only())
    return "".join(shown.format())


OWN_FILE = stack_of.__code__.co_filename


def failure(error):
    """The error of a reply. It never fails itself."""
    try:
        if isinstance(error, Refusal):
            return {"type": error.kind, "message": str(error)}
        said = {"type": type_name(type(error)), "message": cut(message_of(error), TEXT_LIMIT)}
        try:
            said["stack"] = cut(stack_of(error), TEXT_LIMIT)
        except Exception:
            pass  # too little memory, or an error that cannot be printed
        return said
    except BaseException:
        return {"type": type(error).__name__, "message": "(it could not be described)"}


# The function


class FromSource(importlib.machinery.SourceFileLoader):
    """Loads a file as a script is loaded: never from bytecode, which Python takes
    for current when a file is changed twice within a second."""

    def path_stats(self, path):
        raise OSError


def load(path, names):
    """The functions with these names in the file at path: (name, function), and what
    binder returns."""
    sys.argv[:] = [path]
    directory, base = os.path.split(path)
    sys.path.insert(0, directory)
    module_name = os.path.splitext(base)[0].replace(".", "_")
    while module_name in sys.modules:  # such as json, which we need ourselves
        module_name += "_"
    spec = importlib.util.spec_from_file_location(module_name, path, loader=FromSource(module_name, path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    module = sys.modules.get(module_name, module)  # some put something else there
    functions = []
    for name in names:
        function = find(module, base, name)
        functions.append((name, function) + binder(name, function))
    return functions


def find(module, base, name):
    value, above = module, ""
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            raise Refusal("UnknownFunction", unknown(module, value, base, above, part))
        above += part + "."
    if not callable(value):
        raise Refusal("UnknownFunction", '"%s" in %s is not a function: its type is %s' % (
            name, base, type_name(type(value))))
    return value


def unknown(module, owner, base, above, part):
    """What to say when owner, which is named above in the file, has no such part."""
    members = vars(owner if inspect.ismodule(owner) or inspect.isclass(owner) else type(owner))
    own, close_to = [], None
    for key in members:
        value = getattr(owner, key, None)
        if (callable(value) and not inspect.isclass(value) and not key.startswith("__")
                and getattr(value, "__module__", None) == module.__name__):
            own.append(key)
    try:
        import difflib
        close_to = difflib.get_close_matches(part, own, 1)
    except Exception:
        pass
    said = '%s has no function "%s%s"' % (base, above, part)
    if close_to:
        said += '; did you mean "%s%s"?' % (above, close_to[0])
    shown = [above + key for key in own if not key.startswith("_")]
    if not shown:
        return said + "; it has no functions"
    return said + "; it has: " + ", ".join(shown[:20]) + (", ..." if len(shown) > 20 else "")


def binder(name, function):
    """A function (item, number) -> (args, kwargs or None) that says how function is
    called with the item of the task of that number. It refuses what does not fit. With
    it, whether any item that is neither list nor object is the only argument."""
    try:
        signature = inspect.signature(function)
    except Exception:
        return lambda item, number: ((item,), None), True  # one made in C, which does not tell

    parameters = signature.parameters.values()
    empty = inspect.Parameter.empty
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    starred = any(p.kind == p.VAR_POSITIONAL for p in parameters)
    any_key = any(p.kind == p.VAR_KEYWORD for p in parameters)
    id_place = next((i for i, p in enumerate(places) if p.name == "id"), None)
    id_only_placed = id_place is not None and places[id_place].kind == inspect.Parameter.POSITIONAL_ONLY
    takes_id = id_place is not None or any(p.name == "id" for p in named)
    only_id = takes_id and len(parameters) == 1
    keys = set(p.name for p in named) | (set(["id"]) if takes_id else set())
    places = [p for p in places if p.name != "id"]
    most = len(places)
    needed_places = [p.name for p in places if p.default is empty]
    least = len(needed_places)
    needed_keys = [p.name for p in named if p.default is empty and p.name != "id"]
    needed = frozenset(needed_keys)
    needed_by_name = [n for n in needed_keys if n not in needed_places]
    spreads_objects = len(needed_keys) == len(needed_places) + len(needed_by_name)
    takes_one = (most > 0 or starred) and least <= 1 and not needed_by_name
    plain = takes_one and not takes_id  # such as f(x), the commonest
    spreads_lists = (starred or least >= 2) and not needed_by_name

    def positional(values, number):
        if not takes_id:
            return values, None
        if id_place is not None and (id_only_placed or len(values) >= id_place):
            for p in places[len(values):id_place]:  # optional ones that stand before it
                values += (p.default,)
            return values[:id_place] + (number,) + values[id_place:], None
        return values, {"id": number}

    def bind(item, number):
        kind = type(item)
        if kind is dict:
            if parameters and spreads_objects and item.keys() >= needed and (any_key or item.keys() <= keys):
                if not takes_id:
                    return (), item
                value = item.pop("id", number)
                if id_only_placed:
                    return tuple(p.default for p in places[:id_place]) + (value,), item
                item["id"] = value
                return (), item
        elif kind is list or kind is ResultList:
            if spreads_lists and least <= len(item) and (starred or len(item) <= most):
                return positional(tuple(item), number)
        if plain:
            return (item,), None
        if only_id:
            return positional((), number)
        if takes_one:
            return positional((item,), number)
        raise Refusal("TypeError", "%s%s cannot take the %s: %s" % (
            name, cut(str(signature), 200), brief(item), reason(item)))

    def brief(item):
        if type(item) is ResultList:
            return "list of %d results" % len(item)
        return "item " + cut(encode(item), 80)

    def reason(item):
        """Why item does not fit."""
        if not parameters:
            return "it has no parameters"
        missing = needed_places[1:] + needed_by_name
        said = []
        if type(item) is dict and spreads_objects:
            missing = [n for n in needed_keys if n not in item]
            unexpected = [] if any_key else [k for k in item if k not in keys]
            if unexpected:
                said.append("unexpected key" + quoted(unexpected))
        elif type(item) in (list, ResultList) and least >= 2 and not needed_by_name:
            span = "%d" % least if least == most else "%d to %d" % (least, most)
            return "it has %d element%s, not %s" % (
                len(item), "s"[len(item) == 1:], "at least %d" % least if starred else span)
        elif not places and not starred:
            return "its parameters are given by name only, by the keys of an object"
        if missing:
            said.insert(0, "missing argument" + quoted(missing))
        return "; ".join(said)

    return bind, plain


def quoted(names):
    shown = ["'%s'" % cut(n, 80) for n in names[:10]] + (["..."] if len(names) > 10 else [])
    return (" " if len(names) == 1 else "s ") + ", ".join(shown)


# Calls


class Awaiting:
    """The event loop that all asynchronous functions share."""

    directory = None  # of asyncio, once it is used

    def __init__(self):
        self.loop = None

    def run(self, awaitable):
        if self.loop is None or self.loop.is_closed():
            self.open()
        return self.loop.run_until_complete(awaitable)

    def open(self):
        import asyncio
        import atexit
        Awaiting.directory = os.path.dirname(asyncio.__file__) + os.sep
        loop = None
        if sys.version_info < (3, 10):  # what a module makes when it is loaded belongs to this one
            try:
                loop = asyncio.get_event_loop()
            except RuntimeError:
                pass
        if loop is None or loop.is_closed():
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
        if self.loop is None:
            atexit.register(self.close, os.getpid())
        self.loop = loop

    def close(self, pid):
        """Ends what still runs on the loop, as asyncio.run does."""
        if os.getpid() != pid or self.loop.is_closed():
            return
        import asyncio
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


def settle(awaiting, name, result):
    """The value of a result that may be an awaitable."""
    if inspect.isawaitable(result):
        result = awaiting.run(result)
    if inspect.isgenerator(result) or inspect.isasyncgen(result):
        raise Refusal("TypeError", "result of %s is not JSON: %s; return a list" % (name, type(result).__name__))
    return result


def leave(streams, caught):
    """Ends a process that a function has forked and that has come back from it."""
    code = 1
    try:
        if caught is None:
            code = 0
        else:
            streams.stderr.write(stack_of(caught))
        streams.flush()
    finally:
        os._exit(code)


def number_of(line):
    """The id of a request that cannot be read."""
    begin, end = b'{"id":', line.find(b",")
    if not line.startswith(begin):
        raise RuntimeError("not a request: %r" % line[:100])
    return int(line[len(begin):end])


def serve(reader, writer, functions, streams, clear):
    """Works off the requests until there are no more. clear is of peak_reset."""
    # What a call costs shows here, so names are local and made before. Nothing of
    # a call may outlive it: it would count into the next one's memory.
    now, usage, getpid, pwrite, seek = time.monotonic_ns, resource.getrusage, os.getpid, os.pwrite, os.lseek
    from_json, to_json, to_utf8, output = decode, encode, utf8, OUTPUT
    myself, children = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    scalars = frozenset([type(None), bool, int, float, str])
    values = scalars | frozenset([list, tuple, dict])
    log, flush, awaiting, pid = streams.log, streams.flush, Awaiting(), getpid()
    c0 = usage(children)

    for line in lines(reader):
        failed = caught = result = None
        try:
            request = from_json(line.decode("utf-8", "replace"), 0)[0]
            number = request["id"]
            name, function, bind, plain = functions[request.get("f", 0)]
            item = request["input"] if "input" in request else ResultList(request["list"], request["count"])
            args, kwargs = ((item,), None) if plain and type(item) in scalars else bind(item, number)
        except BaseException as error:
            failed = unreadable(error)
            number = number_of(line)
        line = request = item = None

        if clear >= 0:
            pwrite(clear, b"5", 0)
        before = usage(myself)
        start = now()
        if failed is None:
            try:
                result = function(*args, **kwargs) if kwargs else function(*args)
                if type(result) not in values:
                    result = settle(awaiting, name, result)
            except SystemExit:
                streams.end()
                raise
            except BaseException as error:
                caught = error
        end = now()
        if end - start > FORK_TIME and getpid() != pid:
            leave(streams, caught)
        after = usage(myself)
        if failed is not None:  # it was not called
            end, after = start, before

        user = after[0] - before[0]
        system = after[1] - before[1]
        peak = after[2] * unit if failed is None and (clear >= 0 or after[2] > before[2]) else 0
        counts = NO_COUNTS
        c = usage(children) if end - start > CHILDREN_AFTER else c0
        if c != c0:
            user += c[0] - c0[0]
            system += c[1] - c0[1]
            if c[2] > c0[2]:
                peak = max(peak, c[2] * unit)
        if after[6:] != before[6:] or c != c0:
            counts = COUNTS % tuple(after[i] - before[i] + c[i] - c0[i] for i in COUNTED)
        c0 = c

        frame, args, kwargs = output, None, None
        if caught is not None:
            failed = failure(caught)
            caught = None
            streams.mend()  # it may be the error of a closed descriptor
        if failed is None:
            try:
                data = b"%d" % result if type(result) is int else to_utf8(to_json(result))
                if len(data) > RESULT_LIMIT:
                    failed = too_large(name, len(data))
            except BaseException as error:
                failed = unencodable(name, result, error)
        if failed is not None:
            frame, data = ERROR, utf8(encode(failed))
        result = None
        flush()
        data = frame % (number, start, end, user * 1e6 + 0.5, system * 1e6 + 0.5, counts, peak, seek(log, 0, 1), data)
        send(writer, data)
        data = None


def unreadable(error):
    """The error of a request that was not called: it could not be read, as a number
    of too many digits, or its item does not fit."""
    if not isinstance(error, Refusal):
        error = Refusal(type_name(type(error)), "the item cannot be read: " + message_of(error))
    return failure(error)


def too_large(name, size):
    return failure(Refusal("ValueError", "result of %s is %d bytes as JSON, more than the %d that are taken; "
                           "write it to a file and return its name" % (name, size, RESULT_LIMIT)))


def main(path, names):
    reader, writer, log, clear = move(3), move(4), aside(1), peak_reset()
    os.register_at_fork(after_in_child=lambda: close((reader, writer, log, clear)))
    # Ignored, but not by the programs that are started, as SIG_IGN would be.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda signum, frame: None)
    faulthandler.enable(2, all_threads=False)  # a crash leaves a traceback in the log, and is still a crash
    streams, pid, functions = Streams(log), os.getpid(), None
    try:
        functions, caught = load(path, names), None
    except BaseException as error:
        caught = error
    if os.getpid() != pid:
        leave(streams, caught)
    streams.flush()
    if caught is not None:
        said = failure(caught)
        if isinstance(caught, SystemExit):
            said["message"] = "%s ended the process while it was loaded: sys.exit(%r)" % (
                os.path.basename(path), caught.code)
        send(writer, utf8(encode({"fatal": said})) + b"\n")
        streams.end()
        sys.exit(1)
    send(writer, utf8(encode({"ready": {"language": "Python " + sys.version.split()[0]}})) + b"\n")
    serve(reader, writer, functions, streams, clear)
    streams.end()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: %s FILE NAME..., by a lithops worker" % sys.argv[0])
    del __file__  # or processes that multiprocessing spawns would load this as their main module
    main(sys.argv[1], sys.argv[2:])
