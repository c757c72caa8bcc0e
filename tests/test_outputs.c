/* No work is lost: every command against outputs that are inputs, files of other kinds, or places
 * that cannot be written. The program itself runs, in a folder with one file of each kind. */
#include "base/file_kind.h"
#include "cli/cli.h"
#include "dataset_files.h"
#include "test.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

static char folder[] = "/tmp/epochcast-outputs-XXXXXX";

static void run_or_fail(const char *command)
{
    if (system(command) != 0)
        fail_msg("%s", command);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(bind(descriptor, (const struct sockaddr *)&address, sizeof address), 0);
    close(descriptor);
}

/* One file of each kind; "x" links. */
static int make_files(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    run_or_fail("cp '" SOURCE_DIR "/tests/files/0.1.0/sweep.h5' d.h5");
    run_or_fail("cp '" SOURCE_DIR "/tests/files/0.1.0/unfinished.h5' growing.h5");
    run_or_fail("cp '" SOURCE_DIR "/tests/files/0.1.0/paper.h5' m.h5");
    run_or_fail("cp '" SOURCE_DIR "/datasets/networks/lenet5.csv' n.csv");
    write_text("c.csv", "layer,batch_size\ndense,1\n");
    write_text("t.map", "layer = dense\n");
    write_text("v.json", " {\"rows\": []}\n");
    write_text("p.html", "\xEF\xBB\xBF<!doctype HTML>\n<html></html>\n");
    write_text("s.svg", "<?xml version=\"1.0\"?>\n<svg></svg>\n");
    write_text("s.png", "\x89PNG\r\n\x1a\n");
    write_text("notes", "milk\n");
    write_text("empty", "");
    run_or_fail("printf '\\211HDF\\r\\n\\032\\nkeras' >other.h5; printf '\\0\\1\\2,' >blob");
    run_or_fail("mkdir folder; mkfifo pipe");
    make_socket("socket");
    return 0;
}

static int remove_files(void **state)
{
    char command[80];
    (void)state;
    snprintf(command, sizeof command, "cd / && rm -rf '%s'", folder);
    return system(command);
}

static void read_output(char *text, size_t size, const char *command)
{
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    text[fread(text, 1, size - 1, pipe)] = '\0';
    pclose(pipe);
}

/* Contents of every file, for a comparison. */
static void snapshot(char *text, size_t size)
{
    read_output(text, size, "cksum $(find . -maxdepth 1 -type f | sort); ls");
}

struct ending {
    int code;
    char said[2000]; /* on stderr */
};

/* Runs the program; it must leave every file as it is. */
static struct ending run_harmless(const char *arguments)
{
    struct ending ending;
    char command[1200], before[4000], after[4000];
    snapshot(before, sizeof before);
    snprintf(command, sizeof command, "timeout 60 '%s' %s 2>&1 >/dev/null; echo \" code $?\"",
             PROGRAM, arguments);
    read_output(ending.said, sizeof ending.said, command);
    snapshot(after, sizeof after);
    const char *code = strstr(ending.said, " code ");
    assert_non_null(code);
    ending.code = (int)strtol(code + 6, NULL, 10);
    if (strcmp(before, after) != 0)
        fail_msg("%s: files changed (%s)\n%s%s", arguments, ending.said, before, after);
    return ending;
}

static void assert_refused(const char *arguments, int code, const char *text)
{
    const struct ending ending = run_harmless(arguments);
    if (ending.code != code || !strstr(ending.said, text))
        fail_msg("%s: '%s' is not in '%s'", arguments, text, ending.said);
}

/* --overwrite would not help: nobody may advise it. */
static void assert_refused_for_good(const char *arguments, int code, const char *text)
{
    const struct ending ending = run_harmless(arguments);
    if (ending.code != code || !strstr(ending.said, text) || strstr(ending.said, "--overwrite"))
        fail_msg("%s: '%s' is not in '%s'", arguments, text, ending.said);
}

/* ---- what a file is ---- */

