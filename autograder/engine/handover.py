"""学生的值怎样交给判分的进程：只交普通的值，写成 JSON；从不用 pickle 读学生进程写的东西。

别人的作业，评分格是任意的 Python。它要读的名字，在这里变成：数、文字、列表、字典、日期、numpy 数组、
pandas 的表；库里的函数和模块只交名字，判分的进程用它自己那份干净的；学生自己写的函数留在学生的进程里，
判分的进程每次打电话过去问，收回来的也只是普通的值。总是相等的对象、改过比较方法的类，交不过来。
"""

import base64
import builtins
import collections
import contextlib
import datetime
import decimal
import fractions
import functools
import io
import itertools
import math
import sys
import types

DEEPEST, MOST = 40, 2_000_000
_PLAIN = (bool, str, type(None))
_SEQUENCES = {list: "list", tuple: "tuple", set: "set", frozenset: "frozenset", collections.deque: "deque"}
_MAPS = {dict: "dict", collections.OrderedDict: "OrderedDict", collections.Counter: "Counter",
         collections.defaultdict: "defaultdict"}
_ITERATORS = (types.GeneratorType, map, filter, zip, enumerate, reversed)
_Cached = type(functools.lru_cache(len))
_TIMES = {datetime.date: "date", datetime.datetime: "datetime", datetime.time: "time"}


class Unfit(Exception):
    """A value that cannot be handed over as plain data."""


# ---- 写 ----

def encode(value, depth: int = 0, room: list | None = None):
    """A value as JSON; Unfit if it is not plain data. Reads by the built-in types' own methods only.

    >>> encode((1, "a"))
    {'t': 'tuple', 'v': [1, 'a']}
    """
    room = room or [MOST]
    room[0] -= 1
    kind = type(value)
    if depth > DEEPEST or room[0] < 0:
        raise Unfit("太深或太大")
    if kind in _PLAIN:
        room[0] -= len(value) // 100 if kind is str else 0
        return value
    if kind is int:
        return value if abs(value) < 2**53 else {"t": "int", "v": hex(value)}
    if kind is float:
        return value if math.isfinite(value) else {"t": "float", "v": repr(value)}
    if kind is complex:
        return {"t": "complex", "v": [repr(value.real), repr(value.imag)]}
    if kind in (bytes, bytearray):
        return {"t": kind.__name__, "v": base64.b64encode(value).decode()}
    if kind in _SEQUENCES:
        return {"t": _SEQUENCES[kind], "v": [encode(v, depth + 1, room) for v in value]}
    if kind in _MAPS:
        pairs = [[encode(k, depth + 1, room), encode(v, depth + 1, room)] for k, v in value.items()]
        return {"t": _MAPS[kind], "v": pairs}
    if kind is range:
        return {"t": "range", "v": [value.start, value.stop, value.step]}
    if kind in _TIMES and getattr(value, "tzinfo", None) is None:
        return {"t": _TIMES[kind], "v": value.isoformat()}
    if kind is datetime.timedelta:
        return {"t": "timedelta", "v": [value.days, value.seconds, value.microseconds]}
    if kind in (decimal.Decimal, fractions.Fraction):
        return {"t": kind.__name__, "v": str(value)}
    if kind is types.ModuleType:
        return {"t": "module", "v": value.__name__}
    if made := _numpy(value, depth, room) or _pandas(value, depth, room) or _reference(value):
        return made
    raise Unfit(f"{kind.__module__}.{kind.__qualname__}"[:80])


def _numpy(value, depth, room):
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray | numpy.generic):
        return None
    if type(value) is not numpy.ndarray and type(value).__module__ != "numpy":
        return None
    array = numpy.asarray(value)
    scalar = not isinstance(value, numpy.ndarray)
    if array.dtype == object:
        content = [encode(v, depth + 1, room) for v in array.ravel().tolist()]
        return {"t": "objects", "v": content, "shape": list(array.shape)}
    if array.dtype.kind not in "biufcSUmM" or array.nbytes > 32 << 20:
        return None
    room[0] -= array.size // 10
    data = base64.b64encode(numpy.ascontiguousarray(array).tobytes()).decode()
    return {"t": "numpy", "v": data, "dtype": array.dtype.str, "shape": list(array.shape), "scalar": scalar}


