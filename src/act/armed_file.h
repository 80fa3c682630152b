/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an armed guard is about to do, and has done, in a file of the run directory that outlives a
 * SIGKILL: written through shared memory, so that noting a step is a store and no system call. The
 * file belongs to a boot; its layout is that of one build on one machine.
 */
#ifndef EW_ACT_ARMED_FILE_H
#define EW_ACT_ARMED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum armed_state {
	ARMED_WAITING,	/* for the agent's end */
	ARMED_BEGUN,	/* the call may have been made */
	ARMED_DONE,	/* the call was made; the executor has yet to close the socket */
	ARMED_NOT_DONE, /* the call was not made, or failed */
	ARMED_NOTICED,	/* the link had ended by itself */
	ARMED_LEFT,	/* not for the standby thread: the slower way decides */
};

struct armed_record {
	int32_t pid;
	int32_t fd;
	uint64_t start;
	uint64_t inode;
	uint64_t cookie;
	int64_t begun;	       /* when the call was begun, mono ns; 0: not */
	uint32_t state;	       /* enum armed_state */
	uint32_t logged;       /* its result is in the audit log */
	char executor_id[256]; /* cut if it is longer */
	char framework_id[128];
};

struct armed_head {
	char magic[8];
	uint32_t record_size;
	uint32_t n;
	char boot_id[40];
	int64_t armed; /* wall ns */
	int64_t ended; /* when the agent's end was seen, mono ns; 0: it was not */
	uint64_t agent_start;
	int32_t agent_pid;
	int32_t by_pid; /* the execwatch */
	uint32_t port;
	uint32_t pad;
};

struct armed_file;

/*
 * Makes the file of a guard of head->port in DIR, the run directory, with n records. magic,
 * record_size and n are set here. An earlier one keeps its name until armed_file_publish().
 */
int armed_file_new(const char *dir, const struct armed_head *head,
		   const struct armed_record *records, size_t n, struct armed_file **ret,
		   struct error *error);
/* Puts it in the place of an earlier one. */
int armed_file_publish(struct armed_file *file);
/* Keeps a published file in the directory. NULL is fine. */
void armed_file_free(struct armed_file *file);
/* Removes it, unless a later one has taken its place, and frees. NULL is fine. */
void armed_file_remove(struct armed_file *file);

/*
 * Opens what a killed guard has left in DIR for a port. Returns 0; -ENOENT: nothing; -EBADMSG: not
 * such a file, or of another build; another negative errno.
 */
int armed_file_open(const char *dir, uint16_t port, struct armed_file **ret, struct error *error);

struct armed_head *armed_file_head(struct armed_file *file);
struct armed_record *armed_file_records(struct armed_file *file); /* head->n of them */

/* Calls each for the port of every such file in DIR. */
void armed_file_list(const char *dir, void (*each)(void *ctx, uint16_t port), void *ctx);

#endif
