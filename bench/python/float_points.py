"""floating-point numbers as attributes: a cloud of points is turned, drifts, is projected and measured"""

import math
import sys

ROUNDS = 140
COUNT = 1500


class Dot:
    def __init__(self, angle, height):
        self.east = math.cos(angle) * (1 + height)
        self.north = math.sin(angle) * (1 + height)
        self.up = height
        self.speed = 0.25 + (self.east - self.north) / 16

    def turn(self, sine, cosine):
        east, north = self.east, self.north
        self.east = cosine * east - sine * north
        self.north = sine * east + cosine * north

    def drift(self, time):
        self.up += self.speed * time
        if self.up > 2.0 or self.up < -2.0:
            self.speed = -self.speed
        self.east -= 0.01 * self.up * time

    def projected(self, eye):
        scale = 1.0 / (eye + self.up)
        return self.east * scale, self.north * scale


def box(dots):
    """The lowest and the highest corner."""
    low, high = [math.inf] * 3, [-math.inf] * 3
    for dot in dots:
        for axis, value in enumerate((dot.east, dot.north, dot.up)):
            low[axis] = min(low[axis], value)
            high[axis] = max(high[axis], value)
    return low, high


def spread(pairs):
    """The standard deviation of the distances from the middle."""
    middle = [math.fsum(values) / len(pairs) for values in zip(*pairs)]
    distances = [math.hypot(x - middle[0], y - middle[1]) for x, y in pairs]
    mean = math.fsum(distances) / len(distances)
    return math.sqrt(math.fsum((d - mean) ** 2 for d in distances) / len(distances))


def main(rounds):
    found = 0.0
    for number in range(rounds):
        dots = [Dot(i * 0.1 + number, i / COUNT) for i in range(COUNT)]
        for step in range(4):
            sine, cosine = math.sin(step / 9), math.cos(step / 9)
            for dot in dots:
                dot.turn(sine, cosine)
                dot.drift(0.125)
        low, high = box(dots)
        found += spread([dot.projected(5.0) for dot in dots])
        found += sum(there - here for here, there in zip(low, high))
    return f"{found:.6f}"


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
