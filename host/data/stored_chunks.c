#include "data/stored_chunks.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Bytes of a row in the file, and where they belong in a record: columns that are neighbours in
 * both are one run. */
struct run {
    size_t from, to, size;
};

/* One chunk on its way. */
struct piece {
    const struct stored_chunks *chunks;
    unsigned char *packed, *shuffled; /* (packed_limit), (chunk_bytes) */
    size_t packed_size, rows;
    unsigned char *records; /* of the caller */
    bool is_good;
};

struct stored_chunks {
    hid_t dataset; /* borrowed */
    size_t chunk_rows, row_size, record_size, chunk_bytes, packed_limit;
    struct run runs[SCHEMA_FIELD_LIMIT];
    int run_count;
    int piece_count;
    struct piece pieces[STORED_CHUNKS_AT_ONCE];
};

/* ---- one chunk ---- */

static bool inflate_piece(const struct piece *piece)
{
    uLongf size = piece->chunks->chunk_bytes;
    return uncompress(piece->shuffled, &size, piece->packed, piece->packed_size) == Z_OK &&
           size == piece->chunks->chunk_bytes;
}

enum { TILE_ROWS = 64, ROW_SIZE_LIMIT = 1024 };

/* Shuffled, the first bytes of all rows come first, then the second ones. Rows of a tile fit the
 * first-level cache. */
static void unshuffle_tile(unsigned char *tile, const struct piece *piece, size_t first,
                           size_t rows)
{
    const size_t row_size = piece->chunks->row_size;
    for (size_t byte = 0; byte < row_size; byte++) {
        const unsigned char *plane = piece->shuffled + byte * piece->chunks->chunk_rows + first;
        for (size_t row = 0; row < rows; row++)
            tile[row * row_size + byte] = plane[row];
    }
}

static void place_tile(const unsigned char *tile, const struct piece *piece, size_t first,
                       size_t rows)
{
    const struct stored_chunks *chunks = piece->chunks;
    for (size_t row = 0; row < rows; row++) {
        const unsigned char *from = tile + row * chunks->row_size;
        unsigned char *to = piece->records + (first + row) * chunks->record_size;
        for (int i = 0; i < chunks->run_count; i++)
            memcpy(to + chunks->runs[i].to, from + chunks->runs[i].from, chunks->runs[i].size);
    }
}

static void *unpack_piece(void *payload)
{
    unsigned char tile[TILE_ROWS * ROW_SIZE_LIMIT];
    struct piece *piece = payload;
    piece->is_good = inflate_piece(piece);
    for (size_t first = 0; piece->is_good && first < piece->rows; first += TILE_ROWS) {
        const size_t left = piece->rows - first, rows = left < TILE_ROWS ? left : TILE_ROWS;
        unshuffle_tile(tile, piece, first, rows);
        place_tile(tile, piece, first, rows);
    }
    return NULL;
}

/* ---- several chunks ---- */

/* Buffers are made at the first use: a reader opens the tables of all kinds at once. */
static bool has_buffers(struct stored_chunks *chunks, struct piece *piece)
{
    piece->chunks = chunks;
    if (!piece->packed)
        piece->packed = malloc(chunks->packed_limit);
    if (!piece->shuffled)
        piece->shuffled = malloc(chunks->chunk_bytes);
    return piece->packed && piece->shuffled;
}

/* False: the chunk was never written, is implausibly large, or skipped a filter. */
static bool fetch_piece(struct piece *piece, size_t first)
{
    const struct stored_chunks *chunks = piece->chunks;
    hsize_t offset = first, size = 0;
    uint32_t skipped_filters = 0;
    if (H5Dget_chunk_storage_size(chunks->dataset, &offset, &size) < 0 || size == 0 ||
        size > chunks->packed_limit)
        return false;
    piece->packed_size = size;
    return H5Dread_chunk(chunks->dataset, H5P_DEFAULT, &offset, &skipped_filters, piece->packed) >=
               0 &&
           skipped_filters == 0;
}

