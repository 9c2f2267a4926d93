/*
 * The options of the shim. A wrong one costs one line on stderr and keeps its default: the program
 * runs.
 */
#include "shim/options.h"
#include "region/layout.h"
#include "shim/system.h"
#include "shim/text.h"

struct options options = {.depth = TS_DEPTH_DEFAULT, .follow = 1, .libunwind = 1};

/* Every option: X(key, smallest, greatest). Texts (session) have bounds 0, 0. */
#define OPTION_LIST(X)                                                                             \
    X(depth, 1, TS_DEPTH_MAX)                                                                      \
    X(paused, 0, 1)                                                                                \
    X(follow, 0, 1)                                                                                \
    X(verify, 0, 1)                                                                                \
    X(libunwind, 0, 1)                                                                             \
    X(verbose, 0, 1)

static const struct {
    const char *key;
    uint32_t *value;
    uint32_t smallest, greatest;
} numbers[] = {
#define X(key, smallest, greatest) {#key, &options.key, smallest, greatest},
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

static void set_number(size_t which, const char *value)
{
    const char *end;
    uint64_t number = text_parse(value, &end);
    if (end == value || *end != '\0' || number < numbers[which].smallest ||
        number > numbers[which].greatest) {
        char fix[64];
        struct text text = text_in(fix, sizeof fix);
        text_add(&text, numbers[which].key);
        text_add(&text, " takes a number from ");
        text_number(&text, numbers[which].smallest);
        text_add(&text, " to ");
        text_number(&text, numbers[which].greatest);
        options_say("bad option value", value, fix);
        return;
    }
    *numbers[which].value = (uint32_t)number;
}

static void set(const char *key, const char *value)
{
    if (text_equal(key, "session")) {
        set_session(value);
        return;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (text_equal(key, numbers[i].key)) {
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
