"""a ray tracer: vectors as objects, spheres and a plane, shadows and reflections, a picture in an array"""

import array
import math
import sys

ROUNDS = 55
WIDTH, HEIGHT = 32, 24
EPSILON = 1e-6


class Vector:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def __mul__(self, factor):
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z

    def unit(self):
        return self * (1 / math.sqrt(self.dot(self)))

    def reflected(self, normal):
        return self - normal * (2 * self.dot(normal))


class Ray:
    def __init__(self, origin, direction):
        self.origin = origin
        self.direction = direction.unit()

    def at(self, distance):
        return self.origin + self.direction * distance


class Sphere:
    def __init__(self, center, radius, surface):
        self.center = center
        self.radius = radius
        self.surface = surface

    def hit(self, ray):
        """The distance at which a ray meets it, None if it does not."""
        towards = self.center - ray.origin
        along = towards.dot(ray.direction)
        discriminant = self.radius**2 - towards.dot(towards) + along**2
        if discriminant < 0:
            return None
        root = math.sqrt(discriminant)
        return next((d for d in (along - root, along + root) if d > EPSILON), None)

    def normal(self, point):
        return (point - self.center).unit()


class Ground:
    """The plane y = 0."""

    def __init__(self, surface):
        self.surface = surface

    def hit(self, ray):
        if abs(ray.direction.y) < EPSILON:
            return None
        distance = -ray.origin.y / ray.direction.y
        return distance if distance > EPSILON else None

    def normal(self, point):
        return Vector(0.0, 1.0, 0.0)


class Matt:
    mirror = 0.0

    def __init__(self, red, green, blue):
        self.color = Vector(red, green, blue)

    def color_at(self, point):
        return self.color


class Shiny(Matt):
    mirror = 0.4


class Checks(Matt):
    def color_at(self, point):
        return self.color if (math.floor(point.x) + math.floor(point.z)) % 2 else self.color * 0.2


class Scene:
    def __init__(self, lamp):
        self.lamp = lamp
        self.things = [Ground(Checks(0.9, 0.9, 0.8))]

    def nearest(self, ray):
        hits = [(distance, thing) for thing in self.things if (distance := thing.hit(ray)) is not None]
        return min(hits, key=lambda hit: hit[0]) if hits else None

    def lit(self, point):
        ray = Ray(point, self.lamp - point)
        limit = math.dist((point.x, point.y, point.z), (self.lamp.x, self.lamp.y, self.lamp.z))
        hit = self.nearest(ray)
        return hit is None or hit[0] > limit

    def color(self, ray, depth=0):
        hit = self.nearest(ray)
        if hit is None:
            return Vector(0.3, 0.5, 0.9) * (0.5 + 0.5 * ray.direction.y)
        distance, thing = hit
        point = ray.at(distance)
        normal = thing.normal(point)
        point = point + normal * EPSILON
        light = 0.15
        if self.lit(point):
            light += max(0.0, normal.dot((self.lamp - point).unit()))
        found = thing.surface.color_at(point) * light
        mirror = thing.surface.mirror
        if mirror and depth < 3:
            other = self.color(Ray(point, ray.direction.reflected(normal)), depth + 1)
            found = found * (1 - mirror) + other * mirror
        return found


def scene():
    made = Scene(Vector(4.0, 8.0, -6.0))
    for i in range(5):
        surface = (Shiny if i % 2 else Matt)(0.9 - i * 0.15, 0.3 + i * 0.1, 0.4)
        made.things.append(Sphere(Vector(i * 1.5 - 3, 0.6 + i % 3 * 0.5, 2.0 + i % 2), 0.6, surface))
    return made


def render(subject, height):
    eye = Vector(0.0, height, -5.0)
    picture = array.array("B", bytes(WIDTH * HEIGHT * 3))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            direction = Vector((x - WIDTH / 2) / WIDTH, (HEIGHT / 2 - y) / WIDTH - 0.1, 0.8)
            color = subject.color(Ray(eye, direction))
            at = (y * WIDTH + x) * 3
            for i, part in enumerate((color.x, color.y, color.z)):
                picture[at + i] = min(255, int(part * 255))
    return picture


def main(rounds):
    subject = scene()
    return sum(sum(render(subject, 1.0 + number % 4 * 0.25)) for number in range(rounds))


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
