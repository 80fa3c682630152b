/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A victim that starts itself anew every few milliseconds. Its one other thread waits in a futex,
 * and is ended by each exec.
 */
#include "victim.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static void *wait_forever(void *arg)
{
	for (;;)
		syscall(SYS_futex, arg, FUTEX_WAIT_PRIVATE, 0, NULL);
	return NULL;
}

int main(int argc, char **argv)
{
	static uint32_t word;
	struct timespec nap = { .tv_nsec = 3000000 };
	struct victim_page *page =
		mmap(NULL, VICTIM_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, VICTIM_PAGE_FD, 0);
	pthread_t thread;

	(void)argc;
	if (page == MAP_FAILED)
		return 1;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(page->thread[0].what, sizeof(page->thread[0].what), "exec");
	page->thread[0].tid = getpid();
	page->n_threads = 1;
	if (!page->ready)
		page->ping = 1;
	page->ready = 1;
	pthread_create(&thread, NULL, wait_forever, &word);
	nanosleep(&nap, NULL);
	page->renewals++;
	page->thread[0].pong = page->ping;
	execv("/proc/self/exe", argv);
	return 1;
}
