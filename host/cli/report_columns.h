/* Meanings of the columns of a page's tables. */
#ifndef EPOCHCAST_CLI_REPORT_COLUMNS_H
#define EPOCHCAST_CLI_REPORT_COLUMNS_H

/* By the name of the table's column; NULL: the name says it all. */
const char *column_meaning(const char *name);

#endif
