/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/exit_code.h"

int exit_code_of(const struct exit_facts *facts)
{
	if (facts->critical)
		return 2;
	if (facts->unknown || facts->interrupted || facts->nobody)
		return 3;
	return facts->warning || facts->undone || facts->not_restarted;
}
