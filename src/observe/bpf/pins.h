/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pins: maps and links with names in a bpf filesystem, which outlive the process. A directory holds
 * MAP for each map, and link-GENERATION-HOOK and prog-GENERATION-HOOK for each attached program (a
 * link does not lead to its program without CAP_SYS_ADMIN). Pins end with the mount, or the boot.
 */
#ifndef EW_OBSERVE_BPF_PINS_H
#define EW_OBSERVE_BPF_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_link;
struct bpf_object;
struct bpf_program;
struct error;
struct ew_meta;

/* Mounts a bpf filesystem on dir unless there is one. Errors: those of mkdir(2) and mount(2). */
int ew_bpf_pins_mount(const char *dir, struct error *error);

/*
 * Opens the directory name in dir, in which pins are to be, as a bpf filesystem: it is made, and
 * one mounted on it, unless it is in one. Never through a link, and only if it belongs to the
 * caller. Returns a descriptor; "/proc/self/fd/N" is a path of the directory as long as it is open.
 * Else a negative errno.
 */
int ew_bpf_pins_open(int dir, const char *name, struct error *error);

/*
 * Removes all pins in the directory name in dir, then the directory itself. Only files of a bpf
 * filesystem are removed: -EPERM if there are others, -ENOTDIR for anything but a directory (a
 * link), -ENOENT. A directory that is still mounted (keep) stays, with -EBUSY.
 */
int ew_bpf_pins_clean(int dir, const char *name, struct error *error);

/* Removes all pins, which ends their programs, unmounts dir and removes it. */
void ew_bpf_pins_unmount(const char *dir);

/* Reads the pinned map "meta"; false: none is pinned, or one of another layout. */
bool ew_bpf_pins_meta(const char *dir, struct ew_meta *meta);

/* Before loading: maps that are pinned will be used again, others be pinned when created. */
int ew_bpf_pins_maps(const char *dir, struct bpf_object *object);

/* Pins the program and its link of hook number hook (prog_variants.h). */
int ew_bpf_pins_hook(const char *dir, unsigned int generation, size_t hook,
		     const struct bpf_program *prog, const struct bpf_link *link);

/* Removes the links and programs of this generation. */
void ew_bpf_pins_remove(const char *dir, unsigned int generation);

/* Removes the links and programs of all other generations. */
void ew_bpf_pins_remove_others(const char *dir, unsigned int generation);

/* Removes all links, programs and maps. */
void ew_bpf_pins_remove_all(const char *dir);

/* Events that programs of this generation have missed, and that are lost (EW_BPF_MISS_LOSES). */
uint64_t ew_bpf_pins_misses(const char *dir, unsigned int generation);

#endif
