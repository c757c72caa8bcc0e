/* Names of tensors, each within a scope: the graph's own, and one for every run of a subgraph or
 * function (onnx_expand.h). Private to the onnx_*.c files.
 */
#ifndef EPOCHCAST_NETWORK_ONNX_NAMES_H
#define EPOCHCAST_NETWORK_ONNX_NAMES_H

#include "network/onnx_graph.h"

/* LEFT_OUT: an optional input that the caller leaves out. */
enum { ONNX_LEFT_OUT = -1, ONNX_UNDEFINED = -2, ONNX_NO_SCOPE = -1, ONNX_TOP_SCOPE = 0 };

/* Room for names and scopes. */
enum status onnx_names_create(struct onnx_names *names, size_t name_capacity, size_t scope_capacity,
                              struct error *error);
void onnx_names_free(struct onnx_names *names);

/* A scope in which what `parent` and `statics` (either may be ONNX_NO_SCOPE) have is seen, too;
 * ONNX_NO_SCOPE: no room is left. */
int onnx_scope_add(struct onnx_names *names, int parent, int statics);
/* The value of that name in the scope or those around it; ONNX_UNDEFINED: none. */
int onnx_name_find(const struct onnx_names *names, int scope, struct slice name);
/* The same in the scope alone. */
int onnx_name_find_own(const struct onnx_names *names, int scope, struct slice name);
/* False: the scope has that name already, or no room is left. */
bool onnx_name_add(struct onnx_names *names, int scope, struct slice name, int value);

/* A new tensor without a name; NULL: no room is left. */
struct onnx_value *onnx_value_add(struct onnx_graph *graph, struct slice name);
/* The same with one; NULL also: the scope has that name already. */
struct onnx_value *onnx_named_value_add(struct onnx_graph *graph, int scope, struct slice name);

#endif
