"""A list holds all its elements, a generator one."""

from snapshot import snapshot


def squares_list(count):
    return [n * n for n in range(count)]


def squares_generator(count):
    return (n * n for n in range(count))


squares = squares_list(100_000)
snapshot("list.tsnap")
print(sum(squares))

squares = squares_generator(100_000)
snapshot("generator.tsnap")
print(sum(squares))
snapshot("end.tsnap")