static void kinds_are_told_by_content(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        enum file_kind kind;
    } cases[] = {{"d.h5", FILE_DATASET},     {"growing.h5", FILE_DATASET},
                 {"m.h5", FILE_MODEL},       {"other.h5", FILE_HDF5},
                 {"p.html", FILE_PAGE},      {"s.svg", FILE_PICTURE},
                 {"s.png", FILE_PICTURE},    {"v.json", FILE_JSON},
                 {"c.csv", FILE_TABLE},      {"n.csv", FILE_TABLE},
                 {"notes", FILE_TEXT},       {"empty", FILE_EMPTY},
                 {"blob", FILE_BINARY},      {"folder", FILE_FOLDER},
                 {"pipe", FILE_PIPE},        {"socket", FILE_SOCKET},
                 {"/dev/null", FILE_DEVICE}, {"none", FILE_ABSENT},
                 {"none/at", FILE_ABSENT},   {"/proc/self/mem", FILE_UNREADABLE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (file_kind_of(cases[i].path) != cases[i].kind)
            fail_msg("%s is %s", cases[i].path, file_kind_text(file_kind_of(cases[i].path)));
}

/* An option that names a file says so in the table, or nothing would check it. */
static void options_of_files_are_known(void **state)
{
    (void)state;
    for (int i = 0; i < cli_option_count; i++) {
        const struct option *option = &cli_options[i];
        const bool names_file = option->argument && (strstr(option->argument, "FILE") ||
                                                     strstr(option->argument, ".h5"));
        if (names_file != (option->file != OPTION_NO_FILE && option->file != OPTION_READS_LIST))
            fail_msg("--%s", option->name);
    }
    for (int i = 0; commands[i]; i++)
        for (int j = 0; j < cli_option_count; j++)
            if (cli_options[j].file == OPTION_WRITES && command_takes(commands[i], &cli_options[j]))
                assert_true(commands[i]->writes != FILE_ABSENT);
}

/* ---- outputs that are inputs ---- */

/* Every way to name an input: an operand or an option. %s: the output. */
static const struct {
    const char *line, *input;
} inputs[] = {
    {"train d.h5 --overwrite -O %s", "d.h5"},
    {"train d.h5 growing.h5 --overwrite -O %s", "growing.h5"},
    {"train d.h5 --model m.h5 --fine-tune fake --overwrite -O %s", "m.h5"},
    {"report d.h5 --overwrite -O %s", "d.h5"},
    {"report m.h5 v.json --overwrite -O %s", "v.json"},
    {"report m.h5 n.csv --overwrite -O %s", "n.csv"},
    {"import c.csv --overwrite -O %s", "c.csv"},
    {"import --map t.map c.csv --overwrite -O %s", "t.map"},
    {"merge d.h5 growing.h5 --overwrite -O %s", "growing.h5"},
    {"sweep --device fake -n 3 --active m.h5 --overwrite -O %s", "m.h5"},
    {"sweep --device fake -n 3 --from-networks vgg11,n.csv --overwrite -O %s", "n.csv"},
    {"predict n.csv --model m.h5 --plot %s", "n.csv"},
    {"predict n.csv --model m.h5 --plot %s", "m.h5"},
    {"predict n.csv --model m.h5 --device-from d.h5 --device fake --plot %s", "d.h5"},
    {"verify n.csv d.h5 --model m.h5 --plot %s", "d.h5"},
    {"evaluate m.h5 d.h5 --plot %s", "m.h5"},
    {"evaluate d.h5 --hold-out-device all --plot %s", "d.h5"},
    {"show d.h5 --plot %s", "d.h5"},
};

static void inputs_are_no_outputs(void **state)
{
    (void)state;
    static const char *const ways[] = {"", "ln -s %s x.svg", "ln %s x.svg"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
            char line[300], link[100], output[100];
            snprintf(output, sizeof output, "%s%s", *ways[way] ? "" : "folder/../",
                     *ways[way] ? "x.svg" : inputs[i].input);
            snprintf(link, sizeof link, way == 1 ? "ln -s %s x.svg" : "ln %s x.svg",
                     inputs[i].input);
            if (*ways[way])
                run_or_fail(link);
            snprintf(line, sizeof line, inputs[i].line, output);
            assert_refused_for_good(line, STATUS_USAGE, "is both an input and the output");
            unlink("x.svg");
        }
}

/* `>>` would damage the dataset that is read. */
static void appending_to_an_input(void **state)
{
    (void)state;
    char said[500];
    read_output(said, sizeof said,
                "'" PROGRAM "' export d.h5 -l dense -o csv 2>&1 >>d.h5; '" PROGRAM "' show d.h5 "
                ">/dev/null && echo intact");
    assert_non_null(strstr(said, "'d.h5' is both an input and the output"));
    assert_non_null(strstr(said, "intact"));
}

/* ---- files of another kind ---- */

/* Every command with a file as output. Inputs that do not exist show that outputs come first. */
static const struct {
    const char *line;
    enum file_kind kind;
} outputs[] = {
    {"sweep --device fake -l dense -n 3 -q %s -O", FILE_DATASET},
    {"import none.csv %s -O", FILE_DATASET},
    {"merge none.h5 %s -O", FILE_DATASET},
    {"train none.h5 %s -O", FILE_MODEL},
    {"report none.h5 %s -O", FILE_PAGE},
    {"predict none.onnx --model none.h5 --plot", FILE_PICTURE},
    {"verify none.onnx --model none.h5 --plot", FILE_PICTURE},
    {"evaluate none.h5 none.h5 --plot", FILE_PICTURE},
    {"show none.h5 --plot", FILE_PICTURE},
};
enum { OUTPUT_COUNT = sizeof outputs / sizeof *outputs };

static bool is_picture(size_t output)
{
    return outputs[output].kind == FILE_PICTURE;
}

static void make_line(char line[300], size_t output, bool overwrite, const char *path)
{
    char command[200];
    snprintf(command, sizeof command, outputs[output].line, overwrite ? "--overwrite" : "");
    snprintf(line, 300, "%s %s", command, path);
}

/* The path of the file, as a picture must be called. */
static const char *as_output(size_t output, const char *file)
{
    if (!is_picture(output))
        return file;
    unlink("x.svg");
    assert_int_equal(symlink(file, "x.svg"), 0);
    return "x.svg";
}

static void other_kinds_are_not_replaced(void **state)
{
    (void)state;
    static const char *const files[] = {"d.h5",   "m.h5",  "other.h5", "p.html", "s.svg",
                                        "v.json", "c.csv", "notes",    "blob",   "growing.h5"};
    for (size_t i = 0; i < OUTPUT_COUNT; i++)
        for (size_t j = 0; j < sizeof files / sizeof *files; j++)
            for (int overwrite = 0; overwrite <= !is_picture(i); overwrite++) {
                char line[300], text[100];
                const enum file_kind found = file_kind_of(files[j]);
                if (found == outputs[i].kind)
                    continue;
                make_line(line, i, overwrite, as_output(i, files[j]));
                snprintf(text, sizeof text, "' is %s; ", file_kind_text(found));
                assert_refused_for_good(line, STATUS_USAGE, text);
                unlink("x.svg");
            }
}

/* Its own kind, and an empty file, are replaced when asked: then the missing input is the error. */
static void own_kind_needs_overwrite(void **state)
{
    (void)state;
    static const char *const own[FILE_KIND_COUNT] = {
        [FILE_DATASET] = "d.h5", [FILE_MODEL] = "m.h5", [FILE_PAGE] = "p.html"};
    for (size_t i = 1; i < OUTPUT_COUNT; i++) { /* a sweep goes on with its own kind */
        if (is_picture(i))
            continue;
        const char *const files[] = {own[outputs[i].kind], "empty"};
        for (int j = 0; j < 2; j++) {
            char line[300];
            make_line(line, i, false, files[j]);
            assert_refused(line, STATUS_USAGE, "hint: choose another name, or add --overwrite");
            make_line(line, i, true, files[j]);
            assert_refused(line, STATUS_BAD_FILE, "none.");
        }
    }
}

/* ---- places that cannot be written ---- */

static void places_are_checked_before_the_work(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text;
    } places[] = {
        {"no/such/x.svg", "cannot create 'no/such/x.svg': No such file or directory"},
        {"/proc/x.svg", "cannot create '/proc/x.svg'"},
        {"notes/x.svg", "cannot create 'notes/x.svg': Not a directory"},
        {"folder", "it is a folder"},
        {"pipe", "it is a pipe"},
        {"socket", "it is a socket"},
        {"/dev/full", "it is a device"},
    };
    for (size_t i = 0; i < OUTPUT_COUNT; i++)
        for (size_t j = 0; j < sizeof places / sizeof *places; j++)
            for (int overwrite = 0; overwrite <= !is_picture(i); overwrite++) {
                char line[300];
                make_line(line, i, overwrite,
                          j < 3 ? places[j].path : as_output(i, places[j].path));
                assert_refused_for_good(line, STATUS_FAILED, places[j].text);
                unlink("x.svg");
            }
}

