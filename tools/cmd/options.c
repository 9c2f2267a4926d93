/*
 * Parses a command line by a command's tables. Options may stand before or after the operands, `--`
 * ends them; where the operands are a program, the first of them ends the options.
 */
#include "tools/cmd/options.h"

#include "tools/base/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 64

struct match {
    const struct option_spec *option;
    void *value;
};

/* Steps through all options of a command. Without `values`, a match has no place for a value. */
static bool next_option(const struct command *command, void *values, size_t *at,
                        struct match *match)
{
    size_t i = (*at)++;
    for (const struct option_group *group = command->groups; group->options; group++) {
        if (i < group->count) {
            match->option = &group->options[i];
            match->value =
                values ? (char *)values + group->offset + match->option->offset : NULL;
            return true;
        }
        i -= group->count;
    }
    return false;
}

static bool find_long(const struct command *command, void *values, const char *name, size_t length,
                      struct match *match)
{
    for (size_t at = 0; next_option(command, values, &at, match);) {
        const char *known = match->option->name;
        if (strlen(known) == length && memcmp(known, name, length) == 0)
            return true;
    }
    return false;
}

static bool find_short(const struct command *command, void *values, char letter,
                       struct match *match)
{
    for (size_t at = 0; next_option(command, values, &at, match);)
        if (match->option->letter && match->option->letter == letter)
            return true;
    return false;
}

static int unknown_option(const struct command *command, const char *given, size_t length)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    struct match match;
    char word[64];
    for (size_t at = 0; count < NAMES_MAX && next_option(command, NULL, &at, &match);)
        names[count++] = match.option->name;
    snprintf(word, sizeof(word), "%.*s", (int)length, given);
    const char *near = given[0] == '-' ? suggest(word + 2, names, count) : NULL;
    if (given[0] != '-')
        return message_error("unknown option '-%.*s': see 'tracesnap %s --help'", (int)length,
                             given, command->name);
    if (near)
        return message_error("unknown option '%s': did you mean '--%s'?", word, near);
    return message_error("unknown option '%s': see 'tracesnap %s --help'", word, command->name);
}

static int bad_choice(const struct option_spec *option, const char *text)
{
    char list[256] = "";
    for (size_t i = 0; option->choices[i]; i++) {
        strncat(list, i ? ", " : "", sizeof(list) - strlen(list) - 1);
        strncat(list, option->choices[i], sizeof(list) - strlen(list) - 1);
    }
    return message_error("bad value of --%s '%s': use one of %s", option->name, text, list);
}

static int set_number(const struct option_spec *option, uint64_t *value, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    bool digits = text[0] >= '0' && text[0] <= '9' && *end == '\0';
    if (!digits || errno != 0 || number < option->min || number > option->max)
        return message_error("bad value of --%s '%s': use a number from %llu to %llu", option->name,
                             text, (unsigned long long)option->min,
                             (unsigned long long)option->max);
    *value = number;
    return 0;
}

static int set_size(const struct option_spec *option, uint64_t *value, const char *text)
{
    static const char units[] = "KMGT";
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    bool digits = text[0] >= '0' && text[0] <= '9';
    const char *unit = digits && *end ? strchr(units, *end) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    digits = digits && end[unit != NULL] == '\0';
    if (!digits || errno != 0 || number > option->max >> shift || number << shift < option->min)
        return message_error("bad value of --%s '%s': use a size from %llu to %llu bytes, such as "
                             "512K or 1M",
                             option->name, text, (unsigned long long)option->min,
                             (unsigned long long)option->max);
    *value = number << shift;
    return 0;
}

static int add_item(const struct option_spec *option, struct option_list *list, const char *text)
{
    const char **items = realloc(list->items, (list->count + 1) * sizeof(*items));
    if (!items)
        return message_error("no memory for the values of '--%s': give fewer of them",
                             option->name);
    items[list->count++] = text;
    list->items = items;
    return 0;
}

static int add_choices(const struct option_spec *option, unsigned *set, const char *text)
{
    for (const char *word = text;; word++) {
        size_t length = strcspn(word, ",");
        unsigned i = 0;
        while (option->choices[i] && (strncmp(option->choices[i], word, length) != 0 ||
                                      option->choices[i][length] != '\0'))
            i++;
        if (!option->choices[i])
            return bad_choice(option, text);
        *set |= 1u << i;
        word += length;
        if (*word == '\0')
            return 0;
    }
}