/* A thread for every piece but the first; a thread that cannot be had is done without. */
static bool unpack_pieces(struct piece *pieces, int count)
{
    pthread_t threads[STORED_CHUNKS_AT_ONCE];
    bool has_thread[STORED_CHUNKS_AT_ONCE] = {false};
    bool is_good = true;
    for (int i = 1; i < count; i++)
        has_thread[i] = pthread_create(&threads[i], NULL, unpack_piece, &pieces[i]) == 0;
    for (int i = 0; i < count; i++) {
        if (has_thread[i])
            pthread_join(threads[i], NULL);
        else
            unpack_piece(&pieces[i]);
        is_good &= pieces[i].is_good;
    }
    return is_good;
}

/* Reads chunks from row `first` on, one for each piece; *done: rows read. */
static bool read_pieces(struct stored_chunks *chunks, size_t first, size_t count, void *rows,
                        size_t *done)
{
    int used = 0;
    for (*done = 0; used < chunks->piece_count && *done < count; used++) {
        struct piece *piece = &chunks->pieces[used];
        const size_t left = count - *done;
        if (!has_buffers(chunks, piece) || !fetch_piece(piece, first + *done))
            return false;
        piece->records = (unsigned char *)rows + *done * chunks->record_size;
        piece->rows = left < chunks->chunk_rows ? left : chunks->chunk_rows;
        *done += piece->rows;
    }
    return unpack_pieces(chunks->pieces, used);
}

bool stored_chunks_read(struct stored_chunks *chunks, size_t first, size_t count, void *rows)
{
    if (first % chunks->chunk_rows != 0)
        return false;
    for (size_t done = 0, read; done < count; done += read)
        if (!read_pieces(chunks, first + done, count - done,
                         (unsigned char *)rows + done * chunks->record_size, &read))
            return false;
    return true;
}

/* ---- opening ---- */

static bool has_our_filters(hid_t creation)
{
    static const H5Z_filter_t ours[] = {H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE};
    if (H5Pget_nfilters(creation) != 2)
        return false;
    for (unsigned i = 0; i < 2; i++) {
        size_t value_count = 0;
        if (H5Pget_filter2(creation, i, NULL, &value_count, NULL, 0, NULL, NULL) != ours[i])
            return false;
    }
    return true;
}

static const struct field *find_field(const struct schema_columns *columns, const char *name)
{
    for (int i = 0; i < columns->count; i++)
        if (strcmp(columns->fields[i].name, name) == 0)
            return &columns->fields[i];
    return NULL;
}

static void add_run(struct stored_chunks *chunks, struct run run)
{
    struct run *last = &chunks->runs[chunks->run_count - (chunks->run_count > 0)];
    if (chunks->run_count > 0 && last->from + last->size == run.from &&
        last->to + last->size == run.to)
        last->size += run.size;
    else
        chunks->runs[chunks->run_count++] = run;
}

/* Every stored name has the number that it has here; later names may be missing. */
static bool names_agree(hid_t stored, const struct choice *choice)
{
    const int count = H5Tget_nmembers(stored);
    bool agree = count > 0;
    for (int i = 0; i < count && agree; i++) {
        int32_t value = -1;
        char *name = H5Tget_member_name(stored, (unsigned)i);
        agree = H5Tget_member_value(stored, (unsigned)i, &value) >= 0 && name && value >= 0 &&
                value == choice_find(choice, name);
        H5free_memory(name);
    }
    return agree;
}

