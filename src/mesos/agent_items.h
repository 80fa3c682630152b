/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Attributes and resources of an agent, as its flags have them and as slave.info keeps them (Mesos
 * common/attributes.cpp, common/resources.cpp, common/values.cpp; 0.28 to 1.11), and how two of
 * them compare (slave/compatibility.cpp, 1.11.0).
 */
#ifndef EW_MESOS_AGENT_ITEMS_H
#define EW_MESOS_AGENT_ITEMS_H

#include <stddef.h>
#include <stdint.h>

#include "mesos/span.h"

struct arena;
struct error;

enum mesos_item_type { MESOS_SCALAR, MESOS_RANGES, MESOS_SET, MESOS_TEXT };

struct mesos_range {
	uint64_t first, last;
};

struct mesos_item {
	const char *name;
	const char *role; /* of a resource; "" for an attribute */
	const char *disk; /* of a resource on a disk of its own: "mount:/data"; else "" */
	enum mesos_item_type type;
	double scalar;
	const struct mesos_range *ranges; /* sorted, merged */
	const char *const *set;		  /* sorted */
	const char *text;
	size_t n; /* of ranges or set */
};

struct mesos_items {
	struct mesos_item *v;
	size_t n;
};

/*
 * --attributes: "rack:r1;u:3". Returns 0; -EINVAL for what makes the agent exit; -ENOMEM. All that
 * is returned here is the arena's.
 */
int mesos_attributes_parse(struct arena *arena, const char *text, struct mesos_items *items);

/* --resources: "cpus:4;ports(web):[80-90]" or a JSON array of Resource. role: --default_role. */
int mesos_resources_parse(struct arena *arena, const char *text, const char *role,
			  struct mesos_items *items);

/* As a flag would have it: "cpus(*):4", "rack:r1"; a disk's as "disk(*)[mount:/data]:100". */
const char *mesos_item_text(struct arena *arena, const struct mesos_item *item);

/* The one with the same name, role and disk; NULL: there is none. */
const struct mesos_item *mesos_items_find(const struct mesos_items *items,
					  const struct mesos_item *like);

/* GROWN: more of a scalar, or ranges or a set that include the old. */
enum mesos_change { MESOS_SAME, MESOS_GROWN, MESOS_CHANGED };
enum mesos_change mesos_item_compare(const struct mesos_item *old, const struct mesos_item *now);

struct mesos_agent_info {
	const char *id;
	const char *hostname;
	uint32_t port;
	const char *domain; /* "REGION/ZONE"; "": none */
	struct mesos_items attributes;
	struct mesos_items resources;
};

/* Content of slave.info: u32 length, then SlaveInfo. Returns 0, -EBADMSG or -ENOMEM. */
int mesos_agent_info_parse(struct arena *arena, struct mesos_span file,
			   struct mesos_agent_info *info, struct error *error);

/* --domain: JSON of DomainInfo, as "REGION/ZONE"; "" for what has no fault domain. */
const char *mesos_domain_text(struct arena *arena, const char *json);

#endif
