#include "bench/operand_sets.h"

static const int64_t unknown_cache_bytes = INT64_C(32) << 20;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int operand_set_count(int64_t operand_bytes, const struct operand_room *room)
{
    const int64_t cache_bytes = room->cache_bytes > 0 ? room->cache_bytes : unknown_cache_bytes;
    if (operand_bytes <= 0 || cache_bytes > INT64_MAX / OPERAND_CACHE_FILLS)
        return 1;
    const int64_t filled_bytes = OPERAND_CACHE_FILLS * cache_bytes;
    const int64_t wanted = filled_bytes / operand_bytes + (filled_bytes % operand_bytes > 0);
    const int64_t more = room->free_bytes / OPERAND_ROOM_SHARE / operand_bytes;
    const int64_t count = least(least(wanted, OPERAND_SET_LIMIT), 1 + (more > 0 ? more : 0));
    return (int)count;
}

/* Phases lag behind each other by a third of the sets, once so many calls were made. */
int operand_set_of(int64_t call, int phase, int set_count)
{
    const int64_t lag = set_count / OPERAND_PHASE_COUNT;
    const int64_t behind = lag > 0 ? least(phase, call / lag) : 0;
    return (int)((call - behind * lag) % set_count);
}
