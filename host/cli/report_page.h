/* One HTML page that needs nothing else: styles and pictures are within. Light and dark after the
 * reader's system, light in print. Every text is escaped.
 */
#ifndef EPOCHCAST_CLI_REPORT_PAGE_H
#define EPOCHCAST_CLI_REPORT_PAGE_H

#include "base/table.h"
#include "pictures/picture.h"

struct page {
    FILE *file;
    int picture_count;
    bool in_list; /* of labelled texts */
};

void page_begin(struct page *page, FILE *file, const char *title);
void page_end(struct page *page);

/* A chapter, with what it is about. */
void page_chapter(struct page *page, const char *kind, const char *name);
void page_note(struct page *page, const char *text);
/* One after the other they make a list. */
void page_text(struct page *page, const char *label, const char *text);
enum status page_table(struct page *page, const struct table *table, struct error *error);
/* A picture of the form PICTURE_INLINE, filled; the caller frees it. */
enum status page_picture(struct page *page, struct picture *picture, const char *caption,
                         struct error *error);

#endif
