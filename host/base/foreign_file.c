#include "base/foreign_file.h"

#include <stdbool.h>
#include <string.h>

#define UNPACK        "unpack it first"
#define SAVE_AS_CSV   "save the table as 'CSV UTF-8'"

#define BEGINS(bytes) bytes, 0, sizeof bytes - 1
#define ZIP_OF(name)  name, 30, sizeof name - 1 /* a ZIP archive, by its first member's name */

/* Longer beginnings first where one begins another. */
static const struct signature {
    const char *bytes;
    size_t offset, size;
    struct foreign_file kind;
} signatures[] = {
    {BEGINS("\211HDF\r\n\032\n"), {"an HDF5 file", "'epochcast show' tells what it holds"}},
    {ZIP_OF("xl/"), {"an Excel workbook", SAVE_AS_CSV}},
    {ZIP_OF("[Content_Types].xml"), {"an Excel workbook or other Office file", SAVE_AS_CSV}},
    {ZIP_OF("mimetypeapplication/vnd.oasis"), {"an OpenDocument file", SAVE_AS_CSV}},
    {BEGINS("PK\3\4"), {"a ZIP archive", UNPACK}},
    {BEGINS("PK\5\6"), {"an empty ZIP archive", UNPACK}},
    {BEGINS("\320\317\021\340\241\261\032\341"), {"an old Excel or Office file", SAVE_AS_CSV}},
    {BEGINS("\037\213"), {"a gzip archive", UNPACK ": gunzip"}},
    {BEGINS("BZh"), {"a bzip2 archive", UNPACK ": bunzip2"}},
    {BEGINS("\3757zXZ"), {"an xz archive", UNPACK ": unxz"}},
    {BEGINS("\050\265\057\375"), {"a Zstandard archive", UNPACK ": unzstd"}},
    {BEGINS("PAR1"), {"a Parquet file", "pandas: read_parquet, then to_csv(index=False)"}},
    {BEGINS("ARROW1"), {"an Arrow file", "pandas: read_feather, then to_csv(index=False)"}},
    {BEGINS("\223NUMPY"), {"a NumPy array", "write it as CSV with column names"}},
    {BEGINS("SQLite format 3"), {"an SQLite database", "sqlite3 -csv -header FILE 'select ...'"}},
    {BEGINS("\200\4\225"), {"a Python pickle", "pandas: read_pickle, then to_csv(index=False)"}},
    {BEGINS("\177ELF"), {"a program", "give the CSV file"}},
    {BEGINS("\211PNG"), {"a PNG picture", "give the CSV file"}},
    {BEGINS("%PDF"), {"a PDF document", "give the CSV file"}},
    {BEGINS("\377\376\0\0"), {"text in UTF-32", "save it as UTF-8: iconv -f UTF-32 -t UTF-8"}},
    {BEGINS("\0\0\376\377"), {"text in UTF-32", "save it as UTF-8: iconv -f UTF-32 -t UTF-8"}},
    {BEGINS("\377\376"), {"text in UTF-16", "save it as UTF-8: iconv -f UTF-16 -t UTF-8"}},
    {BEGINS("\376\377"), {"text in UTF-16", "save it as UTF-8: iconv -f UTF-16 -t UTF-8"}},
};

static const struct foreign_file onnx = {"an ONNX model", "'epochcast show' lists its layers"},
                                 json = {"JSON", "'epochcast export -o csv' writes CSV"},
                                 markup = {"XML or HTML", SAVE_AS_CSV},
                                 bare_utf16 = {"text in UTF-16",
                                               "save it as UTF-8: iconv -f UTF-16LE -t UTF-8"};

/* A protocol buffer whose first field is the version of the format, then the producer. */
static bool is_onnx(const char *bytes, size_t size)
{
    return size > 4 && bytes[0] == 8 && bytes[1] > 0 && bytes[1] < 64 && bytes[2] != '\0' &&
           (bytes[2] & 7) == 2;
}

/* UTF-16 without a mark: letters of ASCII, a zero byte after each. */
static bool is_bare_utf16(const char *bytes, size_t size)
{
    return size >= 6 && bytes[0] && bytes[2] && bytes[4] && !bytes[1] && !bytes[3] && !bytes[5];
}

static char first_letter(const char *bytes, size_t size)
{
    size_t at = size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (at < size && bytes[at] && strchr(" \t\r\n", bytes[at]))
        at++;
    return at < size ? bytes[at] : '\0';
}

const struct foreign_file *foreign_file_of(const char *bytes, size_t size)
{
    const bool is_zip = size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0;
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const struct signature *one = &signatures[i];
        if (size >= one->offset + one->size && (one->offset == 0 || is_zip) &&
            memcmp(bytes + one->offset, one->bytes, one->size) == 0)
            return &one->kind;
    }
    if (is_onnx(bytes, size))
        return &onnx;
    if (is_bare_utf16(bytes, size))
        return &bare_utf16;
    const char first = first_letter(bytes, size);
    return first == '{' || first == '[' ? &json : first == '<' ? &markup : NULL;
}
