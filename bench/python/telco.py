"""decimal: a telephone company's bill, each call priced, rounded and taxed, and sums formatted"""

import decimal
import sys

ROUNDS = 170
CALLS = 4000

Decimal = decimal.Decimal
CENT = Decimal("0.01")
LOCAL_RATE, DISTANCE_RATE = Decimal("0.0021"), Decimal("0.01137")
BASIC_TAX, DISTANCE_TAX = Decimal("0.0719"), Decimal("0.0283")


def durations():
    """Seconds, most of them few."""
    state = 1
    for _ in range(CALLS):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        yield (state >> 8) % 997 * ((state >> 20) % 5)


def bill(calls):
    total = basic = distance = Decimal(0)
    lines = []
    for seconds in calls:
        is_far = seconds & 1
        price = (Decimal(seconds) * (DISTANCE_RATE if is_far else LOCAL_RATE)).quantize(
            CENT, decimal.ROUND_HALF_EVEN
        )
        tax = (price * BASIC_TAX).quantize(CENT, decimal.ROUND_DOWN)
        basic += tax
        due = price + tax
        if is_far:
            extra = (price * DISTANCE_TAX).quantize(CENT, decimal.ROUND_DOWN)
            distance += extra
            due += extra
        total += due
        lines.append(str(due))
    return total, basic, distance, len("\n".join(lines))


def interest(principal, years):
    rate, sums = Decimal("1.035"), []
    for _ in range(years):
        principal = (principal * rate).quantize(CENT)
        sums.append(f"{principal:,.2f}")
    return principal, sums


def main(rounds):
    found = Decimal(0)
    with decimal.localcontext() as context:
        context.prec = 28
        calls = list(durations())
        for number in range(rounds):
            total, basic, distance, length = bill(calls)
            principal, sums = interest(total, 40 + number % 3)
            found += total + basic + distance + length + principal.sqrt().quantize(CENT) + len(sums[-1])
    return found


if __name__ == "__main__":
    print(main(int(sys.argv[1]) if sys.argv[1:] else ROUNDS))
