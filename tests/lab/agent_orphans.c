/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * RUNTIME_DIR/containers/ID/pid, and what MesosContainerizer::recover() does with containers
 * that the checkpoints do not tell of: it destroys them.
 */
#include "agent.h"
#include "procs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* lab.start_time is not Mesos': with it a pid that was reused is left alone. */
void agent_note_container(struct container *c)
{
	char *dir = lab_fmt("%s/containers/%s", c->agent->flags.runtime_dir, c->container_id);
	char *path = lab_fmt("%s/pid", dir), *lab = lab_fmt("%s/lab.start_time", dir);
	FILE *pid, *start;

	checkpoint_mkdirs(dir);
	pid = fopen(path, "we");
	start = fopen(lab, "we");
	if (!pid || !start)
		lab_die("cannot write to '%s'", dir);
	fprintf(pid, "%d", c->forked_pid);
	fprintf(start, "%llu", procs_start_time(c->forked_pid));
	fclose(pid);
	fclose(start);
	free(path);
	free(lab);
	free(dir);
}

static unsigned long long read_number(const char *dir, const char *container_id, const char *name)
{
	char *path = lab_fmt("%s/%s/%s", dir, container_id, name);
	FILE *f = fopen(path, "re");
	unsigned long long number = 0;

	if (f && fscanf(f, "%llu", &number) != 1)
		number = 0;
	if (f)
		fclose(f);
	free(path);
	return number;
}

static bool known(const struct agent *a, const char *container_id)
{
	for (const struct container *c = a->containers; c; c = c->next)
		if (c->forked_pid && !strcmp(c->container_id, container_id))
			return true;
	return false;
}

static void destroy(struct agent *a, const char *dir, const char *container_id)
{
	pid_t pid = read_number(dir, container_id, "pid");
	unsigned long long start = read_number(dir, container_id, "lab.start_time");

	if (!start || procs_start_time(pid) != start)
		return;
	agent_log(a, 'I', "containerizer.cpp:1300", "Cleaning up orphan container %s",
		  container_id);
	procs_kill_trees(&pid, 1);
}

void agent_destroy_orphans(struct agent *a)
{
	char *path = lab_fmt("%s/containers", a->flags.runtime_dir);
	DIR *dir = launch_is(a->flags.orphans, "destroy") ? opendir(path) : NULL;
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.' && !known(a, d->d_name))
			destroy(a, path, d->d_name);
	if (dir)
		closedir(dir);
	free(path);
}