def _pandas(value, depth, room):
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return None
    kind = type(value)
    if kind is pandas.DataFrame:
        columns = [_column(value.iloc[:, i].array, depth, room) for i in range(value.shape[1])]
        return {"t": "frame", "v": columns, "columns": encode(value.columns, depth + 1, room),
                "index": encode(value.index, depth + 1, room)}
    if kind is pandas.Series:
        return {"t": "series", "v": _column(value.array, depth, room),
                "name": encode(value.name, depth + 1, room), "index": encode(value.index, depth + 1, room)}
    if kind is pandas.RangeIndex:
        return {"t": "rangeindex", "v": [value.start, value.stop, value.step],
                "name": encode(value.name, depth + 1, room)}
    if kind is pandas.MultiIndex:
        return {"t": "multiindex", "v": [encode(level, depth + 1, room) for level in value.levels],
                "codes": [[int(c) for c in codes] for codes in value.codes],
                "names": encode(list(value.names), depth + 1, room)}
    if kind in (pandas.Index, pandas.DatetimeIndex, pandas.TimedeltaIndex, pandas.CategoricalIndex):
        return {"t": "index", "v": _column(value.array, depth, room),
                "name": encode(value.name, depth + 1, room)}
    if kind in (pandas.Timestamp, pandas.Timedelta):
        return {"t": kind.__name__, "v": value.isoformat()} if getattr(value, "tz", None) is None else None
    if value is pandas.NaT or value is pandas.NA:
        return {"t": "missing", "v": "NaT" if value is pandas.NaT else "NA"}
    return None


def _column(array, depth, room):
    """One column's values with their dtype."""
    import pandas

    dtype = array.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        return {"t": "category", "codes": [int(c) for c in array.codes], "ordered": bool(dtype.ordered),
                "v": encode(dtype.categories, depth + 1, room)}
    if isinstance(dtype, pandas.StringDtype):
        return {"t": "strings", "v": [None if v is pandas.NA or v != v else str(v) for v in array],
                "dtype": str(dtype)}
    if isinstance(array, pandas.arrays.NumpyExtensionArray) or type(dtype).__module__.startswith("numpy"):
        return encode(array.to_numpy(), depth + 1, room)
    name = str(dtype)
    if name in ("Int64", "Float64", "boolean"):
        return {"t": "nullable", "v": [None if v is pandas.NA else v.item() if hasattr(v, "item") else v
                                       for v in array], "dtype": name}
    raise Unfit(f"pandas {name}"[:80])


def _reference(value):
    """A function or class of a library, by name."""
    if not isinstance(value, types.FunctionType | types.BuiltinFunctionType | type) and \
            type(value).__name__ not in ("ufunc", "_ArrayFunctionDispatcher"):
        return None
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None) \
        or getattr(value, "__name__", None)
    if type(value).__name__ == "ufunc":
        module = "numpy"
    if not isinstance(module, str) or not isinstance(name, str) or module == "__main__" or "<" in name:
        return None
    return {"t": "reference", "module": module, "v": name} if _find(module, name) is value else None


def _find(module, name):
    found = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


# ---- 读 ----

def decode(made):
    """Inverse of ``encode``; Unfit for anything else."""
    if made is None or type(made) in (bool, int, float, str):
        return made
    if not isinstance(made, dict):
        raise Unfit("不认识的值")
    kind, value = made.get("t"), made.get("v")
    for table, build in ((_SEQUENCES, lambda t: t([decode(v) for v in value])),
                         (_MAPS, lambda t: _map(t, [(decode(k), decode(v)) for k, v in value])),
                         (_TIMES, lambda t: t.fromisoformat(value))):
        for known, name in table.items():
            if name == kind:
                return build(known)
    match kind:
        case "int":
            return int(value, 16)
        case "float":
            return float(value)
        case "complex":
            return complex(float(value[0]), float(value[1]))
        case "bytes" | "bytearray":
            return getattr(builtins, kind)(base64.b64decode(value))
        case "range":
            return range(*value)
        case "iterator":
            return (v for v in decode(value))
        case "timedelta":
            return datetime.timedelta(*value)
        case "Decimal":
            return decimal.Decimal(value)
        case "Fraction":
            return fractions.Fraction(value)
        case "module":
            if value in sys.modules and value not in ("__main__", "sys", "builtins", "gc"):
                return sys.modules[value]
        case "reference":
            found = _find(made["module"], value)
            if isinstance(found, types.FunctionType | types.BuiltinFunctionType | type) or type(
                    found).__name__ in ("ufunc", "_ArrayFunctionDispatcher"):
                return found
        case "numpy" | "objects":
            return _read_numpy(made)
        case _:
            return _read_pandas(made)
    raise Unfit(f"不认识的值 {kind}"[:80])


