/* A few threads that divide short pieces of work (tens of microseconds) thousands of times per
 * second. OpenMP's way of waiting is fixed before the program starts; waiting members here spin
 * briefly and then yield the processor: fast on a free machine, harmless on a busy one. */
#ifndef EPOCHCAST_TRAINER_CREW_H
#define EPOCHCAST_TRAINER_CREW_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { CREW_LIMIT = 8 };

struct crew_member {
    struct crew *crew;
    int index;       /* 0: the caller */
    unsigned served; /* calls before it came, then done */
    pthread_t thread;
};

struct crew {
    struct crew_member members[CREW_LIMIT];
    int size; /* the caller included */
    /* set before `call` is incremented; the others wait for that */
    void (*work)(void *payload, int part);
    void *payload;
    int parts;
    bool ended;
    atomic_uint call;
    atomic_int busy; /* members still at work, without the caller */
};

/* At most CREW_LIMIT threads; fewer when the system refuses. `crew` must not move until crew_end.
 * Members run oneDNN with one thread each. */
void crew_begin(struct crew *crew, int threads);
/* One more member, between calls of crew_run; false: there is no room, or the system refuses. */
bool crew_grow(struct crew *crew);
void crew_end(struct crew *crew);

/* work(payload, part) for part 0 .. parts - 1; returns when all are done. */
void crew_run(struct crew *crew, void (*work)(void *payload, int part), void *payload, int parts);

#endif
