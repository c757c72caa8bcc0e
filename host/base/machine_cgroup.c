#include "base/machine_cgroup.h"

#include "base/machine_file.h"

#include <stdio.h>
#include <string.h>

enum { FOLDER_LIMIT = MACHINE_TEXT_LIMIT + 256 };

/* `name` is one of "cpu,memory". */
static bool is_among(const char *name, const char *list)
{
    char copy[256], *rest = copy;
    snprintf(copy, sizeof copy, "%s", list);
    for (char *item; (item = strsep(&rest, ","));)
        if (strcmp(item, name) == 0)
            return true;
    return false;
}

static void visit_upwards(const char *root, const char *top, const char *group, bool is_unified,
                          machine_group_visit *visit, void *payload)
{
    char folder[FOLDER_LIMIT];
    const size_t top_length = strlen(top);
    snprintf(folder, sizeof folder, "%s%s", top, strcmp(group, "/") == 0 ? "" : group);
    for (;;) {
        visit(payload, root, folder, is_unified);
        char *slash = strrchr(folder + top_length, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
}

/* Lines of /proc/self/cgroup: "0::/user.slice/job" (v2), "4:cpu,memory:/job" (v1). */
void machine_each_group(const char *root, const char *controller, machine_group_visit *visit,
                        void *payload)
{
    char text[MACHINE_TEXT_LIMIT], top[64], *rest = text;
    machine_file(text, root, "/proc/self/cgroup");
    snprintf(top, sizeof top, "/sys/fs/cgroup/%s", controller);
    for (char *line; (line = strsep(&rest, "\n"));) {
        strsep(&line, ":");
        const char *controllers = line ? strsep(&line, ":") : NULL;
        if (!controllers || !line)
            continue;
        if (!*controllers)
            visit_upwards(root, "/sys/fs/cgroup", line, true, visit, payload);
        else if (is_among(controller, controllers))
            visit_upwards(root, top, line, false, visit, payload);
    }
}
