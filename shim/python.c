/*
 * The interpreter in this process: found by the symbols that it exports, without the loader's
 * functions, which lock and allocate.
 */
#include "shim/python.h"
#include "shim/contexts.h"
#include "shim/machine.h"
#include "shim/modules.h"
#include "shim/options.h"
#include "shim/python_births.h"
#include "shim/python_codes.h"
#include "shim/python_gc.h"
#include "shim/python_hooks.h"
#include "shim/region.h"
#include "shim/symbols.h"
#include "shim/system.h"

struct python python;

#define FREE_THREADED_FROM 0x030d0000u

static void *function(const struct link_map *map, const char *name)
{
    uintptr_t address;
    size_t size;
    return symbols_of_object(map, name, &address, &size) ? (void *)address : NULL;
}

static uintptr_t object(const struct link_map *map, const char *name)
{
    return (uintptr_t)function(map, name);
}

/* "3.11.2 (main, ...": for 3.9 and 3.10, which have no Py_Version. */
static uint32_t parse_version(const char *text)
{
    uint32_t parts[3] = {0};
    for (int i = 0; i < 3; i++) {
        while (*text >= '0' && *text <= '9')
            parts[i] = parts[i] * 10 + (uint32_t)(*text++ - '0');
        if (*text == '.')
            text++;
    }
    return parts[0] << 24 | parts[1] << 16 | parts[2] << 8;
}

static uint32_t version_of(const struct link_map *map)
{
    const unsigned long *version = function(map, "Py_Version");
    if (version != NULL)
        return (uint32_t)*version;
    const char *(*get)(void) = (const char *(*)(void))function(map, "Py_GetVersion");
    return get != NULL ? parse_version(get()) : 0;
}

static bool find_symbols(const struct link_map *map)
{
    size_t size;
    python.state = (void *(*)(void))function(map, "PyThreadState_GetUnchecked");
    if (python.state == NULL)
        python.state = (void *(*)(void))function(map, "_PyThreadState_UncheckedGet");
    python.initialized = (int (*)(void))function(map, "Py_IsInitialized");
    python.main_interpreter = (void *(*)(void))function(map, "PyInterpreterState_Main");
    python.runtime = function(map, "_PyRuntime");
    python.code_type = object(map, "PyCode_Type");
    python.string_type = object(map, "PyUnicode_Type");
    python.bytes_type = object(map, "PyBytes_Type");
    if (!symbols_of_object(map, "_PyEval_EvalFrameDefault", &python.loop, &size) ||
        !modules_bounds(python.loop, &python.start, &python.end))
        return false;
    python.loop_end = python.loop + size;
    if (python.state != NULL)
        python.current = machine_loaded_by((const void *)python.state, true);
    if (python.initialized != NULL)
        python.ready = machine_loaded_by((const void *)python.initialized, false);
    return python.state != NULL && python.initialized != NULL && python.code_type != 0 &&
           python.string_type != 0 && python.bytes_type != 0;
}

static enum ts_python examine(const struct link_map *map, uint32_t *version)
{
    *version = version_of(map);
    if (!find_symbols(map))
        return TS_PYTHON_SYMBOLS;
    if (python_is_free_threaded(*version, python.runtime))
        return TS_PYTHON_FREE_THREADED;
    if (!python_layout_of(*version, python.runtime, &python.layout))
        return TS_PYTHON_VERSION;
    return python.gone || codes_start() ? TS_PYTHON_TRACED : TS_PYTHON_VERSION;
}

static void meet(const struct link_map *map)
{
    uint32_t version;
    if (options.python == OPTIONS_PYTHON_OFF ||
        (region_header->process.python != TS_PYTHON_NONE && !python.gone) ||
        function(map, "PyMem_SetAllocator") == NULL)
        return;
    if (python.gone) { /* nothing is left of the former one */
        codes_forget();
        ts_store_relaxed(&python.proven, 0);
    }
    enum ts_python answer = examine(map, &version);
    region_header->process.python_version = version;
    region_header->process.python = answer;
    if (answer != TS_PYTHON_TRACED || !python_hooks_start(map))
        return;
    python_births_start(map);
    if (!options.depth_given) /* Python programs recurse: its own bound is 1000 */
        region_header->process.depth = options.depth = TS_DEPTH_MAX;
    ts_store_release(&python.reading, PYTHON_READING_CAREFULLY);
    contexts_look_rarely();
    ts_store_release(&python.gone, 0);
    ts_store_release(&python.on, 1);
}

