/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent.h"
#include "json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flag {
	const char *name;  /* as Mesos has it */
	const char *alias; /* short form of the lab, or NULL */
	size_t offset;
	const char *preset;
};

#define FLAG(name, alias, member, preset)                                                          \
	{                                                                                          \
		name, alias, offsetof(struct agent_flags, member), preset                          \
	}

static const struct flag flags[] = {
	FLAG("ip", NULL, ip, "127.0.0.1"),
	FLAG("port", NULL, port, "5051"),
	FLAG("hostname", NULL, hostname, ""),
	FLAG("master", NULL, master, "127.0.0.1:5050"),
	FLAG("work_dir", NULL, work_dir, ""),
	FLAG("runtime_dir", NULL, runtime_dir, ""),
	FLAG("launcher_dir", NULL, launcher_dir, ""),
	FLAG("recovery_timeout", NULL, recovery_timeout, "15mins"),
	FLAG("executor_reregistration_timeout", "reregistration_timeout", reregistration_timeout,
	     "2secs"),
	FLAG("executor_reregistration_retry_interval", "retry_interval", retry_interval, ""),
	FLAG("lab_version", "version", version, "1.11.0"),
	FLAG("lab_recovery_delay", "recovery_delay", recovery_delay, "50ms"),
	FLAG("lab_dir", "dir", lab_dir, ""),
	FLAG("lab_name", "name", lab_name, "main"),
	FLAG("lab_api", "api", api, "ok"),
	FLAG("lab_netns", NULL, netns, ""),
	FLAG("lab_hold", "hold", hold, "no"),
	FLAG("recover", NULL, recover, "reconnect"),
	FLAG("lab_removed_after", "removed_after", removed_after, ""),
	FLAG("lab_away", "away", away, ""),
	FLAG("lab_listen_ip", "listen_ip", listen_ip, ""),
	FLAG("advertise_ip", NULL, advertise_ip, ""),
	FLAG("advertise_port", NULL, advertise_port, ""),
	FLAG("lab_mptcp", "mptcp", mptcp, "no"),
	FLAG("lab_serial", "serial", serial, "0"),
	FLAG("lab_claims", "claims", claims, ""),
	FLAG("http_executor_domain_sockets", NULL, domain_sockets, "false"),
	FLAG("domain_socket_location", NULL, domain_socket, ""),
	FLAG("lab_orphans", "orphans", orphans, "keep"),
	FLAG("strict", NULL, strict, "true"),
	FLAG("attributes", NULL, attributes, ""),
	FLAG("reconfiguration_policy", NULL, reconfiguration_policy, "equal"),
};

enum { N_FLAGS = sizeof(flags) / sizeof(flags[0]) };

/* What else /flags tells: name, value, name, value. */
static const char *const constant_flags[] = {
	"appc_simple_discovery_uri_prefix",
	"http://",
	"appc_store_dir",
	"/tmp/mesos/store/appc",
	"authenticate_http_executors",
	"false",
	"authenticate_http_readonly",
	"false",
	"authenticate_http_readwrite",
	"false",
	"authenticatee",
	"crammd5",
	"authentication_backoff_factor",
	"1secs",
	"authentication_timeout_max",
	"1mins",
	"authentication_timeout_min",
	"5secs",
	"authorizer",
	"local",
	"cgroups_cpu_enable_pids_and_tids_count",
	"false",
	"cgroups_destroy_timeout",
	"1mins",
	"cgroups_enable_cfs",
	"false",
	"cgroups_hierarchy",
	"/sys/fs/cgroup",
	"cgroups_limit_swap",
	"false",
	"cgroups_root",
	"mesos",
	"container_disk_watch_interval",
	"15secs",
	"containerizers",
	"mesos",
	"default_role",
	"*",
	"disk_watch_interval",
	"1mins",
	"docker",
	"docker",
	"docker_kill_orphans",
	"true",
	"docker_registry",
	"https://registry-1.docker.io",
	"docker_remove_delay",
	"6hrs",
	"docker_socket",
	"/var/run/docker.sock",
	"docker_stop_timeout",
	"0ns",
	"docker_store_dir",
	"/tmp/mesos/store/docker",
	"enforce_container_disk_quota",
	"false",
	"executor_registration_timeout",
	"1mins",
	"executor_shutdown_grace_period",
	"5secs",
	"fetcher_cache_dir",
	"/tmp/mesos/fetch",
	"fetcher_cache_size",
	"2GB",
	"frameworks_home",
	"",
	"gc_delay",
	"1weeks",
	"gc_disk_headroom",
	"0.1",
	"help",
	"false",
	"hostname_lookup",
	"false",
	"http_command_executor",
	"false",
	"http_heartbeat_interval",
	"30secs",
	"initialize_driver_logging",
	"true",
	"isolation",
	"posix/cpu,posix/mem",
	"launcher",
	"posix",
	"logbufsecs",
	"0",
	"logging_level",
	"INFO",
	"max_completed_executors_per_framework",
	"150",
	"oversubscribed_resources_interval",
	"15secs",
	"perf_duration",
	"10secs",
	"perf_interval",
	"1mins",
	"qos_correction_interval_min",
	"0ns",
	"quiet",
	"false",
	"registration_backoff_factor",
	"1secs",
	"resources",
	"cpus:8;mem:8192;disk:20000;ports:[31000-32000]",
	"revocable_cpu_low_priority",
	"true",
	"sandbox_directory",
	"/mnt/mesos/sandbox",
	"switch_user",
	"true",
	"systemd_enable_support",
	"false",
	"systemd_runtime_directory",
	"/run/systemd/system",
	"version",
	"false",
	"zk_session_timeout",
	"10secs",
};