/* ---- a full disk ---- */

/* What works as long as there is room. */
static const struct {
    const char *line, *output;
} full_disk[] = {
    {"sweep --device fake -l dense -n 20 -q --overwrite -O", "d.h5"},
    {"import dense.csv --overwrite -O", "d.h5"},
    {"merge ../d.h5 ../growing.h5 --overwrite -O", "d.h5"},
    {"train ../d.h5 --epochs 1 -q --overwrite -O", "m.h5"},
    {"report ../m.h5 ../d.h5 --overwrite -O", "p.html"},
    {"predict lenet5 --model ../all.h5 --plot", "s.svg"},
    {"predict lenet5 --model ../all.h5 --plot", "s.png"},
    {"verify lenet5 --model ../all.h5 --device fake --plot", "s.svg"},
    {"evaluate ../m.h5 ../d.h5 --split all --plot", "s.svg"},
    {"evaluate ../m.h5 ../d.h5 --split all --plot", "s.png"},
    {"show ../d.h5 --plot", "s.svg"},
    {"show ../d.h5 --plot", "s.png"},
};

static int fill_up(void)
{
    return system("cp d.h5 m.h5 p.html s.svg s.png small; cd small; '" PROGRAM "' export ../d.h5 "
                  "-l dense -o csv >dense.csv; cat /dev/zero >filler 2>/dev/null; test -s filler");
}

