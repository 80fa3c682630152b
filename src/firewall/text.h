/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A rule of nft's JSON as the text of nft(8), for people: short, and perhaps lossy. */
#ifndef EW_FIREWALL_TEXT_H
#define EW_FIREWALL_TEXT_H

#include <jansson.h>
#include <stddef.h>

/* expr: the statements of a rule. buf is always terminated; what does not fit becomes "…". */
void firewall_rule_text(const json_t *expr, char *buf, size_t size);

#endif
