import functools


def none():
    return []


def one(x):
    return [x]


def default(x=1):
    return [x]


def two(x, y):
    return [x, y]


def three(x, y, z=3):
    return [x, y, z]


def one_of_two(x, y=2):
    return [x, y]


def with_id(x, id):
    return [x, id]


def id_first(id, x):
    return [id, x]


def id_between(x, id, y):
    return [x, id, y]


def id_behind(x, y, z=3, id=None):
    return [x, y, z, id]


def id_by_name(x, *, id):
    return [x, id]


def id_placed(id, /, x):
    return [id, x]


def id_placed_behind(x, y=2, id=0, /):
    return [x, y, id]


def only_id(id):
    return id


def star(*args):
    return list(args)


def one_star(x, *rest):
    return [x, list(rest)]


def id_star(id, *args):
    return [id, list(args)]


def star_id(*args, id):
    return [list(args), id]


def keys(**rest):
    return rest


def one_keys(x, **rest):
    return [x, rest]


def id_keys(id, **rest):
    return [id, rest]


def by_name(*, x, y=2):
    return [x, y]


def one_and_name(x, *, scale):
    return [x, scale]


def placed(x, y, /):
    return [x, y]


def annotated(x: int, y: "str" = "a", *rest: int) -> list:
    return [x, y, list(rest)]


class Scale:
    def __init__(self, by):
        self.by = by

    def __call__(self, x):
        return x * self.by

    def shift(self, x, y):
        return [x + self.by, y]

    @classmethod
    def named(cls, x):
        return [cls.__name__, x]

    @staticmethod
    def alone(x, id):
        return [x, id]


class Table(dict):
    def __init__(self, x, y):
        super().__init__(x=x, y=y)


def logged(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        return ["logged", function(*args, **kwargs)]
    return call


scale = Scale(10)
bound = scale.shift
part = functools.partial(two, 7)
part_named = functools.partial(two, y=8)
short = lambda x, y: [y, x]  # noqa
in_c = len
cached = functools.lru_cache(maxsize=None)(one)
wrapped = logged(two)
