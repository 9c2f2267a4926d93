/*
 * Allocations in functions that the compiler inlines into each other, in templates, lambdas and
 * constructors: each is charged to the line where it stands in the source, not to the line of the
 * function around it.
 */
#define EXPECT_MAIN
#include "tests/programs/expect.h"

template <typename T> static inline __attribute__((always_inline)) T *make(size_t n)
{
    return (T *)EXPECT_MALLOC(n * sizeof(T));
}

static inline __attribute__((always_inline)) void *outer(size_t n)
{
    void *p = make<char>(n);
    void *q = make<long>(n);
    EXPECT_FREE(p);
    return q;
}

class Matrix {
public:
    Matrix(size_t rows, size_t columns) : rows_(rows)
    {
        cells_ = EXPECT_NEW(new double *[rows], rows * sizeof(double *));
        for (size_t i = 0; i < rows; i++)
            cells_[i] = EXPECT_NEW(new double[columns], columns * sizeof(double));
    }
    ~Matrix()
    {
        for (size_t i = 0; i < rows_; i++) {
            expect_forget(cells_[i]);
            delete[] cells_[i];
        }
        expect_forget(cells_);
        delete[] cells_;
    }
    Matrix(const Matrix &) = delete;
    Matrix &operator=(const Matrix &) = delete;

private:
    size_t rows_;
    double **cells_;
};

int main()
{
    Matrix kept(10, 20);
    {
        Matrix gone(5, 5);
    }
    for (size_t i = 1; i < 30; i++)
        EXPECT_TRUE(outer(i) != nullptr);
    auto lambda = [](size_t n) { return EXPECT_MALLOC(n); };
    for (size_t i = 0; i < 10; i++)
        EXPECT_TRUE(lambda(i * 3) != nullptr);
    expect_report();
    _exit(0); /* what main holds is held at the end */
}
