/*
 * What people and checks read of the option tables: --help, the dump, and the nearest name to a
 * misspelled one. The options that every command has are defined here.
 */
#include "tools/cmd/options.h"

#include <string.h>

#define HELP_COLUMN 30
#define WORD_MAX 48

static const char *const color_choices[] = {"auto", "always", "never", NULL};

const struct option_spec common_specs[COMMON_SPEC_COUNT] = {
    {.name = "json",
     .type = OPTION_FLAG,
     .help = "print JSON, errors included (tracesnap-json(5))",
     .offset = offsetof(struct common_options, json)},
    {.name = "color",
     .type = OPTION_CHOICE,
     .argument = "WHEN",
     .initial = "auto",
     .help = "colour the text: auto (on a terminal), always, never",
     .offset = offsetof(struct common_options, color),
     .choices = color_choices},
    {.name = "help",
     .letter = 'h',
     .type = OPTION_FLAG,
     .help = "print this help",
     .offset = offsetof(struct common_options, help)},
};

static void print_option(const struct option_spec *option, FILE *out)
{
    char left[128];
    int length = snprintf(left, sizeof(left), "  %c%c%s--%s%s%s", option->letter ? '-' : ' ',
                          option->letter ? option->letter : ' ', option->letter ? ", " : "  ",
                          option->name, option->argument ? " " : "",
                          option->argument ? option->argument : "");
    fprintf(out, "%-*s%s%s", HELP_COLUMN, left, length >= HELP_COLUMN ? "\n" : "",
            length >= HELP_COLUMN ? "                              " : "");
    fputs(option->help, out);
    if (option->initial)
        fprintf(out, " [%s]", option->initial);
    fputc('\n', out);
}

void options_help(const struct command *command, FILE *out)
{
    fprintf(out, "usage: tracesnap %s [options]%s%s\n\n%s.\n", command->name,
            *command->usage ? " " : "", command->usage, command->summary);
    if (command->text)
        fprintf(out, "\n%s", command->text);
    for (const struct option_group *group = command->groups; group->options; group++) {
        fprintf(out, "\n%s:\n", group->title);
        for (size_t i = 0; i < group->count; i++)
            print_option(&group->options[i], out);
    }
}

void options_dump(const struct command *command, FILE *out)
{
    fprintf(out, "command\t%s\t%s\t%s\n", command->name, command->usage, command->summary);
    for (const struct option_group *group = command->groups; group->options; group++) {
        for (size_t i = 0; i < group->count; i++) {
            const struct option_spec *option = &group->options[i];
            char letter[3] = {option->letter ? '-' : '\0', option->letter, '\0'};
            fprintf(out, "option\t%s\t--%s\t%s\t%s\t%s\t", command->name, option->name, letter,
                    option->argument ? option->argument : "",
                    option->initial ? option->initial : "");
            for (size_t c = 0; option->choices && option->choices[c]; c++)
                fprintf(out, "%s%s", c ? "," : "", option->choices[c]);
            fputc('\n', out);
        }
    }
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's distance, by rows. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[WORD_MAX + 1];
    size_t width = strlen(b);
    for (unsigned j = 0; j <= width; j++)
        row[j] = j;
    for (unsigned i = 0; a[i]; i++) {
        unsigned corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            unsigned above = row[j + 1];
            row[j + 1] = min3(above + 1, row[j] + 1, corner + (a[i] != b[j]));
            corner = above;
        }
    }
    return row[width];
}

const char *suggest(const char *word, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t length = strlen(word);
    unsigned least = length < 5 ? 2 : 3; /* one more than what still counts as a slip */
    if (length == 0 || length > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t known = strlen(names[i]);
        if (known > WORD_MAX)
            continue;
        unsigned d = known > length && strncmp(names[i], word, length) == 0
                         ? 1
                         : distance(word, names[i]);
        if (d < least) {
            least = d;
            best = names[i];
        }
    }
    return best;
}
