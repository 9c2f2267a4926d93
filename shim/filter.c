/*
 * An interpreter of classic BPF as far as seccomp allows it (linux/filter.h; seccomp(2)). Jumps go
 * forward only, so that each run ends.
 */
#include "shim/filter.h"

#define KILL SECCOMP_RET_KILL_PROCESS

struct machine {
    uint32_t a, x;
    uint32_t memory[BPF_MEMWORDS];
};

static bool load(struct machine *machine, const struct sock_filter *at,
                 const struct seccomp_data *call)
{
    bool index = BPF_CLASS(at->code) == BPF_LDX;
    uint32_t value;
    switch (at->code & ~7 /* the class */) {
    case BPF_W | BPF_ABS:
        if (index || at->k > sizeof *call - 4 || at->k % 4 != 0)
            return false;
        __builtin_memcpy(&value, (const char *)call + at->k, sizeof value);
        break;
    case BPF_W | BPF_LEN: value = sizeof *call; break;
    case BPF_W | BPF_IMM: value = at->k; break;
    case BPF_W | BPF_MEM:
        if (at->k >= BPF_MEMWORDS)
            return false;
        value = machine->memory[at->k];
        break;
    default: return false;
    }
    *(index ? &machine->x : &machine->a) = value;
    return true;
}

static bool compute(struct machine *machine, const struct sock_filter *at)
{
    uint32_t with = BPF_SRC(at->code) == BPF_X ? machine->x : at->k, *a = &machine->a;
    switch (BPF_OP(at->code)) {
    case BPF_ADD: *a += with; return true;
    case BPF_SUB: *a -= with; return true;
    case BPF_MUL: *a *= with; return true;
    case BPF_DIV:
        if (with == 0)
            return false;
        *a /= with;
        return true;
    case BPF_AND: *a &= with; return true;
    case BPF_OR: *a |= with; return true;
    case BPF_XOR: *a ^= with; return true;
    case BPF_LSH: *a <<= with & 31; return true;
    case BPF_RSH: *a >>= with & 31; return true;
    case BPF_NEG: *a = -*a; return true;
    default: return false;
    }
}

/* How many instructions to pass over. */
static uint32_t jump(const struct machine *machine, const struct sock_filter *at)
{
    uint32_t with = BPF_SRC(at->code) == BPF_X ? machine->x : at->k, a = machine->a;
    switch (BPF_OP(at->code)) {
    case BPF_JA: return at->k;
    case BPF_JEQ: return a == with ? at->jt : at->jf;
    case BPF_JGT: return a > with ? at->jt : at->jf;
    case BPF_JGE: return a >= with ? at->jt : at->jf;
    case BPF_JSET: return a & with ? at->jt : at->jf;
    default: return UINT32_MAX;
    }
}

uint32_t filter_answer(const struct sock_filter *code, uint32_t length,
                       const struct seccomp_data *call)
{
    struct machine machine = {0};
    uint32_t passed;
    for (uint32_t i = 0; i < length; i++) {
        const struct sock_filter *at = &code[i];
        switch (BPF_CLASS(at->code)) {
        case BPF_LD:
        case BPF_LDX:
            if (!load(&machine, at, call))
                return KILL;
            break;
        case BPF_ST:
        case BPF_STX:
            if (at->k >= BPF_MEMWORDS)
                return KILL;
            machine.memory[at->k] = BPF_CLASS(at->code) == BPF_ST ? machine.a : machine.x;
            break;
        case BPF_ALU:
            if (!compute(&machine, at))
                return KILL;
            break;
        case BPF_JMP:
            passed = jump(&machine, at);
            if (passed >= length - i)
                return KILL;
            i += passed;
            break;
        case BPF_MISC:
            if (BPF_MISCOP(at->code) == BPF_TAX)
                machine.x = machine.a;
            else
                machine.a = machine.x;
            break;
        default: return BPF_RVAL(at->code) == BPF_A ? machine.a : at->k;
        }
    }
    return KILL;
}

bool filter_is_harmless(uint32_t answer)
{
    uint32_t action = answer & SECCOMP_RET_ACTION_FULL;
    return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG || action == SECCOMP_RET_ERRNO;
}
