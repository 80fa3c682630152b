/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pins: maps and links with names in a bpf filesystem, which outlive the process. A directory holds
 * MAP for each map, link-GENERATION-SLOT and prog-GENERATION-SLOT for each program at work (a link
 * does not give its program without CAP_SYS_ADMIN). It goes with the mount, or the boot.
 */
#ifndef EW_OBSERVE_BPF_PINS_H
#define EW_OBSERVE_BPF_PINS_H

#include <stdbool.h>
#include <stdint.h>

struct ew_bpf;
struct ew_meta;
struct error;

/* Mounts a bpf filesystem on dir unless there is one. Errors: those of mkdir(2) and mount(2). */
int ew_bpf_pins_mount(const char *dir, struct error *error);

/* Reads what the pinned maps hold; false: none are pinned, or of another layout. */
bool ew_bpf_pins_meta(const char *dir, struct ew_meta *meta);

/* Before loading: maps that are pinned are used again, others are pinned as they are made. */
int ew_bpf_pins_maps(struct ew_bpf *watch);

/* Pins the links and programs of this generation. */
int ew_bpf_pins_links(const struct ew_bpf *watch);

/* Undoes ew_bpf_pins_links(). */
void ew_bpf_pins_unlink(const struct ew_bpf *watch);

/* So many events were kept from programs of this generation, and are lost (enum ew_bpf_skip). */
uint64_t ew_bpf_pins_skipped(const char *dir, unsigned int generation);

/* Removes the links of all generations but this, and ends their programs; 0: all links and maps. */
void ew_bpf_pins_drop(const char *dir, unsigned int generation);

/* ew_bpf_pins_unmount(), which is for all to use, is in bpf.h. */

#endif
