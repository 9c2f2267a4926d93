/* The program of early_threads.c. */
int early_threads(void);

int main(void)
{
    return early_threads() == 5000 ? 0 : 1;
}
