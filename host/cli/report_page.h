/* One self-contained HTML page: styles and pictures are embedded. Light or dark as the reader's
 * system, light in print. Every text is escaped. */
#ifndef EPOCHCAST_CLI_REPORT_PAGE_H
#define EPOCHCAST_CLI_REPORT_PAGE_H

#include "base/table.h"
#include "pictures/picture.h"

struct page {
    FILE *file;
    int picture_count, panel_count;
    bool in_list; /* of labelled texts */
};

void page_begin(struct page *page, FILE *file, const char *title);
void page_end(struct page *page);

/* Begins a chapter, with its kind and subject. */
void page_chapter(struct page *page, const char *kind, const char *name);
void page_note(struct page *page, const char *text);
/* Adds a labelled text; consecutive ones form a list. */
void page_text(struct page *page, const char *label, const char *text);
/* With the meaning of its columns. */
enum status page_table(struct page *page, const struct table *table, struct error *error);
/* A picture of the form PICTURE_INLINE, filled; the caller frees it. Its title, the caption and its
 * note stand above the panels. */
enum status page_picture(struct page *page, struct picture *picture, const char *caption,
                         struct error *error);

#endif
