/*
 * The options of the shim. A wrong one costs one line on stderr and keeps its default: the program
 * runs.
 */
#include "shim/options.h"
#include "region/keep.h"
#include "region/layout.h"
#include "shim/system.h"
#include "shim/text.h"

struct options options = {.depth = TS_DEPTH_DEFAULT,
                          .follow = 1,
                          .libunwind = 1,
                          .python = OPTIONS_PYTHON_ON,
                          .keep = OPTIONS_KEEP_DEFAULT,
                          .keep_days = TS_KEEP_DAYS};

/* Every option that is a number: X(key, smallest, greatest). One of 64 bits is a size. */
#define OPTION_LIST(X)                                                                             \
    X(depth, 1, TS_DEPTH_MAX)                                                                      \
    X(sample, 1, TS_SAMPLE_MAX)                                                                    \
    X(paused, 0, 1)                                                                                \
    X(follow, 0, 1)                                                                                \
    X(verify, 0, 1)                                                                                \
    X(libunwind, 0, 1)                                                                             \
    X(keep, 0, TS_KEEP_SIZE_MAX)                                                                   \
    X(keep_days, 0, TS_KEEP_DAYS_MAX)                                                              \
    X(verbose, 0, 1)

static const struct {
    const char *key;
    void *value;
    size_t size; /* of the value: 4 or 8 bytes */
    uint64_t smallest, greatest;
} numbers[] = {
#define X(key, smallest, greatest) {#key, &options.key, sizeof options.key, smallest, greatest},
    OPTION_LIST(X)
#undef X
};

void options_say(const char *cause, const char *subject, const char *fix)
{
    char line[512];
    struct text text = text_in(line, sizeof line - 1);
    text_add(&text, "tracesnap: ");
    text_add(&text, cause);
    text_add(&text, " '");
    text_add(&text, subject);
    text_add(&text, "': ");
    text_add(&text, fix);
    line[text.length++] = '\n';
    sys_write(2, line, text.length);
}

static void set_session(const char *value)
{
    size_t length = text_length(value);
    for (size_t i = 0; i < length; i++) {
        char c = value[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-' || c == '.' || c == '_'))
            length = sizeof options.session;
    }
    if (length >= sizeof options.session) {
        options_say("bad value of option 'session'", value,
                    "39 letters, digits, '-', '.', '_' at most");
        return;
    }
    struct text text = text_in(options.session, sizeof options.session);
    text_add(&text, value);
}

static void set_python(const char *value)
{
    static const char *const words[] = {"off", "on", "lines", "exact"};
    for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text_equal(value, words[i])) {
            options.python = i;
            return;
        }
    }
    options_say("bad value of option 'python'", value, "off, on, lines or exact");
}

/* K, M, G or T after a size: *end moves past it. */
static uint64_t with_unit(uint64_t number, const char **end)
{
    static const char units[] = "KMGT";
    for (unsigned i = 0; units[i] != '\0'; i++) {
        if (**end == units[i]) {
            (*end)++;
            unsigned shift = 10 * (i + 1);
            return number > UINT64_MAX >> shift ? UINT64_MAX : number << shift;
        }
    }
    return number;
}

static void set_number(size_t which, const char *value)
{
    const char *end;
    bool is_size = numbers[which].size == sizeof(uint64_t);
    uint64_t number = text_parse(value, &end);
    bool digits = end != value;
    if (digits && is_size)
        number = with_unit(number, &end);
    if (!digits || *end != '\0' || number < numbers[which].smallest ||
        number > numbers[which].greatest) {
        char fix[96];
        struct text text = text_in(fix, sizeof fix);
        text_add(&text, numbers[which].key);
        text_add(&text, is_size ? " takes a size such as 512K, from " : " takes a number from ");
        text_number(&text, numbers[which].smallest);
        text_add(&text, " to ");
        text_number(&text, numbers[which].greatest);
        options_say("bad option value", value, fix);
        return;
    }
    if (is_size)
        *(uint64_t *)numbers[which].value = number;
    else
        *(uint32_t *)numbers[which].value = (uint32_t)number;
}

static void set(const char *key, const char *value)
{
    if (text_equal(key, "session")) {
        set_session(value);
        return;
    }
    if (text_equal(key, "python")) {
        set_python(value);
        return;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (text_equal(key, numbers[i].key)) {
            options.depth_given |= numbers[i].value == &options.depth;
            set_number(i, value);
            return;
        }
    }
    options_say("unknown option in TRACESNAP_OPTIONS", key, "see 'man 7 tracesnap'");
}

void options_read(const char *value)
{
    if (value == NULL)
        return;
    struct text text = text_in(options.text, sizeof options.text);
    text_add(&text, value);

    while (*value != '\0') {
        char pair[256];
        size_t length = 0, equals = 0;
        while (value[length] != '\0' && value[length] != ':')
            length++;
        text = text_in(pair, sizeof pair);
        text_bytes(&text, value, length);
        while (pair[equals] != '\0' && pair[equals] != '=')
            equals++;
        if (pair[equals] == '=') {
            pair[equals] = '\0';
            set(pair, pair + equals + 1);
        } else if (pair[0] != '\0') {
            options_say("option without a value", pair, "write key=value:key=value");
        }
        value += length;
        if (*value == ':')
            value++;
    }
}
