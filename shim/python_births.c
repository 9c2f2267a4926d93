/*
 * Births from free lists. See python_births.h.
 */
#include "shim/python_births.h"
#include "shim/capture.h"
#include "shim/enter.h"
#include "shim/options.h"
#include "shim/python.h"
#include "shim/symbols.h"

/* PyRefTracer, PyRefTracer_CREATE (Include/cpython/object.h). */
typedef int (*tracer)(void *object, int event, void *data);
#define CREATED 0

/* Flags of a type, and what lies before an object whose type has one of them: the collector's
 * links, the pointers to its dictionary and its weak references (pycore_object.h,
 * _PyType_PreHeaderSize). */
#define TYPE_IS_COLLECTED (UINT64_C(1) << 14)
#define TYPE_HAS_POINTERS (UINT64_C(1) << 3 | UINT64_C(1) << 4)
#define BEFORE_OBJECT 16u

static int (*set_tracer)(tracer set, void *data);
static tracer (*get_tracer)(void **data);

/* Who was there before; written and read by who holds the interpreter's lock. */
static tracer next_tracer;
static void *next_data;

static uintptr_t block_of(uintptr_t object)
{
    uintptr_t type = *(const uintptr_t *)(object + PYTHON_OBJECT_TYPE);
    uint64_t flags = *(const uint64_t *)(type + PYTHON_TYPE_FLAGS);
    return object - (flags & TYPE_IS_COLLECTED ? BEFORE_OBJECT : 0) -
           (flags & TYPE_HAS_POINTERS ? BEFORE_OBJECT : 0);
}

/*
 * Whether it is the birth for which the block was allocated: the thread's last allocation, no
 * object in which was born yet. Of what was allocated further back it cannot be told, nor need it
 * be: the stack is the same, and nothing changes.
 */
static bool is_first(struct thread *thread, uintptr_t block)
{
    if (thread->last != (const void *)block || thread->born == block)
        return false;
    thread->born = block;
    return true;
}

/* Neither a block from before a `clear` nor one whose stack is the present one changes. */
static void born_again(struct thread *thread, uintptr_t address, const struct walk_start *start)
{
    struct block block;
    uint32_t context;
    uint64_t control = ts_load_acquire(&region_header->control);
    struct shard *shard = thread->shard;
    if (shard == NULL || (control & TS_CONTROL_PAUSED) != 0 ||
        !index_find((const void *)address, &block) ||
        block.generation != TS_CONTROL_GENERATION(control))
        return;
    enum ts_domain domain = (enum ts_domain)region_context(block.context)->domain;
    thread->domain = domain;
    struct ts_cell *cell = capture_any(thread, shard, start, &context);
    thread->domain = TS_DOMAIN_LIBC;
    if (cell == NULL || context == block.context || !record_take((const void *)address, &block))
        return;
    record_freed(thread, &block);
    record_python(thread, (const void *)address, block.size, start, domain);
    thread->born = address;
}

/* One who is called by the interpreter, with its lock: what walk_caller() is for. */
static int birth(void *object, int event, void *data)
{
    struct thread *thread = &thread_self;
    struct walk_start start = walk_caller();
    (void)data;
    int result = next_tracer != NULL ? next_tracer(object, event, next_data) : 0;
    if (event != CREATED)
        return result;
    uintptr_t block = block_of((uintptr_t)object);
    if (likely(is_first(thread, block)) || !enter(thread))
        return result;
    thread->busy = THREAD_IN_SHIM;
    record_notice(thread);
    born_again(thread, block, &start);
    leave(thread);
    return result;
}

void python_births_look_after(void)
{
    void *data;
    if (set_tracer == NULL || !python.initialized())
        return;
    tracer now = get_tracer(&data);
    if (now == birth)
        return;
    next_tracer = now;
    next_data = data;
    set_tracer(birth, NULL);
}

void python_births_start(const struct link_map *map)
{
    uintptr_t set, get;
    size_t size;
    if (options.python != OPTIONS_PYTHON_EXACT || options.sample != 0 ||
        !symbols_of_object(map, "PyRefTracer_SetTracer", &set, &size) ||
        !symbols_of_object(map, "PyRefTracer_GetTracer", &get, &size))
        return;
    set_tracer = (int (*)(tracer, void *))set;
    get_tracer = (tracer(*)(void **))get;
}
