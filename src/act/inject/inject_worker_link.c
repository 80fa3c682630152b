/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_worker_link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

bool inject_worker_link_send(int link, int copy)
{
	struct iovec io = { "", 1 };
	union control control = { 0 };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1 };
	ssize_t n;

	if (copy >= 0) {
		control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
						   .cmsg_level = SOL_SOCKET,
						   .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.header), &copy, sizeof(copy));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	do
		n = sendmsg(link, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

bool inject_worker_link_receive(int link, int *ret_copy)
{
	char byte;
	struct iovec io = { &byte, 1 };
	union control control = { 0 };
	struct msghdr msg = { .msg_iov = &io,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n;

	do
		n = recvmsg(link, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*ret_copy = -1;
	if (n == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(ret_copy, CMSG_DATA(&control.header), sizeof(*ret_copy));
	return n == 1;
}
