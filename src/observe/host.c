/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/caps.h"
#include "base/error.h"
#include "base/pidfd.h"
#include "observe/netlink/conntrack.h"
#include "base/netns.h"
#include "base/proc.h"
#include "observe/netlink/sockdiag.h"

static const struct capability {
	unsigned int cap;
	unsigned int needed_for;
	bool for_bpf;
} capabilities[] = {
	{ CAP_DAC_READ_SEARCH, HOST_AUDIT, false },
	{ CAP_SYS_PTRACE, HOST_AUDIT | HOST_SHUTDOWN, false },
	{ CAP_SYS_ADMIN, HOST_AUDIT, false }, /* setns(2) */
	{ CAP_NET_ADMIN, HOST_AUDIT, false },
	{ CAP_BPF, HOST_WATCH, true },
	{ CAP_PERFMON, HOST_WATCH, true },
};

static void __attribute__((format(printf, 4, 5)))
set(struct host_probe *probe, enum host_state state, const char *cure, const char *fmt, ...)
{
	va_list args;

	probe->state = state;
	snprintf(probe->cure, sizeof(probe->cure), "%s", cure);
	va_start(args, fmt);
	vsnprintf(probe->detail, sizeof(probe->detail), fmt, args);
	va_end(args);
}

/* The first line of a file; "" when it cannot be read, errno says why. */
static const char *line_of(const char *path, char *buf, size_t size)
{
	ssize_t len = proc_read(AT_FDCWD, path, buf, size);

	if (len < 0) {
		errno = (int)-len;
		buf[0] = '\0';
	}
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

/* Before 5.8 what CAP_BPF and CAP_PERFMON allow was part of CAP_SYS_ADMIN. */
static void probe_privilege(bool bpf, struct host_probe *probe)
{
	uint64_t have = caps_effective(), missing = 0;
	bool admin = have & CAPS_BIT(CAP_SYS_ADMIN);
	char names[160];

	probe->needed_for = 0;
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++) {
		const struct capability *c = &capabilities[i];

		if (have & CAPS_BIT(c->cap) || (c->for_bpf && (admin || !bpf)))
			continue;
		probe->needed_for |= c->needed_for;
		missing |= CAPS_BIT(c->cap);
	}
	if (missing) {
		set(probe, HOST_MISSING, "run as root", "user %u lacks %s", geteuid(),
		    caps_names(missing, " ", names, sizeof(names)));
		return;
	}
	probe->needed_for = HOST_AUDIT | HOST_SHUTDOWN | HOST_WATCH;
	set(probe, HOST_OK, "", "user %u has all the capabilities needed", geteuid());
}

static void probe_pid_namespace(struct host_probe *probe)
{
	uint64_t pidns = proc_ns_own("pid");

	if (!pidns)
		set(probe, HOST_MISSING, "mount proc on /proc", "no /proc/self/ns/pid: %s",
		    strerror(errno));
	else if (pidns == PROC_PIDNS_INIT)
		set(probe, HOST_OK, "", "the host's");
	else
		set(probe, HOST_MISSING, "run on the host, or in a container with --pid=host",
		    "not the host's (%llu): processes outside of it are not visible",
		    (unsigned long long)pidns);
}

/* Whether proc is mounted on /proc, and its hidepid=. The last mount there counts. */
static bool proc_mount(char *hidepid, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *mount;
	bool mounted = false;

	while (mounts && (mount = getmntent(mounts))) {
		const char *option = hasmntopt(mount, "hidepid");

		if (strcmp(mount->mnt_dir, "/proc") != 0 || strcmp(mount->mnt_type, "proc") != 0)
			continue;
		mounted = true;
		option = option ? option + strlen("hidepid=") : "off";
		snprintf(hidepid, size, "%.*s", (int)strcspn(option, ","), option);
	}
	if (mounts)
		endmntent(mounts);
	return mounted;
}

