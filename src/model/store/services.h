/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The units that run the agents. */
#ifndef EW_MODEL_STORE_SERVICES_H
#define EW_MODEL_STORE_SERVICES_H

#include "model/store/state.h"

void store_clear_services(struct store *store);
/* The newest fact on the unit that runs this agent; NULL: there is none. */
const struct fact_service *store_service(const struct store *store, const struct agent *agent);
/* The newest fact on the unit that --next-unit names for it; NULL: there is none. */
const struct fact_service *store_next_service(const struct store *store, const struct agent *agent);

#endif