static int set_value(const struct match *match, const char *text)
{
    const struct option_spec *option = match->option;
    switch (option->type) {
    case OPTION_FLAG:
        *(bool *)match->value = true;
        return 0;
    case OPTION_STRING:
        if (!*text)
            return message_error("empty value of '--%s': give %s", option->name, option->argument);
        *(const char **)match->value = text;
        return 0;
    case OPTION_NUMBER:
        return set_number(option, match->value, text);
    case OPTION_SIZE:
        return set_size(option, match->value, text);
    case OPTION_CHOICE:
        for (unsigned i = 0; option->choices[i]; i++)
            if (strcmp(option->choices[i], text) == 0) {
                *(unsigned *)match->value = i;
                return 0;
            }
        return bad_choice(option, text);
    case OPTION_SET:
        return add_choices(option, match->value, text);
    case OPTION_LIST:
        return add_item(option, match->value, text);
    }
    return 0;
}

static int missing_value(const struct option_spec *option)
{
    return message_error("missing value of '--%s': give %s", option->name, option->argument);
}

/* One `--name`, `--name=value` or `--name value`; *i moves past a value of its own. */
static int parse_long(const struct command *command, void *values, int argc, char **argv, int *i)
{
    const char *name = argv[*i] + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    struct match match;
    if (!find_long(command, values, name, length, &match))
        return unknown_option(command, argv[*i], length + 2);
    if (match.option->type == OPTION_FLAG) {
        if (equals)
            return message_error("value for '--%s', which takes none: leave '%s' out",
                                 match.option->name, equals);
        return set_value(&match, NULL);
    }
    if (equals)
        return set_value(&match, equals + 1);
    if (*i + 1 >= argc)
        return missing_value(match.option);
    return set_value(&match, argv[++*i]);
}

/* One `-abc`, `-ovalue` or `-o value`. */
static int parse_short(const struct command *command, void *values, int argc, char **argv, int *i)
{
    for (const char *letter = argv[*i] + 1; *letter; letter++) {
        struct match match;
        if (!find_short(command, values, *letter, &match))
            return unknown_option(command, letter, 1);
        if (match.option->type != OPTION_FLAG) {
            if (letter[1])
                return set_value(&match, letter + 1);
            if (*i + 1 >= argc)
                return missing_value(match.option);
            return set_value(&match, argv[++*i]);
        }
        set_value(&match, NULL);
    }
    return 0;
}

static int set_defaults(const struct command *command, void *values)
{
    struct match match;
    for (size_t at = 0; next_option(command, values, &at, &match);)
        if (match.option->initial && set_value(&match, match.option->initial) != 0)
            return 2;
    return 0;
}

static int check_operands(const struct command *command, int count, char **operands)
{
    if ((size_t)count < command->min_operands)
        return message_error("missing operand of 'tracesnap %s': give %s", command->name,
                             command->usage);
    if ((size_t)count > command->max_operands)
        return message_error("one operand too many '%s': 'tracesnap %s' takes %s",
                             operands[command->max_operands], command->name,
                             *command->usage ? command->usage : "none");
    return 0;
}

int options_parse(const struct command *command, void *values, int argc, char **argv, int *operands)
{
    int count = 0;
    bool ended = false;
    if (set_defaults(command, values) != 0)
        return 2;
    for (int i = 0; i < argc; i++) {
        int status = 0;
        if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
            ended = ended || command->takes_program;
            argv[count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0)
            ended = true;
        else if (argv[i][1] == '-')
            status = parse_long(command, values, argc, argv, &i);
        else
            status = parse_short(command, values, argc, argv, &i);
        if (status != 0)
            return status;
    }
    *operands = count;
    if (((struct common_options *)values)->help)
        return 0;
    return check_operands(command, count, argv);
}

void options_release(const struct command *command, void *values)
{
    struct match match;
    for (size_t at = 0; next_option(command, values, &at, &match);)
        if (match.option->type == OPTION_LIST)
            free(((struct option_list *)match.value)->items);
}

bool options_want_json(const struct command *command, int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0)
            return true;
        if (argv[i][0] != '-' && command->takes_program)
            return false;
    }
    return false;
}
