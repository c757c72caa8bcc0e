#include "trainer/crew.h"

#include <omp.h>
#include <sched.h>

enum { SPINS = 2000 }; /* some microseconds, then yield to other processes */

static void rest(int *spins)
{
    if (++*spins < SPINS)
        return;
    sched_yield();
}

static void work_own_parts(const struct crew *crew, int index)
{
    for (int part = index; part < crew->parts; part += crew->size)
        crew->work(crew->payload, part);
}

static void *serve(void *payload)
{
    struct crew_member *member = payload;
    struct crew *crew = member->crew;
    omp_set_num_threads(1); /* of this thread; sgemm uses this number */
    for (;; member->served++) {
        const unsigned served = member->served;
        for (int spins = 0; atomic_load_explicit(&crew->call, memory_order_acquire) == served;)
            rest(&spins);
        if (crew->ended)
            return NULL;
        work_own_parts(crew, member->index);
        atomic_fetch_sub_explicit(&crew->busy, 1, memory_order_release);
    }
}

static void call_members(struct crew *crew)
{
    atomic_store_explicit(&crew->busy, crew->size - 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&crew->call, 1, memory_order_release);
}

void crew_begin(struct crew *crew, int threads)
{
    *crew = (struct crew){.size = 1};
    while (crew->size < threads && crew_grow(crew))
        ;
}

bool crew_grow(struct crew *crew)
{
    if (crew->size == CREW_LIMIT)
        return false;
    struct crew_member *member = &crew->members[crew->size];
    *member = (struct crew_member){
        .crew = crew,
        .index = crew->size,
        .served = atomic_load_explicit(&crew->call, memory_order_relaxed)};
    if (pthread_create(&member->thread, NULL, serve, member) != 0)
        return false;
    crew->size++; /* read by members after the next call only */
    return true;
}

void crew_end(struct crew *crew)
{
    crew->ended = true;
    call_members(crew);
    for (int i = 1; i < crew->size; i++)
        pthread_join(crew->members[i].thread, NULL);
    crew->size = 1;
}

void crew_run(struct crew *crew, void (*work)(void *payload, int part), void *payload, int parts)
{
    crew->work = work;
    crew->payload = payload;
    crew->parts = parts;
    call_members(crew);
    work_own_parts(crew, 0);
    for (int spins = 0; atomic_load_explicit(&crew->busy, memory_order_acquire) > 0;)
        rest(&spins);
}
