#include "base/machine.h"

#include <stddef.h>
#include <string.h>

enum { ANY = 0xffff };

/* Models first..last of a family, from that stepping on; the first row that fits. x86: as CPUID
 * counts them (AMD's families 25 and 26 by the ranges that Linux uses); aarch64: the part number is
 * the family. */
struct generation {
    const char *vendor;
    int family, first_model, last_model, first_stepping;
    const char *name;
};

static const char amd[] = "AuthenticAMD", intel[] = "GenuineIntel";

static const struct generation generations[] = {
    {amd, 0x17, 0x08, 0x08, 0, "Zen+"},
    {amd, 0x17, 0x18, 0x18, 0, "Zen+"},
    {amd, 0x17, 0x00, 0x2f, 0, "Zen"},
    {amd, 0x17, 0x50, 0x5f, 0, "Zen"},
    {amd, 0x17, 0x30, 0xaf, 0, "Zen 2"},
    {"HygonGenuine", 0x18, 0, ANY, 0, "Zen"},
    {amd, 0x19, 0x44, 0x44, 0, "Zen 3+"},
    {amd, 0x19, 0x00, 0x0f, 0, "Zen 3"},
    {amd, 0x19, 0x20, 0x5f, 0, "Zen 3"},
    {amd, 0x19, 0x10, 0x1f, 0, "Zen 4"},
    {amd, 0x19, 0x60, 0x7f, 0, "Zen 4"},
    {amd, 0x19, 0xa0, 0xaf, 0, "Zen 4c"},
    {amd, 0x1a, 0x00, 0x2f, 0, "Zen 5"},
    {amd, 0x1a, 0x40, 0x4f, 0, "Zen 5"},
    {amd, 0x1a, 0x60, 0x7f, 0, "Zen 5"},
    {intel, 6, 0x1a, 0x1a, 0, "Nehalem"},
    {intel, 6, 0x1e, 0x1f, 0, "Nehalem"},
    {intel, 6, 0x2e, 0x2e, 0, "Nehalem"},
    {intel, 6, 0x25, 0x25, 0, "Westmere"},
    {intel, 6, 0x2c, 0x2c, 0, "Westmere"},
    {intel, 6, 0x2f, 0x2f, 0, "Westmere"},
    {intel, 6, 0x2a, 0x2a, 0, "Sandy Bridge"},
    {intel, 6, 0x2d, 0x2d, 0, "Sandy Bridge"},
    {intel, 6, 0x3a, 0x3a, 0, "Ivy Bridge"},
    {intel, 6, 0x3e, 0x3e, 0, "Ivy Bridge"},
    {intel, 6, 0x3c, 0x3c, 0, "Haswell"},
    {intel, 6, 0x3f, 0x3f, 0, "Haswell"},
    {intel, 6, 0x45, 0x46, 0, "Haswell"},
    {intel, 6, 0x3d, 0x3d, 0, "Broadwell"},
    {intel, 6, 0x47, 0x47, 0, "Broadwell"},
    {intel, 6, 0x4f, 0x4f, 0, "Broadwell"},
    {intel, 6, 0x56, 0x56, 0, "Broadwell"},
    {intel, 6, 0x4e, 0x4e, 0, "Skylake"},
    {intel, 6, 0x5e, 0x5e, 0, "Skylake"},
    {intel, 6, 0x55, 0x55, 10, "Cooper Lake"},
    {intel, 6, 0x55, 0x55, 5, "Cascade Lake"},
    {intel, 6, 0x55, 0x55, 0, "Skylake-SP"},
    {intel, 6, 0x57, 0x57, 0, "Knights Landing"},
    {intel, 6, 0x85, 0x85, 0, "Knights Mill"},
    {intel, 6, 0x8e, 0x8e, 0, "Kaby Lake"},
    {intel, 6, 0x9e, 0x9e, 10, "Coffee Lake"},
    {intel, 6, 0x9e, 0x9e, 0, "Kaby Lake"},
    {intel, 6, 0xa5, 0xa6, 0, "Comet Lake"},
    {intel, 6, 0x66, 0x66, 0, "Cannon Lake"},
    {intel, 6, 0x6a, 0x6a, 0, "Ice Lake-SP"},
    {intel, 6, 0x6c, 0x6c, 0, "Ice Lake-SP"},
    {intel, 6, 0x7d, 0x7e, 0, "Ice Lake"},
    {intel, 6, 0x8c, 0x8d, 0, "Tiger Lake"},
    {intel, 6, 0xa7, 0xa7, 0, "Rocket Lake"},
    {intel, 6, 0x97, 0x97, 0, "Alder Lake"},
    {intel, 6, 0x9a, 0x9a, 0, "Alder Lake"},
    {intel, 6, 0xb7, 0xb7, 0, "Raptor Lake"},
    {intel, 6, 0xba, 0xba, 0, "Raptor Lake"},
    {intel, 6, 0xbf, 0xbf, 0, "Raptor Lake"},
    {intel, 6, 0x8f, 0x8f, 0, "Sapphire Rapids"},
    {intel, 6, 0xcf, 0xcf, 0, "Emerald Rapids"},
    {intel, 6, 0xad, 0xae, 0, "Granite Rapids"},
    {intel, 6, 0xaf, 0xaf, 0, "Sierra Forest"},
    {intel, 6, 0xaa, 0xaa, 0, "Meteor Lake"},
    {intel, 6, 0xac, 0xac, 0, "Meteor Lake"},
    {intel, 6, 0xbd, 0xbd, 0, "Lunar Lake"},
    {intel, 6, 0xc5, 0xc6, 0, "Arrow Lake"},
    {"0x41", 0xd03, 0, ANY, 0, "Cortex-A53"},
    {"0x41", 0xd05, 0, ANY, 0, "Cortex-A55"},
    {"0x41", 0xd07, 0, ANY, 0, "Cortex-A57"},
    {"0x41", 0xd08, 0, ANY, 0, "Cortex-A72"},
    {"0x41", 0xd09, 0, ANY, 0, "Cortex-A73"},
    {"0x41", 0xd0a, 0, ANY, 0, "Cortex-A75"},
    {"0x41", 0xd0b, 0, ANY, 0, "Cortex-A76"},
    {"0x41", 0xd0c, 0, ANY, 0, "Neoverse N1"},
    {"0x41", 0xd40, 0, ANY, 0, "Neoverse V1"},
    {"0x41", 0xd41, 0, ANY, 0, "Cortex-A78"},
    {"0x41", 0xd42, 0, ANY, 0, "Cortex-A78AE"},
    {"0x41", 0xd44, 0, ANY, 0, "Cortex-X1"},
    {"0x41", 0xd49, 0, ANY, 0, "Neoverse N2"},
    {"0x41", 0xd4a, 0, ANY, 0, "Neoverse E1"},
    {"0x41", 0xd4f, 0, ANY, 0, "Neoverse V2"},
    {"0x41", 0xd84, 0, ANY, 0, "Neoverse V3"},
    {"0x41", 0xd8e, 0, ANY, 0, "Neoverse N3"},
    {"0x43", 0x0af, 0, ANY, 0, "ThunderX2"},
    {"0x46", 0x001, 0, ANY, 0, "A64FX"},
    {"0x48", 0xd01, 0, ANY, 0, "TaiShan v110"},
    {"0x6d", 0xd49, 0, ANY, 0, "Neoverse N2"},
    {"0xc0", 0xac3, 0, ANY, 0, "Ampere-1"},
    {"0xc0", 0xac4, 0, ANY, 0, "Ampere-1A"},
};

const char *microarchitecture_of(const char *vendor, int family, int model, int stepping)
{
    for (size_t i = 0; i < sizeof generations / sizeof *generations; i++) {
        const struct generation *row = &generations[i];
        if (strcmp(row->vendor, vendor) == 0 && row->family == family &&
            model >= row->first_model && model <= row->last_model &&
            stepping >= row->first_stepping)
            return row->name;
    }
    return "";
}
