/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A victim with one thread that waits in epoll_wait for its standard input and its link, like a
 * program with an event loop and nothing else. As an executor would, it closes the link when it
 * has been shut down.
 */
#include "victim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

static struct victim_page *page;

static void open_link(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct stat st;

	page->link_fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&addr, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&addr, &len) < 0 ||
	    connect(page->link_fd, (struct sockaddr *)&addr, len) < 0 ||
	    accept(listener, NULL, NULL) < 0)
		_exit(1);
	fstat(page->link_fd, &st);
	page->link_inode = st.st_ino;
	for (int i = 0; i < VICTIM_DECOYS; i++)
		page->decoy_fd[i] = -1;
}

static void answer(int ep)
{
	struct epoll_event ev;
	int n = epoll_wait(ep, &ev, 1, -1);
	char c;

	if (n < 0) {
		page->thread[0].eintr++;
	} else if (ev.data.fd == 0) {
		if (read(0, &c, 1) != 1)
			_exit(0);
		if (page->close_fd)
			close(page->close_fd);
		page->thread[0].pong++;
	} else {
		page->link_shut = 1;
		close(page->link_fd);
	}
}

int main(void)
{
	struct epoll_event input = { .events = EPOLLIN }, link = { .events = EPOLLIN | EPOLLRDHUP };
	int ep = epoll_create1(0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	page = mmap(NULL, VICTIM_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, VICTIM_PAGE_FD, 0);
	if (page == MAP_FAILED)
		return 1;
	open_link();
	link.data.fd = page->link_fd;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, 0, &input) < 0 ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, page->link_fd, &link) < 0)
		return 1;
	page->thread[0].tid = getpid();
	snprintf(page->thread[0].what, sizeof(page->thread[0].what), "epoll_wait");
	page->n_threads = 1;
	page->ping = page->thread[0].pong = 1;
	page->ready = 1;
	for (;;)
		answer(ep);
}
