/* bash's completion, from the tables of commands and options. */
#include "cli/cli.h"

#include "bench/backend.h"
#include "version.h"

#include <ctype.h>
#include <string.h>

/* ---- values ---- */

static void put_kinds(FILE *file)
{
    for (int i = 0; i < LAYER_KIND_COUNT; i++)
        fprintf(file, "%s%s", i ? " " : "", layer_descriptors[i]->name);
}

static void put_backends(FILE *file)
{
    for (int i = 0; backends[i]; i++)
        fprintf(file, "%s%s", i ? " " : "", backends[i]->name);
}

/* Texts with values known here; other texts without a choice complete as files. */
static const struct {
    const char *option;
    void (*put)(FILE *file);
} known_values[] = {{"layer", put_kinds}, {"device", put_backends}};

static void put_choice(FILE *file, const struct choice *choice)
{
    for (int i = 0; i < choice->count; i++)
        fprintf(file, "%s%s", i ? " " : "", choice->names[i]);
}

static void put_values(FILE *file, const struct option *option)
{
    if (option->choice)
        put_choice(file, option->choice);
    for (size_t i = 0; i < sizeof known_values / sizeof *known_values; i++)
        if (strcmp(option->name, known_values[i].option) == 0)
            known_values[i].put(file);
}

static bool is_file(const struct option *option)
{
    bool is_known = option->choice != NULL;
    for (size_t i = 0; i < sizeof known_values / sizeof *known_values; i++)
        is_known = is_known || strcmp(option->name, known_values[i].option) == 0;
    return !is_known && (option->type == OPTION_TEXT || option->type == OPTION_TEXTS);
}

static void put_option_values(FILE *file, const struct option *option)
{
    if (option->type == OPTION_FLAG)
        return;
    fprintf(file, "    --%s", option->name);
    if (option->short_name)
        fprintf(file, " | -%c", option->short_name);
    if (is_file(option)) {
        fputs(") ;;\n", file);
        return;
    }
    fputs(") files=no words='", file);
    put_values(file, option);
    fputs("' ;;\n", file);
}

/* ---- commands ---- */

static void put_option_names(FILE *file, const struct command *command)
{
    const char *separator = "";
    for (int i = 0; i < cli_option_count; i++) {
        if (!command_takes(command, &cli_options[i]))
            continue;
        if (cli_options[i].short_name != 'h')
            fprintf(file, "%s--%s", separator, cli_options[i].name);
        else
            fprintf(file, "%s-h", separator);
        separator = " ";
    }
}

/* "DATA.h5|NETWORK|layers --model ...": completes network names and the words in small letters; the
 * rest are files. */
static void put_operands(FILE *file, const struct command *command)
{
    static const char separators[] = " |";
    const char *text = command->operands, *space = "";
    while (*(text += strspn(text, separators)) && *text != '-') {
        const size_t length = strcspn(text, separators);
        const bool is_network = length == strlen("NETWORK") &&
                                strncmp(text, "NETWORK", length) == 0;
        if (is_network)
            fprintf(file, "%s$(_epochcast_networks)", space);
        else if (islower((unsigned char)*text))
            fprintf(file, "%s%.*s", space, (int)length, text);
        space = is_network || islower((unsigned char)*text) ? " " : space;
        text += length;
    }
}

static void put_command(FILE *file, const struct command *command)
{
    fprintf(file, "    %s) if [[ $2 == -* ]]; then words='", command->name);
    put_option_names(file, command);
    fputs("'; else words=\"", file);
    put_operands(file, command);
    fputs("\"; fi ;;\n", file);
}

void cli_completion(FILE *file)
{
    fputs("# bash completion of epochcast " EPOCHCAST_VERSION
          ", printed by `epochcast --completion bash`\n\n"
          "_epochcast_networks()\n{\n"
          "    local name rest\n"
          "    while IFS=, read -r name rest; do\n"
          "        [[ $name == network || $name == *[!A-Za-z0-9_.+-]* ]] || echo \"$name\"\n"
          "    done < <(\"${COMP_WORDS[0]}\" show networks -o csv 2>/dev/null)\n"
          "}\n\n"
          "# OPTION: its values into words; false when it takes none\n"
          "_epochcast_values()\n{\n"
          "    case $1 in\n",
          file);
    for (int i = 0; i < cli_option_count; i++)
        put_option_values(file, &cli_options[i]);
    fputs("    *) return 1 ;;\n    esac\n}\n\n"
          "# COMMAND WORD: puts the completions of WORD into words\n"
          "_epochcast_command()\n{\n"
          "    case $1 in\n",
          file);
    for (int i = 0; commands[i]; i++)
        put_command(file, commands[i]);
    fputs("    esac\n}\n\n"
          "_epochcast()\n{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    local words='' files=yes before=''\n"
          "    if [[ $word == = ]]; then # --option=, in words of its own\n"
          "        word=''\n"
          "    elif [[ $option == = ]]; then\n"
          "        option=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    fi\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        files=no words='",
          file);
    for (int i = 0; commands[i]; i++)
        fprintf(file, "%s ", commands[i]->name);
    fputs("--help --version --man --completion'\n"
          "    elif [[ ${COMP_WORDS[1]} == --completion ]]; then\n"
          "        files=no words=bash\n"
          "    elif _epochcast_values \"$option\"; then\n"
          "        if [[ $word == *,* ]]; then # the last item of a list\n"
          "            before=${word%,*},\n"
          "            word=${word##*,}\n"
          "        fi\n"
          "    else\n"
          "        _epochcast_command \"${COMP_WORDS[1]}\" \"$word\"\n"
          "    fi\n"
          "    mapfile -t COMPREPLY < <(compgen -P \"$before\" -W \"$words\" -- \"$word\")\n"
          "    if [[ $files == no ]]; then\n"
          "        compopt +o default +o bashdefault 2>/dev/null\n"
          "    fi\n"
          "    return 0\n"
          "}\n"
          "complete -o bashdefault -o default -F _epochcast epochcast\n",
          file);
}
