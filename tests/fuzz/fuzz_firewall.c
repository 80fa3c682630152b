// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The JSON of a ruleset from anywhere: whoever knows less never answers otherwise.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "firewall/cure.h"
#include "firewall/eval.h"
#include "firewall/ruleset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_less(const struct ruleset *rules, const struct firewall_packet *packet,
		       const struct firewall_packet *less)
{
	struct firewall_result more, fewer;

	firewall_evaluate(rules, packet, &more);
	firewall_evaluate(rules, less, &fewer);
	if (fewer.decision != FIREWALL_MAYBE && fewer.decision != more.decision)
		abort();
	if (strlen(more.by.text) >= sizeof(more.by.text))
		abort();
}

static void check_packet(const struct ruleset *rules, const char *from_text, const char *to_text)
{
	struct firewall_packet packet, less;
	char cure[FIREWALL_CURE_MAX];
	struct ew_addr from, to;

	if (addr_parse(from_text, &from) < 0 || addr_parse(to_text, &to) < 0)
		abort();
	packet = firewall_fin(&from, &to, FIREWALL_CT_INVALID);
	for (unsigned int bit = 1; bit < FIREWALL_KNOWS_ALL; bit <<= 1) {
		less = packet;
		less.known &= ~bit;
		check_less(rules, &packet, &less);
	}
	less = packet;
	less.tcp_flags_known = 0;
	check_less(rules, &packet, &less);
	less = packet;
	less.ct = 0;
	check_less(rules, &packet, &less);
	if (firewall_cure(rules, &packet, cure, sizeof(cure)) == 0 && cure[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ruleset *rules;

	if (ruleset_parse((const char *)data, size, &rules, NULL) < 0)
		return 0;
	check_packet(rules, "127.0.0.1:5051", "127.0.0.1:40000");
	check_packet(rules, "[::1]:5051", "[::1]:40000");
	ruleset_free(rules);
	return 0;
}
