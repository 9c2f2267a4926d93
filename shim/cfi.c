/*
 * DWARF call frame information. Sources: DWARF 5 section 6.4; Linux Standard Base 5.0, 10.6
 * (.eh_frame and .eh_frame_hdr). Every byte is read through a cursor with bounds, so that broken
 * tables end in RULE_ODD.
 */
#include "shim/cfi.h"
#include "shim/dwarf.h"
#include "shim/machine.h"

#include <stddef.h>

struct cie {
    uint64_t code_align;
    int64_t data_align;
    uint64_t return_register;
    uint8_t pointer_encoding;
    bool has_augmentation, is_signal;
    struct cursor program;
};

/* A cursor over the record at `at`, after its length word. 64-bit records are not made by anybody
 * here. */
static struct cursor record(const struct cfi_tables *tables, const uint8_t *at)
{
    struct cursor c = {at, tables->high, at < tables->low || at >= tables->high};
    uint64_t length = fixed(&c, 4);
    if (length == 0 || length >= 0xfffffff0u || (uint64_t)(c.end - c.at) < length)
        c.broken = true;
    else
        c.end = c.at + length;
    return c;
}

static bool parse_cie(const struct cfi_tables *tables, const uint8_t *at, struct cie *cie)
{
    struct cursor c = record(tables, at);
    const uint8_t *augmentation, *data_end;
    if (fixed(&c, 4) != 0)
        return false;
    uint64_t version = fixed(&c, 1);
    augmentation = c.at;
    while (fixed(&c, 1) != 0 && !c.broken)
        continue;
    cie->code_align = uleb(&c);
    cie->data_align = sleb(&c);
    cie->return_register = version == 1 ? fixed(&c, 1) : uleb(&c);
    cie->pointer_encoding = 0;
    cie->is_signal = false;
    cie->has_augmentation = !c.broken && augmentation[0] == 'z';
    if (cie->has_augmentation) {
        uint64_t size = uleb(&c);
        if (c.broken || (uint64_t)(c.end - c.at) < size)
            return false;
        data_end = c.at + size;
        for (const uint8_t *letter = augmentation + 1; *letter != '\0' && !c.broken; letter++) {
            if (*letter == 'R')
                cie->pointer_encoding = (uint8_t)fixed(&c, 1);
            else if (*letter == 'L')
                fixed(&c, 1);
            else if (*letter == 'P')
                format_value(&c, ENCODING_FORMAT(fixed(&c, 1)));
            else if (*letter == 'S')
                cie->is_signal = true;
            else if (*letter != 'B')
                break;
        }
        c.at = data_end;
    } else if (!c.broken && augmentation[0] != '\0') {
        return false;
    }
    cie->program = c;
    return !c.broken && (version == 1 || version == 3);
}

/* What a row of the table says of one register. */
enum how { HOW_SAME, HOW_UNDEFINED, HOW_AT_CFA, HOW_AT_RBP, HOW_ODD };

struct row {
    uint64_t cfa_register;
    int64_t cfa_offset;
    enum { CFA_REGISTER, CFA_DEREF_RBP, CFA_ODD } cfa;
    struct {
        enum how how;
        int64_t offset;
    } rbp, ra;
};

static void set_register(struct row *row, uint64_t number, enum how how, int64_t offset)
{
    if (number == MACHINE_DWARF_RBP) {
        row->rbp.how = how;
        row->rbp.offset = offset;
    } else if (number == MACHINE_DWARF_RA) {
        row->ra.how = how;
        row->ra.offset = offset;
    }
}

static void restore_register(struct row *row, uint64_t number, const struct row *initial)
{
    if (number == MACHINE_DWARF_RBP)
        row->rbp = initial->rbp;
    else if (number == MACHINE_DWARF_RA)
        row->ra = initial->ra;
}

/* DW_OP_breg6 (rbp) with offset, alone or followed by DW_OP_deref: what a realigned frame uses. */
static bool rbp_expression(struct cursor *c, bool deref, int64_t *offset)
{
    uint64_t size = uleb(c);
    struct cursor e = *c;
    skip(c, size);
    if (c->broken)
        return false;
    e.end = c->at;
    if (fixed(&e, 1) != 0x76 /* DW_OP_breg6 */)
        return false;
    *offset = sleb(&e);
    if (deref && fixed(&e, 1) != 0x06 /* DW_OP_deref */)
        return false;
    return !e.broken && e.at == e.end;
}

/*
 * What GNU linkers write of a procedure linkage table, whose entries are all alike and of 16 bytes:
 * CFA = rsp + 8 + ((rip & 15) >= N ? 8 : 0), where N is behind the push (binutils, elfxx-x86). A
 * signal may come there. It is a constant for a given pc.
 */
