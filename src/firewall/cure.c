/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "firewall/cure.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/sh_quote.h"
#include "firewall/eval.h"
#include "firewall/eval_private.h"
#include "firewall/ruleset_private.h"

#define CHAINS_MAX 8
#define WORD_MAX   (4 * FIREWALL_NAME_MAX)

static bool hook_sends(const char *hook)
{
	return strcmp(hook, "output") == 0 || strcmp(hook, "postrouting") == 0 ||
	       strcmp(hook, "egress") == 0;
}

static bool rule_counts(const struct ruleset_rule *rule)
{
	const json_t *statement;
	size_t at;

	json_array_foreach(rule->expr, at,
			   statement) if (json_object_get(statement, "counter")) return true;
	return false;
}

/*
 * Made by iptables-nft: its names of tables and chains, and a counter in every rule
 * (nft_rule_add(), iptables 1.8.9, iptables/nft.c).
 */
static bool made_by_iptables(const struct ruleset_chain *chain)
{
	static const char *const tables[] = { "filter", "mangle", "raw", "security" };
	bool known = false;

	if (strcmp(chain->name.family, "ip") != 0 && strcmp(chain->name.family, "ip6") != 0)
		return false;
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		known = known || strcmp(chain->name.table, tables[i]) == 0;
	for (size_t i = 0; known && chain->hook[i]; i++)
		known = chain->name.name[i] == toupper((unsigned char)chain->hook[i]);
	if (!known || strlen(chain->name.name) != strlen(chain->hook))
		return false;
	for (size_t i = 0; i < chain->n_rules; i++)
		if (!rule_counts(&chain->rules[i]))
			return false;
	return true;
}

static int command_iptables(const struct ruleset_chain *chain, char *buf, size_t size)
{
	bool filter = strcmp(chain->name.table, "filter") == 0;

	return snprintf(buf, size, "%s -w%s%s -I %s -%c lo -j ACCEPT",
			strcmp(chain->name.family, "ip6") == 0 ? "ip6tables" : "iptables",
			filter ? "" : " -t ", filter ? "" : chain->name.table, chain->name.name,
			hook_sends(chain->hook) ? 'o' : 'i');
}

static int command_nft(const struct ruleset_chain *chain, char *buf, size_t size)
{
	char table[WORD_MAX], name[WORD_MAX];

	if (!sh_quote(chain->name.table, table, sizeof(table)) ||
	    !sh_quote(chain->name.name, name, sizeof(name)))
		return -1;
	return snprintf(buf, size, "nft insert rule %s %s %s %s lo accept", chain->name.family,
			table, name, hook_sends(chain->hook) ? "oifname" : "iifname");
}

struct line {
	char *buf;
	size_t size, used, n;
};

static bool line_add(struct line *line, const char *command)
{
	int len = snprintf(line->buf + line->used, line->size - line->used, "%s%s",
			   line->n ? " && " : "", command);

	if (len < 0 || (size_t)len >= line->size - line->used)
		return false;
	line->used += (size_t)len;
	line->n++;
	return true;
}

static bool line_add_chain(struct line *line, const struct ruleset_chain *chain)
{
	char command[FIREWALL_CURE_MAX];
	int len;

	if (chain->owned)
		return false;
	len = made_by_iptables(chain) ? command_iptables(chain, command, sizeof(command))
				      : command_nft(chain, command, sizeof(command));
	return len >= 0 && (size_t)len < sizeof(command) && line_add(line, command);
}

/* The rules of iptables-legacy are not read, so their usual place is assumed. */
static bool line_add_unread(struct line *line, const struct ruleset *rules, bool v6)
{
	if (rules->unread & RULESET_UNREAD_NFT)
		return false;
	if (!v6 && (rules->unread & RULESET_UNREAD_LEGACY4))
		return line_add(line, "iptables-legacy -w -I INPUT -i lo -j ACCEPT");
	if (v6 && (rules->unread & RULESET_UNREAD_LEGACY6))
		return line_add(line, "ip6tables-legacy -w -I INPUT -i lo -j ACCEPT");
	return true;
}

size_t firewall_cure(const struct ruleset *rules, const struct firewall_packet *packet, char *buf,
		     size_t size)
{
	const struct ruleset_chain *cured[CHAINS_MAX], *culprit;
	struct line line = { .buf = buf, .size = size };
	struct ruleset read = *rules; /* as if nothing were unread */
	struct firewall_result result;
	size_t n = 0;

	read.unread = RULESET_COMPLETE;
	buf[0] = '\0';
	for (;;) {
		culprit = evaluate_without(&read, packet, cured, n, &result);
		if (result.decision == FIREWALL_ACCEPTED)
			break;
		if (!culprit || n == CHAINS_MAX || !line_add_chain(&line, culprit))
			goto none;
		cured[n++] = culprit;
	}
	if (line_add_unread(&line, rules, packet->family == FIREWALL_IPV6))
		return line.n;
none:
	buf[0] = '\0';
	return 0;
}
