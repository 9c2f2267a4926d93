"""an incremental solver of constraint hierarchies, after the published idea of DeltaBlue: constraints of
several strengths are added to and removed from a chain and a fan of variables"""

import sys

ROUNDS = 55
REQUIRED, STRONG, PREFERRED, NORMAL, WEAK, WEAKEST = range(6)  # the strongest first


class Variable:
    def __init__(self, value):
        self.value = value
        self.constraints = []
        self.source = None  # the constraint that determines it
        self.mark = 0
        self.strength = WEAKEST  # of the weakest constraint that would have to give way
        self.fixed = True


class Constraint:
    """One way to satisfy it for each variable that it could set."""

    is_input = False

    def __init__(self, strength, *variables):
        self.strength = strength
        self.variables = variables
        self.target = None

    def outputs(self):
        return self.variables

    def inputs(self):
        return [variable for variable in self.variables if variable is not self.target]

    def choose(self, mark):
        """Decides which variable to set: the weakest of those that are not decided yet."""
        best = None
        for variable in self.outputs():
            if variable.mark != mark and variable.strength > self.strength:
                if best is None or variable.strength >= best.strength:
                    best = variable
        self.target = best
        return best is not None

    def inputs_known(self, mark):
        return all(v.mark == mark or v.fixed or v.source is None for v in self.inputs())

    def recalculate(self):
        target = self.target
        others = [v.strength for v in self.outputs() if v is not target]
        target.strength = max([self.strength, *others])
        target.fixed = not self.is_input and all(v.fixed for v in self.inputs())
        if target.fixed:
            self.execute()


class Stay(Constraint):
    def execute(self):
        pass


class Edit(Constraint):
    is_input = True

    def execute(self):
        pass


class Equal(Constraint):
    def execute(self):
        first, second = self.variables
        self.target.value = (second if self.target is first else first).value


class Scale(Constraint):
    """to = of * factor + offset; only the first two can be set."""

    def outputs(self):
        return self.variables[:2]

    def execute(self):
        of, to, factor, offset = self.variables
        if self.target is to:
            to.value = of.value * factor.value + offset.value
        else:
            of.value = (to.value - offset.value) // factor.value


class Planner:
    def __init__(self):
        self.mark = 0

    def add(self, constraint):
        for variable in constraint.variables:
            variable.constraints.append(constraint)
        self.mark += 1
        replaced = self.satisfy(constraint)
        while replaced is not None:
            replaced = self.satisfy(replaced)
        return constraint

    def satisfy(self, constraint):
        """Returns the constraint that had to give way, if any."""
        if not constraint.choose(self.mark):
            if constraint.strength == REQUIRED:
                raise ValueError("a required constraint cannot be satisfied")
            return None
        for variable in constraint.inputs():
            variable.mark = self.mark
        target = constraint.target
        replaced = target.source
        if replaced is not None:
            replaced.target = None
        target.source = constraint
        self.propagate(constraint)
        target.mark = self.mark
        return replaced

    def propagate(self, constraint):
        waiting = [constraint]
        while waiting:
            current = waiting.pop()
            if current.target.mark == self.mark:
                raise ValueError("a cycle of constraints")
            current.recalculate()
            waiting += self.consumers(current.target)

    def consumers(self, variable):
        return [c for c in variable.constraints if c.target is not None and c is not variable.source]

    def remove(self, constraint):
        target = constraint.target
        for variable in constraint.variables:
            variable.constraints.remove(constraint)
        constraint.target = None
        if target is None:
            return
        unsatisfied = self.release(target)
        for other in sorted(unsatisfied, key=lambda entry: entry.strength):
            self.mark += 1
            replaced = self.satisfy(other)
            while replaced is not None:
                replaced = self.satisfy(replaced)

    def release(self, variable):
        """What depends on a variable that nothing determines now; returns the constraints to try again."""
        variable.source = None
        variable.strength = WEAKEST
        variable.fixed = True
        unsatisfied, waiting = [], [variable]
        while waiting:
            current = waiting.pop()
            unsatisfied += [c for c in current.constraints if c.target is None]
            for consumer in self.consumers(current):
                consumer.recalculate()
                waiting.append(consumer.target)
        return unsatisfied

    def plan(self, inputs):
        """The constraints to execute, in order, whenever the inputs have changed."""
        self.mark += 1
        order, waiting = [], list(inputs)
        while waiting:
            constraint = waiting.pop()
            target = constraint.target
            if target is not None and target.mark != self.mark and constraint.inputs_known(self.mark):
                order.append(constraint)
                target.mark = self.mark
                waiting += self.consumers(target)
        return order

    def change(self, variable, values):
        edit = self.add(Edit(PREFERRED, variable))
        order = self.plan([edit])
        for value in values:
            variable.value = value
            for constraint in order:
                constraint.execute()
        self.remove(edit)


def chain(length):
    """A value that goes through a chain of equalities."""
    planner = Planner()
    variables = [Variable(0) for _ in range(length + 1)]
    for here, there in zip(variables, variables[1:]):
        planner.add(Equal(REQUIRED, here, there))
    planner.add(Stay(WEAK, variables[-1]))
    planner.change(variables[0], range(30))
    return variables[-1].value


def fan(width):
    """Many values, each a multiple of its own, which follow when the factor changes."""
    planner = Planner()
    factor, offset = Variable(12), Variable(300)
    planner.add(Stay(NORMAL, factor))
    planner.add(Stay(NORMAL, offset))
    pairs = []
    for number in range(width):
        of, to = Variable(number), Variable(number)
        planner.add(Stay(NORMAL, of))
        planner.add(Scale(REQUIRED, of, to, factor, offset))
        pairs.append((of, to))
    planner.change(pairs[width // 2][0], [40, 41])
    total = pairs[width // 2][1].value
    planner.change(pairs[0][1], [396])
    total += pairs[0][0].value
    planner.change(offset, [250, 275])
    planner.change(factor, range(3, 9))
    return total + sum(to.value for _, to in pairs)


def main(rounds):
    total = 0
    for _ in range(rounds):
        total += chain(250) + fan(250)
    return total


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