static bool plt_expression(struct cursor c, uint64_t pc, int64_t *offset)
{
    static const uint8_t head[] = {11, 0x77 /* breg7 */, 8,   0x80 /* breg16 */,
                                   0,  0x3f /* lit15 */, 0x1a /* and */};
    static const uint8_t tail[] = {0x2a /* ge */, 0x33 /* lit3 */, 0x24 /* shl */, 0x22 /* plus */};
    for (size_t i = 0; i < sizeof head; i++)
        if (fixed(&c, 1) != head[i])
            return false;
    uint64_t literal = fixed(&c, 1) - 0x30 /* lit0 */;
    for (size_t i = 0; i < sizeof tail; i++)
        if (fixed(&c, 1) != tail[i])
            return false;
    *offset = (pc & 15) >= literal ? 16 : 8;
    return !c.broken && literal < 16;
}

static void cfa_expression(struct cursor *c, struct row *row, uint64_t pc)
{
    if (plt_expression(*c, pc, &row->cfa_offset)) {
        row->cfa = CFA_REGISTER;
        row->cfa_register = MACHINE_DWARF_RSP;
        skip(c, uleb(c));
        return;
    }
    row->cfa = rbp_expression(c, true, &row->cfa_offset) ? CFA_DEREF_RBP : CFA_ODD;
}

static void register_expression(struct cursor *c, struct row *row, uint64_t number, bool by_value)
{
    int64_t offset = 0;
    bool by_rbp = rbp_expression(c, false, &offset) && !by_value;
    set_register(row, number, by_rbp ? HOW_AT_RBP : HOW_ODD, offset);
}

#define REMEMBERED_MAX 16

struct machine {
    const struct cie *cie;
    struct row row, initial, remembered[REMEMBERED_MAX];
    unsigned depth;
    uint64_t location, pc;
};

static void set_cfa(struct row *row, uint64_t number, int64_t offset)
{
    row->cfa = CFA_REGISTER;
    row->cfa_register = number;
    row->cfa_offset = offset;
}

/* A factored offset. One that does not fit 64 bits wraps: it is as wrong as any other. */
static int64_t factored(uint64_t number, int64_t align)
{
    return (int64_t)(number * (uint64_t)align);
}

/* The instructions with an operand count of their own. False: not understood. */
static bool extended(struct machine *m, struct cursor *c, unsigned op)
{
    int64_t align = m->cie->data_align;
    uint64_t number;
    switch (op) {
    case 0x00: return true;                                                           /* nop */
    case 0x01: m->location = encoded(c, m->cie->pointer_encoding, NULL); return true; /* set_loc */
    case 0x02: m->location += fixed(c, 1) * m->cie->code_align; return true;
    case 0x03: m->location += fixed(c, 2) * m->cie->code_align; return true;
    case 0x04: m->location += fixed(c, 4) * m->cie->code_align; return true;
    case 0x05: /* offset_extended */
        number = uleb(c);
        set_register(&m->row, number, HOW_AT_CFA, factored(uleb(c), align));
        return true;
    case 0x06: restore_register(&m->row, uleb(c), &m->initial); return true;
    case 0x07: set_register(&m->row, uleb(c), HOW_UNDEFINED, 0); return true;
    case 0x08: set_register(&m->row, uleb(c), HOW_SAME, 0); return true;
    case 0x09: /* register */
        number = uleb(c);
        uleb(c);
        set_register(&m->row, number, HOW_ODD, 0);
        return true;
    case 0x0a: /* remember_state */
        if (m->depth == REMEMBERED_MAX)
            return false;
        m->remembered[m->depth++] = m->row;
        return true;
    case 0x0b: /* restore_state */
        if (m->depth == 0)
            return false;
        m->row = m->remembered[--m->depth];
        return true;
    case 0x0c: /* def_cfa */
        number = uleb(c);
        set_cfa(&m->row, number, (int64_t)uleb(c));
        return true;
    case 0x0d: set_cfa(&m->row, uleb(c), m->row.cfa_offset); return true;
    case 0x0e: m->row.cfa_offset = (int64_t)uleb(c); return true;
    case 0x0f: cfa_expression(c, &m->row, m->pc); return true;
    case 0x10:
        number = uleb(c);
        register_expression(c, &m->row, number, false);
        return true;
    case 0x11: /* offset_extended_sf */
        number = uleb(c);
        set_register(&m->row, number, HOW_AT_CFA, factored((uint64_t)sleb(c), align));
        return true;
    case 0x12: /* def_cfa_sf */
        number = uleb(c);
        set_cfa(&m->row, number, factored((uint64_t)sleb(c), align));
        return true;
    case 0x13: m->row.cfa_offset = factored((uint64_t)sleb(c), align); return true;
    case 0x14: /* val_offset */
        number = uleb(c);
        uleb(c);
        set_register(&m->row, number, HOW_ODD, 0);
        return true;
    case 0x16:
        number = uleb(c);
        register_expression(c, &m->row, number, true);
        return true;
    case 0x2e: uleb(c); return true; /* GNU_args_size */
    default: return false;
    }
}

