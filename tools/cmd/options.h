/*
 * Options as tables. A table is the one place where an option is defined: parsing, --help, the dump
 * that the manual pages are checked against, and the suggestions for misspelled names are made from
 * it.
 */
#ifndef TRACESNAP_TOOLS_CMD_OPTIONS_H
#define TRACESNAP_TOOLS_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What a value looks like, and what its place in the values holds. */
enum option_type {
    OPTION_FLAG,   /* bool */
    OPTION_STRING, /* const char * */
    OPTION_NUMBER, /* uint64_t, min to max */
    OPTION_SIZE,   /* the same in bytes; K, M, G and T stand for powers of 1024 */
    OPTION_CHOICE, /* unsigned: the position in choices */
    OPTION_SET,    /* unsigned: a bit for each of the choices; several, with commas or repeated */
    OPTION_LIST    /* struct option_list: may be given more than once */
};

struct option_list {
    const char **items;
    size_t count;
};

struct option_spec {
    const char *name; /* long, without the dashes */
    char letter;      /* short; 0 = none */
    enum option_type type;
    const char *argument; /* what help calls the value; NULL for flags */
    const char *initial;  /* read as if the user had given it; NULL = zero */
    const char *help;
    size_t offset; /* of the value within the group's struct */
    uint64_t min, max;
    const char *const *choices; /* NULL-terminated */
};

/* Options that several commands share are one group with one struct, embedded in each command's
 * values. */
struct option_group {
    const char *title;
    const struct option_spec *options;
    size_t count;
    size_t offset; /* of the group's struct within the command's values */
};

/* Every command has these; they stand first in its values. */
struct common_options {
    bool help;
    bool json;
    unsigned color; /* enum color_choice */
};

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

#define COMMON_SPEC_COUNT 3
extern const struct option_spec common_specs[COMMON_SPEC_COUNT];

struct command {
    const char *name;
    const char *usage; /* what stands after the options */
    const char *summary;
    const char *text; /* a few lines for --help, between the summary and the options */
    const struct option_group *groups; /* ends with a group of no options */
    size_t values_size;
    size_t min_operands, max_operands;
    bool takes_program; /* the first operand is a program: options after it are its own */
    int failure;        /* exit status of errors, if it is not 2 */
    int (*run)(const struct command *command, const void *values, int count, char **operands);
};

#define OPTION_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Reads argv[0..argc-1] into `values` (values_size bytes, zeroed). Operands are moved to the front
 * of argv and counted in *operands. 0, or 2 when an error was printed. Operands are not counted
 * under --help.
 */
int options_parse(const struct command *command, void *values, int argc, char **argv,
                  int *operands);
void options_release(const struct command *command, void *values);

/* Whether --json stands among the options: asked before parsing, so that parse errors can be JSON,
 * too. */
bool options_want_json(const struct command *command, int argc, char **argv);

/* --help, and one line of tab-separated fields per command and option. */
void options_help(const struct command *command, FILE *out);
void options_dump(const struct command *command, FILE *out);

/* The name among `count` names that is closest to a misspelled one; NULL when none is close. */
const char *suggest(const char *word, const char *const *names, size_t count);

#endif