static void probe_proc(struct host_probe *probe)
{
	char hidepid[32];

	if (!proc_mount(hidepid, sizeof(hidepid)))
		set(probe, HOST_MISSING, "mount it:\n\tmount -t proc proc /proc",
		    "not mounted on /proc");
	else if (strcmp(hidepid, "off") == 0 || strcmp(hidepid, "0") == 0)
		set(probe, HOST_OK, "", "shows every process");
	else if (caps_have(CAP_SYS_PTRACE))
		set(probe, HOST_OK, "", "hidepid=%s; CAP_SYS_PTRACE sees every process", hidepid);
	else
		set(probe, HOST_MISSING,
		    "run as root, or show all processes:\n\tmount -o remount,hidepid=0 /proc",
		    "hidepid=%s hides other users' processes", hidepid);
}

static void probe_kernel(struct host_probe *probe)
{
	struct utsname name;

	uname(&name);
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0)
		set(probe, HOST_OK, "", "%s %s, with BTF", name.release, name.machine);
	else
		set(probe, HOST_DEGRADED,
		    "use a kernel with CONFIG_DEBUG_INFO_BTF; until then --no-bpf works",
		    "%s %s, no BTF: no BPF", name.release, name.machine);
}

static void probe_lockdown(struct host_probe *probe)
{
	char buf[128];
	const char *line = line_of("/sys/kernel/security/lockdown", buf, sizeof(buf));

	if (!line[0] && errno == ENOENT)
		set(probe, HOST_OK, "", "not in this kernel, or securityfs is not mounted");
	else if (!line[0])
		set(probe, HOST_OK, "", "not known: %s", strerror(errno));
	else if (strstr(line, "[confidentiality]"))
		set(probe, HOST_DEGRADED, "boot without lockdown=confidentiality",
		    "confidentiality: BPF may not read kernel memory");
	else
		set(probe, HOST_OK, "", "%s", line);
}

static void probe_mount(struct host_probe *probe, const char *path, unsigned long magic,
			const char *cure)
{
	struct statfs fs;

	if (statfs(path, &fs) == 0 && (unsigned long)fs.f_type == magic)
		set(probe, HOST_OK, "", "mounted on %s", path);
	else
		set(probe, HOST_DEGRADED, cure, "not mounted on %s", path);
}

static void probe_bpffs(struct host_probe *probe)
{
	probe_mount(probe, "/sys/fs/bpf", BPF_FS_MAGIC,
		    "mount it:\n\tmount -t bpf bpf /sys/fs/bpf");
}

static void probe_tracefs(struct host_probe *probe)
{
	probe_mount(probe, "/sys/kernel/tracing", TRACEFS_MAGIC,
		    "mount it:\n\tmount -t tracefs tracefs /sys/kernel/tracing");
}

static void probe_ptrace(struct host_probe *probe)
{
	char buf[32];
	const char *line = line_of("/proc/sys/kernel/yama/ptrace_scope", buf, sizeof(buf));

	if (!line[0])
		set(probe, HOST_OK, "", "no Yama restrictions");
	else if (strcmp(line, "3") == 0)
		set(probe, HOST_MISSING, "boot with kernel.yama.ptrace_scope below 3",
		    "kernel.yama.ptrace_scope is 3: no process may trace until the next boot");
	else
		set(probe, HOST_OK, "", "kernel.yama.ptrace_scope is %s", line);
}

static void probe_pidfd(struct host_probe *probe)
{
	int pidfd = ew_pidfd_open(getpid(), false);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int copy = pidfd < 0 ? pidfd : ew_pidfd_getfd(pidfd, null);

	if (copy >= 0)
		set(probe, HOST_OK, "", "pidfd_getfd works");
	else
		set(probe, HOST_DEGRADED,
		    "use Linux 5.6 or later; --method ptrace does not need it",
		    "no pidfd_getfd: %s", strerror(-copy));
	if (copy >= 0)
		close(copy);
	if (null >= 0)
		close(null);
	if (pidfd >= 0)
		close(pidfd);
}

