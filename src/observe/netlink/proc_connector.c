/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/proc_connector.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/caps.h"
#include "base/error.h"
#include "base/netns.h"

/* An event as it lies in the packet: struct proc_event follows unaligned. */
enum {
	AT_EVENT = NLMSG_HDRLEN + sizeof(struct cn_msg),
	AT_DATA = AT_EVENT + offsetof(struct proc_event, event_data),
	AT_CHILD = 8, /* in fork's data: parent's thread and process, then the child's */
	PACKET = 512,
};

/* BPF loads words as big endian, the kernel wrote its own order. */
#define LOAD(at)	   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(value), (yes), (no))

static int open_in(struct multicast_socket *socket, int nsfd, struct error *error)
{
	struct sock_filter code[] = {
		LOAD(AT_EVENT + offsetof(struct proc_event, what)),
		IS(PROC_EVENT_NONE, 11, 0), /* an answer to a listener: to "accept" */
		IS(PROC_EVENT_EXIT, 2, 0),
		IS(PROC_EVENT_EXEC, 1, 0),
		IS(PROC_EVENT_FORK, 4, 9),
		LOAD(AT_DATA), /* the subject: its thread id, then its process id */
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		LOAD(AT_DATA + 4),
		BPF_STMT(BPF_JMP | BPF_JA, 3),
		LOAD(AT_DATA + AT_CHILD),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		LOAD(AT_DATA + AT_CHILD + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1), /* they differ: not a leader */
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),	      /* accept */
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { .len = sizeof(code) / sizeof(*code), .filter = code };

	return multicast_socket_open(socket, nsfd, NETLINK_CONNECTOR, &filter, error);
}

/* struct cn_msg has no end, and so no place inside of another. */
struct request {
	struct nlmsghdr header;
	struct cb_id id;
	uint32_t seq, ack;
	uint16_t len, flags;
	uint32_t op; /* enum proc_cn_mcast_op */
};

_Static_assert(sizeof(struct request) == AT_EVENT + 4, "as the kernel reads it");

static int ask(struct multicast_socket *socket, uint32_t op, uint32_t number)
{
	struct request request = {
		.header = { .nlmsg_len = sizeof(request), .nlmsg_type = NLMSG_DONE },
		.id = { CN_IDX_PROC, CN_VAL_PROC },
		.ack = number,
		.len = sizeof(request.op),
		.op = op,
	};
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return sendto(socket->fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel,
		      sizeof(kernel)) < 0
		       ? -errno
		       : 0;
}

/* Reads one packet; false when it holds no event. */
static bool event_read(const char *packet, long len, struct cn_msg *message,
		       struct proc_event *event)
{
	memset(event, 0, sizeof(*event));
	if (len < (long)(AT_DATA + AT_CHILD))
		return false;
	memcpy(message, packet + NLMSG_HDRLEN, sizeof(*message));
	len -= AT_EVENT;
	memcpy(event, packet + AT_EVENT,
	       (size_t)len < sizeof(*event) ? (size_t)len : sizeof(*event));
	return message->id.idx == CN_IDX_PROC && message->id.val == CN_VAL_PROC;
}

/*
 * The kernel answers before sendto(2) returns, or never: a refusal is silent as long as the kernel
 * has no listener, and always for other pid and user namespaces.
 */
static int answer(struct multicast_socket *socket, uint32_t number)
{
	char packet[PACKET];
	struct proc_event event;
	struct cn_msg message;
	long len;

	while ((len = multicast_socket_receive(socket, packet, sizeof(packet))) >= 0) {
		if (!event_read(packet, len, &message, &event) || event.what != PROC_EVENT_NONE ||
		    message.ack != number + 1)
			continue;
		return -(int)event.event_data.ack.err;
	}
	return -EOPNOTSUPP;
}

static int refused(int err, struct error *error)
{
	if (err == -EPERM || (err == -EOPNOTSUPP && !caps_have(CAP_NET_ADMIN)))
		return error_set(error, -EPERM, "run as root or with CAP_NET_ADMIN",
				 "listen to the proc connector: CAP_NET_ADMIN missing");
	if (err == -ECONNREFUSED)
		return error_set(
			error, err, "run on the host, or in a container with --net=host",
			"listen to the proc connector: not in the host's network namespace");
	if (err == -EPROTONOSUPPORT)
		return error_set(error, err, "use a kernel with CONFIG_PROC_EVENTS",
				 "listen to the proc connector");
	return error_set(
		error, err, "run on the host, or in a container with --pid=host",
		"listen to the proc connector: the kernel does not answer (another pid or user "
		"namespace, or no CONFIG_PROC_EVENTS)");
}

static int listen_in(struct multicast_socket *socket, int nsfd, struct error *error)
{
	uint32_t number = (uint32_t)getpid();
	int err = open_in(socket, nsfd, error);

	if (err < 0)
		return err;
	err = multicast_socket_join(socket, CN_IDX_PROC);
	if (!err)
		err = ask(socket, PROC_CN_MCAST_LISTEN, number);
	if (!err)
		err = answer(socket, number);
	if (err)
		multicast_socket_close(socket);
	return err;
}

int proc_connector_open(struct multicast_socket *socket, struct error *error)
{
	int err = listen_in(socket, NETNS_OWN, error), nsfd;
	uint64_t inode;

	if (err == -ECONNREFUSED) { /* the kernel listens in the first network namespace only */
		nsfd = netns_open_pid(1, &inode);
		if (nsfd >= 0) {
			err = listen_in(socket, nsfd, error);
			close(nsfd);
		}
	}
	return err ? refused(err, error) : 0;
}

void proc_connector_close(struct multicast_socket *socket)
{
	if (socket->fd >= 0)
		ask(socket, PROC_CN_MCAST_IGNORE, (uint32_t)getpid());
	multicast_socket_close(socket);
}

static bool event_convert(const struct proc_event *from, struct connector_event *to)
{
	*to = (struct connector_event){ .mono = (int64_t)from->timestamp_ns };
	switch ((uint32_t)from->what) {
	case PROC_EVENT_FORK:
		to->what = CONNECTOR_FORK;
		to->pid = from->event_data.fork.child_tgid;
		to->parent = from->event_data.fork.parent_tgid;
		return true;
	case PROC_EVENT_EXEC:
		to->what = CONNECTOR_EXEC;
		to->pid = from->event_data.exec.process_tgid;
		return true;
	case PROC_EVENT_EXIT:
		to->what = CONNECTOR_EXIT;
		to->pid = from->event_data.exit.process_tgid;
		to->status = (int32_t)from->event_data.exit.exit_code;
		return true;
	}
	return false;
}

bool proc_connector_next(struct multicast_socket *socket, struct connector_event *event)
{
	char packet[PACKET];
	struct proc_event raw;
	struct cn_msg message;
	long len;

	if (socket->fd < 0)
		return false;
	while ((len = multicast_socket_receive(socket, packet, sizeof(packet))) >= 0)
		if (event_read(packet, len, &message, &raw) && event_convert(&raw, event))
			return true;
	return false;
}
