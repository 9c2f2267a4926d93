"""The same 100,000 numbers as Python objects, in an array and in an array of numpy."""

from array import array

import numpy

from snapshot import snapshot

numbers = range(1000, 101_000)
in_list = list(numbers)
in_array = array("q", numbers)
in_numpy = numpy.arange(1000, 101_000)
snapshot("integers.tsnap")
