/* The control groups of this process: containers and batch systems limit it by them. */
#ifndef EPOCHCAST_BASE_MACHINE_CGROUP_H
#define EPOCHCAST_BASE_MACHINE_CGROUP_H

#include <stdbool.h>

/* Calls `visit` with the folder (below `root`) of the process's group of `controller` ("memory")
 * and of every group above it. A container may see its group's path on the host, but only the files
 * of its own group, at the top: not every folder exists. is_unified: cgroup v2. */
typedef void machine_group_visit(void *payload, const char *root, const char *folder,
                                 bool is_unified);
void machine_each_group(const char *root, const char *controller, machine_group_visit *visit,
                        void *payload);

#endif