static char **flag_value(const struct agent_flags *f, const struct flag *flag)
{
	return (char **)((char *)f + flag->offset);
}

static const struct flag *flag_find(const char *name)
{
	for (size_t i = 0; i < N_FLAGS; i++)
		if (!strcmp(name, flags[i].name) ||
		    (flags[i].alias && !strcmp(name, flags[i].alias)))
			return &flags[i];
	return NULL;
}

/* The name in "--name" or "--name=value", dashes made underscores. */
static char *flag_name(const char *arg, const char **value)
{
	const char *eq = strchr(arg, '=');
	char *name = strndup(arg + 2, eq ? (size_t)(eq - arg - 2) : strlen(arg + 2));

	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	*value = eq ? eq + 1 : NULL;
	return name;
}

/* --api-auth and the like. */
static bool take_misbehaviour(struct agent_flags *f, const char *name)
{
	if (strcmp(name, "api_auth") && strcmp(name, "api_garbage") && strcmp(name, "api_hang"))
		return false;
	free(f->api);
	f->api = lab_strdup(name + 4);
	return true;
}

static void default_to(char **value, const char *other)
{
	if (**value)
		return;
	free(*value);
	*value = lab_strdup(other);
}

const char *agent_ip(const struct agent *a)
{
	return *a->flags.advertise_ip ? a->flags.advertise_ip : a->flags.ip;
}

static void flags_finish(struct agent_flags *f)
{
	if (!*f->work_dir)
		lab_die("agent: --work_dir is missing");
	default_to(&f->hostname, f->ip);
	default_to(&f->lab_dir, f->work_dir);
	if (!*f->runtime_dir) {
		free(f->runtime_dir);
		f->runtime_dir = lab_fmt("%s/run/%s", f->lab_dir, f->lab_name);
	}
	default_to(&f->listen_ip, f->ip);
	if (launch_is(f->domain_sockets, "true") && !*f->domain_socket) {
		free(f->domain_socket);
		f->domain_socket = lab_fmt("%s/agent.sock", f->runtime_dir);
	}
	if (!*f->launcher_dir) {
		free(f->launcher_dir);
		f->launcher_dir = lab_fmt("%s/bin", f->lab_dir);
	}
}

void agent_flags_parse(struct agent_flags *f, int argc, char **argv)
{
	for (size_t i = 0; i < N_FLAGS; i++)
		*flag_value(f, &flags[i]) = lab_strdup(flags[i].preset);
	for (int i = 1; i < argc; i++) {
		const struct flag *flag;
		const char *value;
		char *name;

		if (strncmp(argv[i], "--", 2))
			lab_die("agent: unexpected argument '%s'", argv[i]);
		name = flag_name(argv[i], &value);
		flag = flag_find(name);
		if (!flag && !take_misbehaviour(f, name))
			lab_die("agent: unknown flag '%s'", argv[i]);
		free(name);
		if (!flag)
			continue;
		if (!value && i + 1 < argc)
			value = argv[++i];
		if (!value)
			lab_die("agent: flag '%s' needs a value", argv[i]);
		free(*flag_value(f, flag));
		*flag_value(f, flag) = lab_strdup(value);
	}
	flags_finish(f);
}

static void put_flag(struct buf *out, const char *name, const char *value)
{
	buf_fmt(out, "%s\"%s\":", out->len ? "," : "", name);
	json_str(out, value);
}

/* As a variable of the environment has it: MESOS_LAUNCHER. */
static const char *value_in_environment(const char *name, const char *preset)
{
	char variable[128];
	const char *value;

	snprintf(variable, sizeof(variable), "MESOS_%s", name);
	for (char *at = variable; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	value = getenv(variable);
	return value ? value : preset;
}

void agent_flags_json(struct buf *out, const struct agent_flags *f)
{
	struct buf b = { 0 };

	for (size_t i = 0; i + 1 < sizeof(constant_flags) / sizeof(constant_flags[0]); i += 2)
		put_flag(&b, constant_flags[i],
			 value_in_environment(constant_flags[i], constant_flags[i + 1]));
	for (size_t i = 0; i < N_FLAGS; i++)
		if (strncmp(flags[i].name, "lab_", 4) && **flag_value(f, &flags[i]))
			put_flag(&b, flags[i].name, *flag_value(f, &flags[i]));
	buf_fmt(out, "{%s}", b.data);
	buf_free(&b);
}
