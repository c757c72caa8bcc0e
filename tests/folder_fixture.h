/* A fresh folder for each test of a program, and the error that SUCCEEDS and FAILS report. */
#ifndef EPOCHCAST_TESTS_FOLDER_FIXTURE_H
#define EPOCHCAST_TESTS_FOLDER_FIXTURE_H

#include "dataset_files.h"
#include "test.h"

static struct folder folder;
static struct error error;

static inline int make_folder(void **state)
{
    (void)state;
    folder = folder_make();
    return 0;
}

static inline int remove_folder(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

#endif
