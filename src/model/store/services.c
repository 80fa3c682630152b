/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The units that run the agents. */
#include <stdlib.h>

#include "model/store/apply.h"
#include "model/store/memory.h"
#include "model/store/services.h"

static struct fact_service *service_find(const struct store *store, int32_t pid, uint64_t start,
					 bool next)
{
	for (size_t i = 0; i < store->services.n; i++) {
		struct fact_service *service = &store->services.v[i];

		if (service->pid == pid && service->start == start && service->next == next)
			return service;
	}
	return NULL;
}

static void service_set(struct store *store, struct fact_service *old, struct fact_service service)
{
	service.unit = store_text(store, service.unit);
	service.cgroup = store_text(store, service.cgroup);
	service.kill_mode = store_text(store, service.kill_mode);
	service.from = store_text(store, service.from);
	service.restart = store_text(store, service.restart);
	service.file_kill_mode = store_text(store, service.file_kill_mode);
	service.changed_file = store_text(store, service.changed_file);
	service.problem = store_text(store, service.problem);
	store_copy_list(store, service, old, steps);
	store_copy_list(store, service, old, file_steps);
	store_copy_list(store, service, old, missing);
	store_copy_list(store, service, old, differs);
	store_copy_list(store, service, old, files);
	store_copy_list(store, service, old, loggers);
	*old = service;
}

void store_apply_service(struct store *store, const struct fact *fact)
{
	struct fact_service *old =
		service_find(store, fact->service.pid, fact->service.start, fact->service.next);

	if (!old && store_reserve(store, store->services)) {
		old = &store->services.v[store->services.n++];
		*old = (struct fact_service){ 0 };
	}
	if (old)
		service_set(store, old, fact->service);
}

const struct fact_service *store_service(const struct store *store, const struct agent *agent)
{
	return service_find(store, agent->facts.pid, agent->facts.start, false);
}

const struct fact_service *store_next_service(const struct store *store, const struct agent *agent)
{
	return service_find(store, agent->facts.pid, agent->facts.start, true);
}

void store_clear_services(struct store *store)
{
	for (size_t i = 0; i < store->services.n; i++) {
		const struct fact_service *service = &store->services.v[i];

		free((void *)service->steps);
		free((void *)service->file_steps);
		free((void *)service->missing);
		free((void *)service->differs);
		free((void *)service->files);
		free((void *)service->loggers);
	}
	free(store->services.v);
}
