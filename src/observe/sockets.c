/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/now.h"
#include "facts.h"
#include "fail.h"
#include "observe/grow.h"
#include "observe/holders.h"
#include "observe/procfs.h"
#include "observe/put.h"
#include "observe/scene.h"
#include "observe/sockdiag.h"

struct namespaces {
	uint64_t *items;
	size_t n;
	size_t cap;
};

struct pass {
	struct scene *scene;
	struct holders holders;
	struct namespaces relevant;
	bool seeded;
	int64_t mono; /* when the dump began: what a hook saw after that is newer */
	bool listens; /* of a dump: something listens on the agent port */
};

static bool namespaces_has(const struct namespaces *set, uint64_t inode)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->items[i] == inode)
			return true;
	return false;
}

static int namespaces_add(struct namespaces *set, uint64_t inode)
{
	int err;

	if (!inode || namespaces_has(set, inode))
		return 0;
	err = grow(&set->items, &set->cap, set->n, sizeof(*set->items));
	if (!err)
		set->items[set->n++] = inode;
	return err;
}

static void note_listener(void *ctx, const struct fact_socket *socket)
{
	struct pass *pass = ctx;

	pass->listens |= socket->local.port == pass->scene->port;
}

/*
 * Nobody has told who listens on the agent port: every namespace is asked for its listening sockets
 * (a short list). One that cannot be entered ends with its last process: no loss.
 */
static int add_listening(struct pass *pass, struct fail *why)
{
	struct namespaces asked = { 0 };
	int err = 0;

	for (size_t i = 0; !err && i < pass->scene->n_rows; i++) {
		uint64_t netns = pass->scene->rows[i].netns;
		int fd;

		if (!netns || namespaces_has(&asked, netns))
			continue;
		err = namespaces_add(&asked, netns);
		fd = err ? -1 : scene_netns_open(pass->scene, netns);
		if (fd < 0)
			continue;
		pass->listens = false;
		err = sockdiag_dump(fd, netns, pass->scene->port, SOCKDIAG_LISTEN, note_listener,
				    pass, why);
		close(fd);
		if (!err && pass->listens)
			err = namespaces_add(&pass->relevant, netns);
	}
	free(asked.items);
	return err;
}

/* Ours, those of processes with a Mesos environment, those of sockets that are known already. */
static int find_relevant(struct pass *pass, struct fail *why)
{
	const struct scene *scene = pass->scene;
	int err = namespaces_add(&pass->relevant, scene->own_netns);

	for (size_t i = 0; !err && i < scene->n_rows; i++)
		if (scene->rows[i].mesos)
			err = namespaces_add(&pass->relevant, scene->rows[i].netns);
	for (size_t i = 0; !err && i < scene->n_sockets; i++)
		err = namespaces_add(&pass->relevant, scene->sockets[i].netns);
	if (err < 0)
		return fail_set(why, err, NULL, "find the network namespaces of executors");
	return pass->seeded ? 0 : add_listening(pass, why);
}

static bool held_by_mesos(const struct scene *scene, const struct holder *holders, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct scene_process *process = scene_process_find(scene, holders[i].pid);

		if (process && process->mesos)
			return true;
	}
	return false;
}

static void put_socket(void *ctx, const struct fact_socket *socket)
{
	struct pass *pass = ctx;
	struct fact fact = { .type = FACT_SOCKET, .mono = pass->mono };
	bool agents = scene_is_agents(pass->scene, socket);
	size_t n = 0;
	const struct holder *holders;

	scene_pause(pass->scene);
	holders = holders_find(&pass->holders, socket->inode, &n);
	if (!agents && !held_by_mesos(pass->scene, holders, n))
		return;
	fact.socket = *socket;
	fact_put(&pass->scene->tee, &fact);
	if (pass->seeded && agents)
		return;
	for (size_t i = 0; i < n; i++) {
		fact = (struct fact){ .type = FACT_HOLDER, .mono = pass->mono };
		fact.holder.cookie = socket->cookie;
		fact.holder.pid = holders[i].pid;
		fact.holder.start = holders[i].start;
		fact.holder.fd = holders[i].fd;
		fact_put(&pass->scene->tee, &fact);
	}
}

/* Known already of those whose FACT_PROCESS was put. */
static uint64_t start_of(struct procfs *procfs, const struct scene *scene, int32_t pid)
{
	const struct scene_process *process = scene_process_find(scene, pid);

	return process ? process->start : procfs_start(procfs, pid);
}

/* Whose descriptors need not be read, since somebody has put those that matter. */
static bool may_skip(const struct pass *pass, int32_t pid)
{
	const struct scene_process *process = scene_process_find(pass->scene, pid);

	if (!pass->seeded)
		return false;
	return !process || !process->mesos || scene_run_is_plain(pass->scene, process->run);
}

/* Whether it has a link decides what becomes of it: named one by one where that is not known. */
static bool is_executor(const struct scene *scene, int32_t pid)
{
	const struct scene_process *process = scene_process_find(scene, pid);

	return process && process->mesos;
}

static int read_holders(struct procfs *procfs, struct pass *pass, struct fail *why)
{
	struct scene *scene = pass->scene;
	int32_t denied = 0;
	int why_denied = 0;
	size_t n_denied = 0;
	int err = 0;

	for (size_t i = 0; err != -ENOMEM && i < scene->n_rows; i++) {
		int32_t pid = scene->rows[i].pid;
		uint64_t start;

		scene_pause(scene);
		if (may_skip(pass, pid))
			continue;
		start = start_of(procfs, scene, pid);
		err = start ? holders_add(&pass->holders, pid, start) : 0;
		if (err >= 0 || err == -ENOMEM || pid == 1)
			continue;
		if (is_executor(scene, pid)) {
			put_unread(&scene->tee, pid, 0, err, "/proc/%d/fd", pid);
		} else if (n_denied++ == 0) {
			denied = pid;
			why_denied = err;
		}
	}
	if (err == -ENOMEM)
		return fail_set(why, err, NULL, "read who holds which socket");
	if (n_denied)
		put_unread(&scene->tee, n_denied == 1 ? denied : 0, 0, why_denied,
			   "/proc/%d/fd and those of %zu more processes", denied, n_denied - 1);
	holders_sort(&pass->holders);
	return 0;
}

static int dump_namespace(struct pass *pass, uint64_t netns, struct fail *why)
{
	int fd = scene_netns_open(pass->scene, netns);
	uint16_t port = pass->seeded ? pass->scene->port : 0;
	int err;

	if (fd < 0)
		return 0; /* it ended with its last process */
	pass->mono = now_mono();
	err = sockdiag_dump(fd, netns, port, SOCKDIAG_REAL, put_socket, pass, why);
	if (!err && pass->seeded && pass->holders.n)
		err = sockdiag_dump(fd, netns, 0, SOCKDIAG_LISTEN, put_socket, pass, why);
	close(fd);
	return err;
}

int sockets_put(struct procfs *procfs, struct scene *scene, bool seeded, struct fail *why)
{
	struct pass pass = { .scene = scene, .seeded = seeded };
	int err;

	scene_sort(scene);
	err = find_relevant(&pass, why);
	if (!err)
		err = read_holders(procfs, &pass, why);
	for (size_t i = 0; !err && i < pass.relevant.n; i++)
		err = dump_namespace(&pass, pass.relevant.items[i], why);
	if (!err && scene->broken)
		err = fail_set(why, -ENOMEM, NULL, "list sockets");
	scene_sort(scene);
	holders_clear(&pass.holders);
	free(pass.relevant.items);
	return err;
}