/* Runs instructions until the row that holds for m->pc is complete. */
static bool run(struct machine *m, struct cursor c)
{
    while (c.at < c.end && !c.broken) {
        unsigned byte = (unsigned)fixed(&c, 1), low = byte & 0x3f;
        uint64_t before = m->location;
        switch (byte >> 6) {
        case 1: m->location += low * m->cie->code_align; break;
        case 2:
            set_register(&m->row, low, HOW_AT_CFA, factored(uleb(&c), m->cie->data_align));
            break;
        case 3: restore_register(&m->row, low, &m->initial); break;
        default:
            if (!extended(m, &c, low))
                return false;
        }
        if (m->location != before && m->location > m->pc)
            return !c.broken;
    }
    return !c.broken;
}

static bool fits(int64_t offset, int64_t bound)
{
    return offset % 8 == 0 && offset > -bound && offset < bound;
}

static struct rule rule_of_row(const struct row *row)
{
    const struct rule odd = {.kind = RULE_ODD};
    struct rule rule = {.cfa_offset = (int32_t)row->cfa_offset};
    if (row->ra.how == HOW_UNDEFINED)
        return (struct rule){.kind = RULE_END};
    if (row->ra.how != HOW_AT_CFA || row->ra.offset != -8 || !fits(row->cfa_offset, 1 << 26))
        return odd;
    if (row->cfa == CFA_DEREF_RBP)
        rule.kind = RULE_DEREF;
    else if (row->cfa == CFA_REGISTER && row->cfa_register == MACHINE_DWARF_RSP)
        rule.kind = RULE_RSP;
    else if (row->cfa == CFA_REGISTER && row->cfa_register == MACHINE_DWARF_RBP)
        rule.kind = RULE_RBP;
    else
        return odd;
    if (row->rbp.how == HOW_ODD || !fits(row->rbp.offset, 1 << 18))
        return odd;
    rule.rbp_saved = row->rbp.how == HOW_AT_CFA || row->rbp.how == HOW_AT_RBP;
    rule.rbp_by_rbp = row->rbp.how == HOW_AT_RBP;
    rule.rbp_offset = (int32_t)row->rbp.offset;
    return rule;
}

static struct rule parse_fde(const struct cfi_tables *tables, const uint8_t *at, uintptr_t pc)
{
    const struct rule odd = {.kind = RULE_ODD}, none = {.kind = RULE_NONE};
    struct cursor c = record(tables, at);
    const uint8_t *cie_field = c.at;
    uint64_t cie_distance = fixed(&c, 4);
    struct cie cie;
    if (c.broken || cie_distance == 0 || cie_distance > (uint64_t)(cie_field - tables->low) ||
        !parse_cie(tables, cie_field - cie_distance, &cie))
        return odd;
    uint64_t begin = encoded(&c, cie.pointer_encoding, NULL);
    uint64_t size = format_value(&c, ENCODING_FORMAT(cie.pointer_encoding));
    if (cie.has_augmentation)
        skip(&c, uleb(&c));
    if (c.broken)
        return odd;
    if (pc < begin || pc - begin >= size)
        return none;
    if (cie.is_signal)
        return (struct rule){.kind = RULE_SIGNAL};
    if (cie.return_register != MACHINE_DWARF_RA)
        return odd;
    struct machine m = {.cie = &cie, .location = begin, .pc = UINT64_MAX};
    if (!run(&m, cie.program))
        return odd;
    m.initial = m.row;
    m.location = begin;
    m.pc = pc;
    return run(&m, c) ? rule_of_row(&m.row) : odd;
}

struct rule cfi_find(const struct cfi_tables *tables, uintptr_t pc)
{
    const struct rule odd = {.kind = RULE_ODD}, none = {.kind = RULE_NONE};
    struct cursor c = {tables->header, tables->high, tables->header < tables->low};
    uint64_t version = fixed(&c, 1);
    uint8_t frame_encoding = (uint8_t)fixed(&c, 1), count_encoding = (uint8_t)fixed(&c, 1);
    uint8_t table_encoding = (uint8_t)fixed(&c, 1);
    if (c.broken || version != 1 || table_encoding != (BASE_DATA | 0x0b) ||
        count_encoding == ENCODING_OMIT)
        return odd;
    encoded(&c, frame_encoding, tables->header);
    uint64_t count = encoded(&c, count_encoding, tables->header);
    struct entry {
        int32_t location, fde;
    } entry;
    if (c.broken || count > (uint64_t)(c.end - c.at) / sizeof entry)
        return odd;

    uint64_t low = 0, high = count; /* the last entry whose location <= pc lies below high */
    int64_t wanted = (int64_t)(pc - (uintptr_t)tables->header);
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        __builtin_memcpy(&entry, c.at + middle * sizeof entry, sizeof entry);
        if (entry.location <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return none;
    __builtin_memcpy(&entry, c.at + (low - 1) * sizeof entry, sizeof entry);
    return parse_fde(tables, tables->header + entry.fde, pc);
}
