"""a solver of sudoku puzzles: candidates as sets, propagation, the tightest cell first, copies to step back"""

import sys

ROUNDS = 700
DIGITS = "123456789"
KNOWN = 23  # cells, more or less
CELLS = [(row, column) for row in range(9) for column in range(9)]


def unit(cell):
    row, column = cell
    return {
        other
        for other in CELLS
        if other != cell
        and (other[0] == row or other[1] == column or (other[0] // 3, other[1] // 3) == (row // 3, column // 3))
    }


PEERS = {cell: sorted(unit(cell)) for cell in CELLS}


class Contradiction(Exception):
    pass


class Board:
    def __init__(self, candidates):
        self.candidates = candidates
        self.steps = 0

    def copy(self):
        return Board({cell: set(digits) for cell, digits in self.candidates.items()})

    def place(self, cell, digit):
        self.candidates[cell] = {digit}
        waiting = [cell]
        while waiting:
            current = waiting.pop()
            (known,) = self.candidates[current]
            for peer in PEERS[current]:
                digits = self.candidates[peer]
                if known not in digits:
                    continue
                digits.discard(known)
                if not digits:
                    raise Contradiction(f"nothing is left for {peer}")
                if len(digits) == 1:
                    waiting.append(peer)

    def tightest(self):
        open_cells = [(len(digits), cell) for cell, digits in self.candidates.items() if len(digits) > 1]
        return min(open_cells)[1] if open_cells else None


def puzzle(number):
    """A full board of which most is hidden: a line of 81 digits and dots."""
    state, line = number + 1, []
    for row, column in CELLS:
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        full = DIGITS[(row * 3 + row // 3 + column + number) % 9]
        line.append(full if (state >> 16) % 81 < KNOWN else ".")
    return "".join(line)


def solve(board, counter):
    cell = board.tightest()
    if cell is None:
        return board
    for digit in sorted(board.candidates[cell]):
        counter[0] += 1
        attempt = board.copy()
        try:
            attempt.place(cell, digit)
        except Contradiction:
            continue
        found = solve(attempt, counter)
        if found is not None:
            return found
    return None


def read(text):
    board = Board({cell: set(DIGITS) for cell in CELLS})
    for cell, letter in zip(CELLS, text):
        if letter in DIGITS:
            board.place(cell, letter)
    return board


def main(rounds):
    counter, total = [0], 0
    for number in range(rounds):
        solved = solve(read(puzzle(number % 10)), counter)
        total += int("".join(min(solved.candidates[row, 0]) for row in range(9)))
    return f"{total} {counter[0]}"


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
