/* More paths than a table has slots, as when many threads saw room at once: searches must still
 * end. */
#include "shim/table.h"
#include "tests/faults/fault.h"

#define SLOTS_LOG 10
#define SLOTS (1u << SLOTS_LOG)

int main(void)
{
    struct table table = {0};
    alarm(10); /* what hangs is ended */
    FAULT_TRUE(table_start(&table, SLOTS_LOG, 4));
    for (uint32_t i = 1; i <= 2 * SLOTS; i++)
        FAULT_EQUAL(table_insert(&table, i * UINT64_C(0x9e3779b97f4a7c15), i), i);
    FAULT_EQUAL(table_find(&table, 12345), 0);
    FAULT_EQUAL(table_find(&table, UINT64_C(0x9e3779b97f4a7c15)), 1);
    return 0;
}