def _map(kind, pairs):
    if kind is collections.defaultdict:
        made = collections.defaultdict(None)
        made.update(pairs)
        return made
    return kind(dict(pairs))


def _read_numpy(made):
    import numpy

    if made["t"] == "objects":
        array = numpy.empty(len(made["v"]), dtype=object)
        for place, value in enumerate(made["v"]):
            array[place] = decode(value)
        return array.reshape(made["shape"])
    array = numpy.frombuffer(base64.b64decode(made["v"]), dtype=numpy.dtype(made["dtype"]))
    array = array.reshape(made["shape"]).copy()
    return array[()] if made.get("scalar") else array


def _read_pandas(made):
    import pandas

    value = made.get("v")
    match made.get("t"):
        case "frame":
            columns, index = decode(made["columns"]), decode(made["index"])
            frame = pandas.DataFrame({i: pandas.Series(decode(c)) for i, c in enumerate(value)})
            if not value:
                frame = pandas.DataFrame(index=range(len(index)))
            frame.columns, frame.index = columns, index
            return frame
        case "series":
            return pandas.Series(decode(value), index=decode(made["index"]), name=decode(made["name"]))
        case "rangeindex":
            return pandas.RangeIndex(*value, name=decode(made["name"]))
        case "multiindex":
            return pandas.MultiIndex([decode(v) for v in value], made["codes"], names=decode(made["names"]))
        case "index":
            return pandas.Index(decode(value), name=decode(made["name"]))
        case "category":
            return pandas.Categorical.from_codes(made["codes"], decode(value), ordered=made["ordered"])
        case "strings":
            return pandas.array(value, dtype=made["dtype"] if made["dtype"] in ("string", "str") else "str")
        case "nullable":
            return pandas.array(value, dtype=made["dtype"])
        case "Timestamp" | "Timedelta":
            return getattr(pandas, made["t"])(value)
        case "missing":
            return pandas.NaT if value == "NaT" else pandas.NA
    raise Unfit(f"不认识的值 {made.get('t')}"[:80])


# ---- 学生的一侧 ----

def offer(namespace, names) -> dict:
    """{name: the value as JSON}; a function of the student's own becomes {"t": "call"}.

    Its "pure": calling it leaves nothing behind, so that no separate process is needed for the call.
    """
    made = {}
    for name in names:
        if name not in namespace:
            continue
        value = namespace[name]
        plain = type(value) is types.FunctionType
        if (plain or type(value) is _Cached) and getattr(value, "__module__", None) == "__main__":
            made[name] = {"t": "call", "v": name, "pure": plain and is_pure(value)}
            continue
        try:
            made[name] = encode(value)
        except Exception as fault:  # 学生的对象再离奇，也只是交不过去
            made[name] = {"t": "unfit", "v": str(fault)[:80]}
    return made


_HARMLESS = {
    "abs", "all", "any", "ascii", "bin", "bool", "bytes", "chr", "complex", "dict", "divmod", "enumerate",
    "filter", "float", "format", "frozenset", "hash", "hex", "int", "isinstance", "issubclass", "len",
    "list", "map", "max", "min", "oct", "ord", "pow", "print", "range", "repr", "reversed", "round", "set",
    "slice", "sorted", "str", "sum", "tuple", "zip", "ArithmeticError", "AssertionError", "Exception",
    "IndexError", "KeyError", "LookupError", "OverflowError", "TypeError", "ValueError",
    "ZeroDivisionError",
}
_LASTING = ("STORE_GLOBAL", "DELETE_GLOBAL", "IMPORT_NAME", "LOAD_NAME", "LOAD_BUILD_CLASS")


def is_pure(function, seen=()) -> bool:
    """Whether a plain function works on its arguments and harmless built-ins alone.

    >>> is_pure(lambda n: sum(i * i for i in range(n)))
    True
    """
    if function.__closure__ or function.__dict__ or len(seen) > 20 or not all(
            type(v) in (*_PLAIN, int, float) for v in [*(function.__defaults__ or ()),
                                                       *(function.__kwdefaults__ or {}).values()]):
        return False
    return _leaves_nothing(function.__code__, function.__globals__, (*seen, function))


