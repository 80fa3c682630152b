/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/service_unit.h"

#include <errno.h>
#include <string.h>

#include "facts.h"
#include "observe/agent/unit_load.h"
#include "observe/agent/unit_parts.h"

static const char *load_problem(int err)
{
	return err == -ENOLINK ? "the unit is masked" : strerror(-err);
}

void service_unit_read(struct arena *arena, const char *unit, const char *cgroup,
		       struct fact_service *service)
{
	const char *answer = unit_loaded_ask(arena, unit);
	struct loaded_unit files;
	int err = unit_load(arena, "", unit, NULL, &files);

	service->unit = unit;
	service->cgroup = cgroup;
	if (err < 0)
		service->problem = load_problem(err);
	else
		unit_files_fill(arena, "", &files, service);
	if (answer)
		unit_loaded_fill(arena, answer, service);
	else if (!err)
		unit_files_as_loaded(&files, service);
	if (answer && !err)
		unit_differs_fill(arena, answer, &files, service);
	unit_loggers_fill(arena, cgroup, service);
}
