#include "network/onnx_names.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum status onnx_names_create(struct onnx_names *names, size_t name_capacity, size_t scope_capacity,
                              struct error *error)
{
    *names = (struct onnx_names){.capacity = (int)name_capacity,
                                 .scope_capacity = (int)scope_capacity};
    names->slot_count = 16;
    while (names->slot_count < 2 * name_capacity)
        names->slot_count *= 2;
    TRY(ALLOCATE(&names->list, name_capacity, "tensor names", error));
    TRY(ALLOCATE(&names->scopes, scope_capacity, "scopes", error));
    return ALLOCATE(&names->slots, names->slot_count, "tensor names", error);
}

void onnx_names_free(struct onnx_names *names)
{
    free(names->list);
    free(names->scopes);
    free(names->slots);
}

int onnx_scope_add(struct onnx_names *names, int parent, int statics)
{
    if (names->scope_count == names->scope_capacity)
        return ONNX_NO_SCOPE;
    names->scopes[names->scope_count] = (struct onnx_scope){.parent = parent, .statics = statics};
    return names->scope_count++;
}

/* Slots hold the name's number and 1; 0: free. */
static int *find_slot(const struct onnx_names *names, int scope, struct slice name)
{
    uint64_t slot = hash_mix(hash_bytes(HASH_SEED + (uint64_t)scope, name.bytes, name.size));
    for (;; slot++) {
        int *index = &names->slots[slot & (names->slot_count - 1)];
        const struct onnx_name *entry = &names->list[*index - (*index > 0)];
        if (*index == 0 || (entry->scope == scope && slices_equal(entry->name, name)))
            return index;
    }
}

int onnx_name_find_own(const struct onnx_names *names, int scope, struct slice name)
{
    const int index = *find_slot(names, scope, name);
    return index ? names->list[index - 1].value : ONNX_UNDEFINED;
}

int onnx_name_find(const struct onnx_names *names, int scope, struct slice name)
{
    int value = ONNX_UNDEFINED;
    for (; scope != ONNX_NO_SCOPE && value == ONNX_UNDEFINED; scope = names->scopes[scope].parent) {
        const int statics = names->scopes[scope].statics;
        value = onnx_name_find_own(names, scope, name);
        if (value == ONNX_UNDEFINED && statics != ONNX_NO_SCOPE)
            value = onnx_name_find_own(names, statics, name);
    }
    return value;
}

bool onnx_name_add(struct onnx_names *names, int scope, struct slice name, int value)
{
    int *slot = find_slot(names, scope, name);
    if (*slot || names->count == names->capacity)
        return false;
    names->list[names->count++] = (struct onnx_name){name, scope, value};
    *slot = names->count;
    return true;
}

struct onnx_value *onnx_value_add(struct onnx_graph *graph, struct slice name)
{
    if (graph->value_count == graph->value_capacity)
        return NULL;
    struct onnx_value *value = &graph->values[graph->value_count++];
    *value = (struct onnx_value){.name = name,
                                 .declared = {"", 0},
                                 .rank = -1,
                                 .origin = -1,
                                 .batch_axis = ONNX_UNBATCHED,
                                 .producer = -1,
                                 .consumer = -1,
                                 .sequence_count = -1,
                                 .layer = -1,
                                 .holder = -1,
                                 .counted_layer = -1};
    return value;
}

struct onnx_value *onnx_named_value_add(struct onnx_graph *graph, int scope, struct slice name)
{
    if (graph->value_count == graph->value_capacity ||
        !onnx_name_add(&graph->names, scope, name, graph->value_count))
        return NULL;
    return onnx_value_add(graph, name);
}