def _leaves_nothing(code, names, seen) -> bool:
    import dis

    for step in dis.get_instructions(code):
        if step.opname in _LASTING:
            return False
        if step.opname == "LOAD_GLOBAL":
            found = names.get(step.argval)
            if step.argval not in names:
                if step.argval not in _HARMLESS:
                    return False
            elif found not in seen and not (type(found) is types.FunctionType and is_pure(found, seen)):
                return False
    return all(_leaves_nothing(c, names, seen) for c in code.co_consts if isinstance(c, types.CodeType))


def call(namespace, message) -> dict:
    """Call one of the student's functions for the judge: its value or its exception, and what it printed."""
    said = io.StringIO()
    try:
        args, named = decode(message["args"]), decode(message["named"])
        with contextlib.redirect_stdout(said):
            value = namespace[message["name"]](*args, **named)
        if type(value) in _ITERATORS:  # 取完再交；取不完的太大，交不出来
            value = {"t": "iterator", "v": encode(list(itertools.islice(value, MOST + 1)))}
        else:
            value = encode(value)
        return {"value": value, "args": _changed(message["args"], args),
                "said": said.getvalue()[:100_000]}
    except Unfit as fault:
        return {"unfit": str(fault)}
    except BaseException as fault:
        kind = next((k.__name__ for k in type(fault).__mro__ if k.__module__ == "builtins"), "Exception")
        return {"raise": kind, "words": str(fault)[:2000], "said": said.getvalue()[:100_000]}


def _changed(before, args):
    with contextlib.suppress(Unfit):
        after = encode(args)
        if after != before:
            return after
    return None


# ---- 判分的一侧 ----

class Caller:
    """Makes the stand-ins for the student's functions; ``unfit`` collects what could not be handed over."""

    def __init__(self, connection):
        self.connection, self.unfit = connection, []

    def stand_in(self, name):
        def function(*args, **named):
            return self._ask(name, args, named)

        function.__name__ = function.__qualname__ = name
        return function

    def _ask(self, name, args, named):
        import json

        try:
            message = {"call": True, "do": "call", "name": name, "args": encode(args), "named": encode(named)}
        except Unfit as fault:
            self.unfit.append(str(fault))
            raise
        self.connection.send_bytes(json.dumps(message).encode())
        reply = json.loads(self.connection.recv_bytes(64 << 20))
        if said := reply.get("said"):
            print(said, end="")
        if "raise" in reply:
            kind = getattr(builtins, str(reply["raise"]), Exception)
            kind = kind if isinstance(kind, type) and issubclass(kind, Exception) else RuntimeError
            raise kind(str(reply.get("words", "")))
        if "value" not in reply:
            self.unfit.append(str(reply.get("unfit", "没有回话"))[:80])
            raise Unfit(self.unfit[-1])
        if reply.get("args") is not None:
            for mine, theirs in zip(args, decode(reply["args"]), strict=False):
                _update(mine, theirs)
        try:
            return decode(reply["value"])
        except Exception as fault:
            self.unfit.append(str(fault)[:80])
            raise Unfit(self.unfit[-1]) from None


def _update(mine, theirs) -> None:
    """An argument that the function changed in place is changed here too."""
    if type(mine) is not type(theirs):
        return
    if isinstance(mine, list):
        mine[:] = theirs
    elif isinstance(mine, dict | set):
        mine.clear()
        mine.update(theirs)
    elif type(mine).__name__ == "ndarray" and mine.shape == theirs.shape and mine.flags.writeable:
        mine[...] = theirs


def take(namespace, values, caller) -> list[str]:
    """Put the handed-over values into the judge's namespace; returns the names that could not come.

    Those are not there at all: a test that does without them (it sets them itself) is judged all the same.

    What the teacher's own cells defined as function, class or module stays as they defined it.
    """
    caller.unfit.clear()
    absent = []
    for name, made in values.items():
        if isinstance(namespace.get(name), types.FunctionType | type | types.ModuleType) and not getattr(
                namespace[name], "_handed", False):
            continue
        try:
            if isinstance(made, dict) and made.get("t") == "call":
                value = caller.stand_in(name)
                value._handed = True
            else:
                value = decode(made)
        except Exception as fault:
            absent.append(f"{name}（{str(fault)[:60]}）")
            namespace.pop(name, None)
        else:
            namespace[name] = value
    return absent