static bool is_same_column(hid_t stored, const struct field *field)
{
    const hid_t ours = schema_field_type(field);
    const bool is_enum = field->choice && H5Tget_class(stored) == H5T_ENUM;
    const hid_t stored_base = is_enum ? H5Tget_super(stored) : H5Tcopy(stored);
    const hid_t our_base = is_enum ? H5Tget_super(ours) : H5Tcopy(ours);
    const bool is_same = H5Tequal(stored_base, our_base) > 0 &&
                         (!is_enum || names_agree(stored, field->choice));
    H5Tclose(stored_base);
    H5Tclose(our_base);
    H5Tclose(ours);
    return is_same;
}

/* The bytes of a stored column; false: they are not those of the column in memory. */
static bool add_column(struct stored_chunks *chunks, hid_t stored, unsigned index,
                       const struct schema_columns *columns)
{
    char *name = H5Tget_member_name(stored, index);
    const struct field *field = find_field(columns, name ? name : "");
    H5free_memory(name);
    if (!field)
        return false;
    const hid_t member = H5Tget_member_type(stored, index);
    const bool is_same = is_same_column(member, field);
    const size_t size = H5Tget_size(member); /* 0: unreadable */
    add_run(chunks, (struct run){H5Tget_member_offset(stored, index), field->offset, size});
    H5Tclose(member);
    return is_same && size > 0;
}

static bool find_runs(struct stored_chunks *chunks, const struct schema_columns *columns)
{
    const hid_t stored = H5Dget_type(chunks->dataset);
    const int count = H5Tget_nmembers(stored);
    bool is_ours = count == columns->count;
    chunks->row_size = H5Tget_size(stored);
    chunks->record_size = columns->record_size;
    for (int i = 0; i < count && is_ours; i++)
        is_ours = add_column(chunks, stored, (unsigned)i, columns);
    H5Tclose(stored);
    return is_ours && chunks->row_size > 0 && chunks->row_size <= ROW_SIZE_LIMIT;
}

static int usable_cores(void)
{
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
}

/* No more pieces than the table has chunks. */
static int count_pieces(const struct stored_chunks *chunks, size_t rows)
{
    const size_t chunk_count = (rows + chunks->chunk_rows - 1) / chunks->chunk_rows;
    const int cores = usable_cores();
    const int wanted = cores < STORED_CHUNKS_AT_ONCE ? cores : STORED_CHUNKS_AT_ONCE;
    return (size_t)wanted < chunk_count ? wanted : (int)chunk_count;
}

/* True: a table of our form, whose chunks have chunk_rows rows. */
static bool find_form(struct stored_chunks *chunks, const struct schema_columns *columns)
{
    hsize_t chunk = 0;
    const hid_t creation = H5Dget_create_plist(chunks->dataset);
    const bool is_ours = creation >= 0 && H5Pget_chunk(creation, 1, &chunk) == 1 &&
                         has_our_filters(creation) && find_runs(chunks, columns);
    H5Pclose(creation);
    chunks->chunk_rows = chunk;
    chunks->chunk_bytes = chunk * chunks->row_size;
    chunks->packed_limit = compressBound(chunks->chunk_bytes);
    return is_ours;
}

enum status stored_chunks_open(struct stored_chunks **out, hid_t dataset, size_t rows,
                               const struct schema_columns *columns, struct error *error)
{
    struct stored_chunks *chunks;
    *out = NULL;
    if (rows == 0)
        return STATUS_OK;
    TRY(ALLOCATE(&chunks, 1, "chunks", error));
    chunks->dataset = dataset;
    if (find_form(chunks, columns)) {
        chunks->piece_count = count_pieces(chunks, rows);
        *out = chunks;
    } else {
        stored_chunks_close(chunks);
    }
    return STATUS_OK;
}

size_t stored_chunks_at_once(const struct stored_chunks *chunks)
{
    return (size_t)chunks->piece_count;
}

void stored_chunks_close(struct stored_chunks *chunks)
{
    for (int i = 0; chunks && i < STORED_CHUNKS_AT_ONCE; i++) {
        free(chunks->pieces[i].packed);
        free(chunks->pieces[i].shuffled);
    }
    free(chunks);
}
