/* Descriptors of cuDNN's backend interface, written and read as tables of attributes. Internal to
 * the convolution files. Functions return cuDNN's code, so that callers can tell "not supported"
 * from failure; the error is filled where it is not success.
 */
#ifndef EPOCHCAST_CUDA_CUDNN_DESCRIPTOR_H
#define EPOCHCAST_CUDA_CUDNN_DESCRIPTOR_H

#include "cudnn_check.h"

#include <stdint.h>

#if CUDNN_VERSION < 90800 /* device properties are younger; such a library rejects these values */
#define CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR       ((cudnnBackendDescriptorType_t)38)
#define CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION ((cudnnBackendAttributeName_t)2702)
#define CUDNN_ATTR_ENGINEHEUR_DEVICEPROP          ((cudnnBackendAttributeName_t)204)
#define CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP      ((cudnnBackendAttributeName_t)407)
#endif

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* cudnn_check, but gives the code back. */
cudnnStatus_t cudnn_checked(cudnnStatus_t code, const char *call, const char *file, int line,
                            struct error *error);
#define CHECKED(error, call) cudnn_checked((call), #call, __FILE__, __LINE__, (error))

#define LEAVE_UNLESS_OK(call)                                                                      \
    do {                                                                                           \
        const cudnnStatus_t code_ = (call);                                                        \
        if (code_ != CUDNN_STATUS_SUCCESS)                                                         \
            return code_;                                                                          \
    } while (0)

struct cudnn_attribute {
    cudnnBackendAttributeName_t name;
    cudnnBackendAttributeType_t type;
    int64_t count;
    const void *values;
    const char *text; /* of the name */
};
#define ATTRIBUTE(name, type, count, values)                                                       \
    {                                                                                              \
        name, type, count, values, #name                                                           \
    }
#define INT64(name, values, count) ATTRIBUTE(name, CUDNN_TYPE_INT64, count, values)
#define DESCRIPTOR(name, value)    ATTRIBUTE(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, value)

/* Creates and finalises; `finalize` is the call's name, for errors. *out is NULL where it did not
 * succeed. */
cudnnStatus_t cudnn_descriptor_create(cudnnBackendDescriptor_t *out,
                                      cudnnBackendDescriptorType_t type, const char *finalize,
                                      const struct cudnn_attribute *attributes, int count,
                                      struct error *error);
#define FINALIZE(type) "cudnnBackendFinalize(" #type ")"
#define CREATE(out, type, attributes, count, error)                                                \
    cudnn_descriptor_create(out, type, FINALIZE(type), attributes, count, error)

/* Reads a descriptor out of another into a new one. */
cudnnStatus_t cudnn_descriptor_read(cudnnBackendDescriptor_t *out,
                                    cudnnBackendDescriptorType_t type,
                                    cudnnBackendDescriptor_t from, cudnnBackendAttributeName_t name,
                                    struct error *error);
void cudnn_descriptor_destroy(cudnnBackendDescriptor_t *descriptor); /* and makes it NULL */

#endif