void python_start(void)
{
    const struct link_map *map = symbols_object_with("PyMem_SetAllocator");
    if (map != NULL)
        meet(map);
}

static uint32_t meeting; /* some thread is in python_meet_new */

/*
 * A library that is opened late is met when a stack with a frame of it is new: that of the first
 * block that it asks for, since it is before it is initialised that it does.
 */
void python_meet_new(void)
{
    uint32_t nobody = 0, count = modules_count();
    if (!ts_cas_acq_rel(&meeting, &nobody, 1))
        return;
    for (uint32_t i = python.met; i < count && i < MODULE_INSTANCES_MAX; i++) {
        const struct link_map *map = modules_object(i);
        if (map != NULL)
            meet(map);
    }
    ts_store_relaxed(&python.met, count);
    ts_store_release(&meeting, 0);
}

/* Who embeds an interpreter may have unloaded it. One that was opened before is met again. */
void python_closed(void)
{
    uintptr_t start, end;
    if (ts_load_acquire(&python.on) == 0 || ts_load_acquire(&python.gone) ||
        modules_bounds(python.loop, &start, &end))
        return;
    ts_store_release(&python.gone, 1);
    ts_store_release(&python.reading, PYTHON_READING_NOT);
    ts_store_relaxed(&python.met, 0);
}

/*
 * What is opened again may lie where it was: such a module is not a new one. Other objects that lie
 * there now are asked once.
 */
static void meet_at_old_place(void)
{
    static uint32_t asked; /* module_generation in which there was no interpreter there */
    struct dl_find_object found;
    uint32_t nobody = 0, generation = ts_load_acquire(&module_generation);
    if (asked == generation || _dl_find_object((void *)python.loop, &found) != 0 ||
        !ts_cas_acq_rel(&meeting, &nobody, 1))
        return;
    meet(found.dlfo_link_map);
    if (python.gone)
        ts_store_relaxed(&asked, generation);
    ts_store_release(&meeting, 0);
}

void python_meet_again(void)
{
    python_meet_any();
    if (ts_load_acquire(&python.gone))
        meet_at_old_place();
}

/* Another thread of the parent may have been at it. */
void python_forked(void)
{
    ts_store_relaxed(&meeting, 0);
}

void python_tell(void)
{
    struct ts_process *process = &region_header->process;
    const void *interpreter =
        python.main_interpreter != NULL && python.initialized() ? python.main_interpreter() : NULL;
    if (interpreter != NULL &&
        python_gc_copy(&process->interpreter, interpreter, process->python_version, python.runtime))
        ts_store_relaxed(&process->interpreter.time,
                         sys_clock(CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE) -
                             process->started_monotonic);
}

/* The current state is compared and not looked at: without the lock it is another thread's (up to
 * 3.11), which may end at any moment. */
void python_tell_held(struct thread *thread)
{
    uintptr_t own = 0;
    if (ts_load_acquire(&python.on) && !ts_load_acquire(&python.gone))
        own = python_state(thread, false);
    if (own != 0 && own == python_current())
        python_tell();
}

/*
 * Not every state that is current is the caller's: who asks for memory without holding the lock, by
 * mistake, finds that of the thread that holds it (up to 3.11), whose frames change meanwhile.
 */
uintptr_t python_remember(struct thread *thread, uintptr_t state)
{
    if (state == 0 || !python_is_own(state))
        return 0;
    if (state == thread->python_state && ts_load_relaxed(&python.unseen))
        return state;
    thread->python_gone = ts_load_acquire(&python.states_gone) - ts_load_relaxed(&python.unseen);
    thread->python_state = state;
    codes_watch_state(state);
    codes_watch_state(*(const uintptr_t *)(state + python.layout.state_interpreter));
    return state;
}

/*
 * At its address there may be another thread's by now: it says whose it is. Where nobody sees them
 * die, python_gone is never up to date, so that this is asked each time.
 */
uintptr_t python_recall(struct thread *thread)
{
    uint32_t gone = ts_load_acquire(&python.states_gone);
    uintptr_t state = thread->python_state;
    if (ts_load_relaxed(&python.unseen))
        return state != 0 && state == python_current() && python_is_own(state) ? state : 0;
    if (state == 0 || !codes_is_state(state) || !python_is_own(state) ||
        !codes_is_state(*(const uintptr_t *)(state + python.layout.state_interpreter)))
        thread->python_state = state = 0;
    thread->python_gone = gone;
    return state;
}