/* Without them it acts all the same, but a busy disk or processor may delay it. */
static void probe_guard(struct host_probe *probe)
{
	bool lock = caps_have(CAP_IPC_LOCK), nice = caps_have(CAP_SYS_NICE);

	if (lock && nice)
		set(probe, HOST_OK, "",
		    "memory can be locked, and a thread can have real-time priority");
	else
		set(probe, HOST_DEGRADED, "run as root, or allow CAP_IPC_LOCK and CAP_SYS_NICE",
		    "%s%s%s missing: the guard's act may wait for a disk or a busy processor",
		    lock ? "" : "CAP_IPC_LOCK", !lock && !nice ? " and " : "",
		    nice ? "" : "CAP_SYS_NICE");
}

static void probe_sockdiag(struct host_probe *probe)
{
	const struct fact_socket *socket;
	struct sockdiag *list = NULL;
	struct error error = { 0 };
	char text[640];
	size_t n = 0;
	int more = sockdiag_open(NETNS_OWN, 0, NULL, SOCKDIAG_LISTEN, &list, &error) ?: 1;

	while (more > 0 && (more = sockdiag_next(list, &socket, &error)) > 0)
		n++;
	sockdiag_close(list);
	if (more == 0)
		set(probe, HOST_OK, "", "lists TCP sockets (%zu listen here)", n);
	else
		set(probe, HOST_MISSING, "load the module:\n\tmodprobe tcp_diag", "%.190s",
		    error_text(&error, text, sizeof(text)));
}

static void probe_conntrack(struct host_probe *probe)
{
	struct conntrack_query query = { .local = addr_from_v4("\x7f\0\0\1", 1) };
	struct error error = { 0 };
	int err;

	if (access("/proc/sys/net/netfilter/nf_conntrack_count", F_OK) < 0) {
		set(probe, HOST_OK, "", "not in this kernel: no link can go stale by it");
		return;
	}
	query.remote = query.local;
	err = conntrack_lookup(NETNS_OWN, &query, 1, &error);
	if (!err)
		err = query.err;
	if (!err)
		set(probe, HOST_OK, "", "entries can be looked up");
	else
		set(probe, HOST_MISSING,
		    err == -EPERM ? "run as root"
				  : "load the module:\n\tmodprobe nf_conntrack_netlink",
		    "entries cannot be looked up: %s", strerror(-err));
}

size_t host_probe_all(bool bpf, struct host_probe *probes)
{
	static const struct {
		const char *name;
		unsigned int needed_for;
		void (*run)(struct host_probe *probe);
		bool for_bpf;
	} all[] = {
		{ "pid-namespace", HOST_AUDIT | HOST_SHUTDOWN | HOST_WATCH, probe_pid_namespace,
		  false },
		{ "proc", HOST_AUDIT | HOST_SHUTDOWN | HOST_WATCH, probe_proc, false },
		{ "sock-diag", HOST_AUDIT, probe_sockdiag, false },
		{ "conntrack", HOST_AUDIT, probe_conntrack, false },
		{ "ptrace", HOST_SHUTDOWN, probe_ptrace, false },
		{ "pidfd", HOST_SHUTDOWN, probe_pidfd, false },
		{ "guard", HOST_SHUTDOWN, probe_guard, false },
		{ "kernel", HOST_WATCH, probe_kernel, true },
		{ "lockdown", HOST_WATCH, probe_lockdown, true },
		{ "bpffs", HOST_WATCH, probe_bpffs, true },
		{ "tracefs", HOST_WATCH, probe_tracefs, true },
	};
	size_t n = 0;

	_Static_assert(sizeof(all) / sizeof(*all) < HOST_PROBES_MAX, "room for all");
	probes[n] = (struct host_probe){ .name = "privilege" };
	probe_privilege(bpf, &probes[n++]);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (all[i].for_bpf && !bpf)
			continue;
		probes[n] =
			(struct host_probe){ .name = all[i].name, .needed_for = all[i].needed_for };
		all[i].run(&probes[n++]);
	}
	return n;
}
