#include "cudnn_descriptor.h"

#include <stdio.h>

cudnnStatus_t cudnn_checked(cudnnStatus_t code, const char *call, const char *file, int line,
                            struct error *error)
{
    cudnn_check(code, call, file, line, error);
    return code;
}

void cudnn_descriptor_destroy(cudnnBackendDescriptor_t *descriptor)
{
    if (*descriptor)
        cudnnBackendDestroyDescriptor(*descriptor);
    *descriptor = NULL;
}

static cudnnStatus_t set_attributes(cudnnBackendDescriptor_t descriptor,
                                    const struct cudnn_attribute *attributes, int count,
                                    struct error *error)
{
    for (int i = 0; i < count; i++) {
        const struct cudnn_attribute *a = &attributes[i];
        char call[128];
        snprintf(call, sizeof call, "cudnnBackendSetAttribute(%s)", a->text);
        LEAVE_UNLESS_OK(cudnn_checked(
            cudnnBackendSetAttribute(descriptor, a->name, a->type, a->count, a->values), call,
            __FILE__, __LINE__, error));
    }
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnn_descriptor_create(cudnnBackendDescriptor_t *out,
                                      cudnnBackendDescriptorType_t type, const char *finalize,
                                      const struct cudnn_attribute *attributes, int count,
                                      struct error *error)
{
    *out = NULL;
    LEAVE_UNLESS_OK(CHECKED(error, cudnnBackendCreateDescriptor(type, out)));
    cudnnStatus_t code = set_attributes(*out, attributes, count, error);
    if (code == CUDNN_STATUS_SUCCESS)
        code = cudnn_checked(cudnnBackendFinalize(*out), finalize, __FILE__, __LINE__, error);
    if (code != CUDNN_STATUS_SUCCESS)
        cudnn_descriptor_destroy(out);
    return code;
}

cudnnStatus_t cudnn_descriptor_read(cudnnBackendDescriptor_t *out,
                                    cudnnBackendDescriptorType_t type,
                                    cudnnBackendDescriptor_t from, cudnnBackendAttributeName_t name,
                                    struct error *error)
{
    int64_t read = 0;
    LEAVE_UNLESS_OK(CHECKED(error, cudnnBackendCreateDescriptor(type, out)));
    const cudnnStatus_t code = CHECKED(
        error, cudnnBackendGetAttribute(from, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &read, out));
    if (code != CUDNN_STATUS_SUCCESS)
        cudnn_descriptor_destroy(out);
    return code;
}
