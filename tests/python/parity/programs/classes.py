"""Classes with and without __slots__, properties, metaclasses, inheritance, dynamic attributes."""

import dataclasses
import enum
import weakref


class Plain:
    def __init__(self, i):
        self.i = i
        self.text = f"number {i}"


class Slotted:
    __slots__ = ("i", "text", "__weakref__")

    def __init__(self, i):
        self.i = i
        self.text = "slot " + str(i)


class Meta(type):
    def __new__(mcs, name, bases, space):
        space["registered"] = [name] * 3
        return super().__new__(mcs, name, bases, space)


class Base(metaclass=Meta):
    def method(self):
        return [self]


class Derived(Base):
    @property
    def value(self):
        return (1.5, id(self) and None)


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


@dataclasses.dataclass
class Record:
    x: int
    y: float = 0.5
    more: list = dataclasses.field(default_factory=list)


plain = [Plain(i) for i in range(500)]
slotted = [Slotted(i) for i in range(500)]
references = [weakref.ref(one) for one in slotted[:100]]
derived = [Derived() for i in range(50)]
values = [one.value for one in derived]
methods = [one.method for one in derived]
records = [Record(i, i / 3) for i in range(200)]
for i, one in enumerate(plain[:100]):
    setattr(one, f"extra_{i}", [i])
made = [type(f"Made{i}", (Plain,), {"i": i}) for i in range(20)]
for one in plain[::2]:
    one.__dict__.pop("text")
del plain[250:]
