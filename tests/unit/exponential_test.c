/*
 * The arithmetic of sampling against libm's: gaps and weights over the whole range of both their
 * arguments.
 */
#include "shim/exponential.h"

#include <math.h>
#include <stdio.h>

static int failures;

static void report(int number, const char *name, double worst, double allowed)
{
    failures += !(worst <= allowed);
    printf("%s %d - %s\n", worst <= allowed ? "ok" : "not ok", number, name);
    printf("# worst %g, allowed %g\n", worst, allowed);
}

/* Steps through 1 to most by a factor, with all small numbers. */
static uint64_t after(uint64_t number)
{
    return number < 40 ? number + 1 : number + number / 7;
}

static double worst_weight(void)
{
    double worst = 0;
    for (uint64_t mean = 1; mean <= EXPONENTIAL_MEAN_MAX; mean = after(mean))
        for (uint64_t size = 1; size < UINT64_C(1) << 62; size = after(size)) {
            double weight = (double)exponential_weight(mean, size) / (double)EXPONENTIAL_ONE;
            double right = -1 / expm1(-(double)size / (double)mean);
            worst = fmax(worst, fabs(weight / right - 1));
        }
    return worst;
}

static double worst_log(void)
{
    double worst = 0;
    for (uint64_t r = 1; r < UINT64_MAX / 2; r = after(r)) {
        double log = (double)exponential_log(r) / (double)(UINT64_C(1) << EXPONENTIAL_LOG_BITS);
        worst = fmax(worst, fabs(log - (64 - log2((double)r))));
    }
    return worst;
}

/* How far a gap is from the real one, rounded up: in bytes above the error of double itself. */
static double worst_gap(void)
{
    double worst = 0;
    for (uint64_t mean = 1; mean <= EXPONENTIAL_MEAN_MAX; mean = after(mean))
        for (uint64_t r = 1; r < UINT64_MAX / 2; r = after(r)) {
            double gap = (double)exponential_gap(mean, r);
            double right = (double)mean * (64 * M_LN2 - log((double)r));
            worst = fmax(worst, fabs(gap - 0.5 - right) - (double)mean * 1e-11);
        }
    return worst;
}

/* At the upper end of r, gaps are small: the last one must not be 0. */
static double shortest_gap(void)
{
    return exponential_gap(1, UINT64_MAX) == 1 && exponential_gap(1u << 20, UINT64_MAX) == 1 ? 0
                                                                                             : 1;
}

int main(void)
{
    puts("1..4");
    report(1, "weights are right to 1e-8 of them", worst_weight(), 1e-8);
    report(2, "logarithms are right to the last bit kept", worst_log(), 2e-12);
    report(3, "gaps are the real ones, rounded up", worst_gap(), 0.5000001);
    report(4, "no gap is shorter than a byte", shortest_gap(), 0);
    return failures != 0;
}
