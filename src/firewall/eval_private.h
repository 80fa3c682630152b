/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_FIREWALL_EVAL_PRIVATE_H
#define EW_FIREWALL_EVAL_PRIVATE_H

#include <stddef.h>

struct firewall_packet;
struct firewall_result;
struct ruleset;
struct ruleset_chain;

/*
 * firewall_evaluate(), as if each of the base chains skip accepted the packet at once. Returns the
 * base chain of result->by when the packet is not certainly accepted; NULL: no rule is to blame.
 */
const struct ruleset_chain *evaluate_without(const struct ruleset *rules,
					     const struct firewall_packet *packet,
					     const struct ruleset_chain *const *skip, size_t n_skip,
					     struct firewall_result *result);

#endif
