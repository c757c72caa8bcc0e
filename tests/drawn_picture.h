/* What tests of pictures share. */
#ifndef EPOCHCAST_TESTS_DRAWN_PICTURE_H
#define EPOCHCAST_TESTS_DRAWN_PICTURE_H

#include "dataset_files.h"
#include "pictures/gnuplot.h"
#include "pictures/picture.h"
#include "test.h"

static struct error error;

static inline void need_gnuplot(void)
{
    if (gnuplot_check(&error) != STATUS_OK) {
        print_message("%s\n", error.message);
        skip();
    }
}

static inline char *rendered(struct picture *picture)
{
    char *text;
    size_t size;
    SUCCEEDS(picture_render(&text, &size, picture, &error));
    picture_free(picture);
    assert_true(size > 500);
    return text;
}

static inline int occurrences(const char *text, const char *wanted)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, wanted)); at += strlen(wanted))
        count++;
    return count;
}

/* What gnuplot would read so far. */
static inline const char *script_of(struct picture *picture)
{
    assert_int_equal(fflush(picture->script), 0);
    return picture->text;
}

static inline void assert_has(const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("no '%s' in:\n%.20000s", wanted, text);
}

#endif
