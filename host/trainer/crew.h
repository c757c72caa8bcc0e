/* A few threads that share out short pieces of work (tens of microseconds) thousands of times a
 * second. Unlike OpenMP's, whose waiting is fixed from outside before the program starts, waiting
 * members spin briefly and then yield the processor: quick on a free machine, harmless on a busy
 * one.
 */
#ifndef EPOCHCAST_TRAINER_CREW_H
#define EPOCHCAST_TRAINER_CREW_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { CREW_LIMIT = 8 };

struct crew_member {
    struct crew *crew;
    int index; /* 0: the caller */
    pthread_t thread;
};

struct crew {
    struct crew_member members[CREW_LIMIT];
    int size; /* the caller included */
    /* set before `call` counts up, which is what the others wait for */
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
void crew_end(struct crew *crew);

/* work(payload, part) for part 0 .. parts - 1; returns when all are done. */
void crew_run(struct crew *crew, void (*work)(void *payload, int part), void *payload, int parts);

#endif
