/* cuRAND's host generators, opened on demand: they run without a GPU where the toolkit is
 * installed. Own prototypes, so that the tests build without it.
 */
#ifndef EPOCHCAST_TESTS_CURAND_HOST_H
#define EPOCHCAST_TESTS_CURAND_HOST_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

enum { CURAND_PHILOX = 161, CURAND_SCRAMBLED_SOBOL32 = 202 }; /* curandRngType_t of curand.h */

typedef struct curandGenerator_st *curand_generator;

/* Every function returns 0 on success. */
struct curand {
    void *library;
    int (*create_host)(curand_generator *generator, int type);
    int (*destroy)(curand_generator generator);
    int (*set_seed)(curand_generator generator, unsigned long long seed);
    int (*set_offset)(curand_generator generator, unsigned long long offset);
    int (*set_dimensions)(curand_generator generator, unsigned dimensions);
    int (*generate)(curand_generator generator, unsigned *out, size_t count);
};

/* NULL, or why the library cannot be had. It stays open: unloading it is not safe. */
static const char *curand_open(struct curand *curand)
{
    static const char *const names[] = {"libcurand.so.10", "libcurand.so",
                                        "/usr/local/cuda/lib64/libcurand.so.10",
                                        "/usr/local/cuda/lib64/libcurand.so"};
    for (size_t i = 0; i < sizeof names / sizeof *names && !curand->library; i++)
        curand->library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!curand->library)
        return "libcurand is not installed";
    const struct {
        const char *name;
        void *function;
    } functions[] = {{"curandCreateGeneratorHost", &curand->create_host},
                     {"curandDestroyGenerator", &curand->destroy},
                     {"curandSetPseudoRandomGeneratorSeed", &curand->set_seed},
                     {"curandSetGeneratorOffset", &curand->set_offset},
                     {"curandSetQuasiRandomGeneratorDimensions", &curand->set_dimensions},
                     {"curandGenerate", &curand->generate}};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (!(*(void **)functions[i].function = dlsym(curand->library, functions[i].name)))
            return functions[i].name;
    return NULL;
}

#endif