/* A small file system of its own: this process's alone, gone with it. */
static void full_disk_keeps_what_was(void **state)
{
    (void)state;
    char before[4000], after[4000];
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mkdir("small", 0777) != 0 || mount("none", "small", "tmpfs", 0, "size=400k") != 0) {
        print_message("a small file system needs root: %s\n", strerror(errno));
        skip();
    }
    run_or_fail("cp '" SOURCE_DIR "/tests/files/0.1.0/model.h5' all.h5");
    assert_int_equal(fill_up(), 0);
    assert_int_equal(chdir("small"), 0);
    for (size_t i = 0; i < sizeof full_disk / sizeof *full_disk; i++) {
        char line[300];
        snprintf(line, sizeof line, "%s %s", full_disk[i].line, full_disk[i].output);
        snapshot(before, sizeof before);
        assert_refused(line, STATUS_FAILED, full_disk[i].output);
        snapshot(after, sizeof after);
        assert_string_equal(before, after);
    }
    run_or_fail("rm filler");
    assert_int_equal(chdir(".."), 0);
    umount("small");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_told_by_content),
        cmocka_unit_test(options_of_files_are_known),
        cmocka_unit_test(inputs_are_no_outputs),
        cmocka_unit_test(appending_to_an_input),
        cmocka_unit_test(other_kinds_are_not_replaced),
        cmocka_unit_test(own_kind_needs_overwrite),
        cmocka_unit_test(places_are_checked_before_the_work),
        cmocka_unit_test(full_disk_keeps_what_was),
    };
    return RUN_TESTS(argc, argv, tests, make_files, remove_files);
}
