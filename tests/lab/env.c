/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "addr.h"
#include "env.h"

#include <stdlib.h>
#include <string.h>

#define LAB_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct env {
	char **vars;
	size_t n;
};

static void put(struct env *e, char *var)
{
	e->vars = realloc(e->vars, (e->n + 2) * sizeof(char *));
	if (!e->vars)
		lab_die("out of memory");
	e->vars[e->n++] = var;
	e->vars[e->n] = NULL;
}

static char *agent_endpoint(const struct launch *l)
{
	char *host = addr_host(l->agent_ip), *endpoint = lab_fmt("%s:%s", host, l->agent_port);

	free(host);
	return endpoint;
}

char *env_upid(const struct launch *l)
{
	char *endpoint = agent_endpoint(l), *upid = lab_fmt("slave(1)@%s", endpoint);

	free(endpoint);
	return upid;
}

char *env_library(const struct launch *l)
{
	if (launch_is(l->lib, "deleted"))
		return lab_fmt("%s/lib/%s/libmesos-%s.so", l->dir, l->container_id, l->version);
	return lab_fmt("%s/lib/libmesos-%s.so", l->dir, l->version);
}

/* Only checkpointing frameworks' executors get these (containerizer.cpp, executorEnvironment). */
static void put_recovery(struct env *e, const struct launch *l)
{
	put(e, lab_fmt("MESOS_RECOVERY_TIMEOUT=%s", l->recovery_timeout));
	if (launch_is(l->peer_match, "yes"))
		put(e, lab_strdup("LIBPROCESS_REQUIRE_PEER_ADDRESS_IP_MATCH=true"));
	if (launch_is(l->tls_said, "yes"))
		put(e, lab_strdup("LIBPROCESS_SSL_ENABLED=1"));
	put(e, lab_fmt("MESOS_SUBSCRIPTION_BACKOFF_MAX=%s", l->backoff_max));
}

char **env_executor(const struct launch *l)
{
	struct env e = { 0 };
	char *upid = env_upid(l), *lib = env_library(l), *endpoint = agent_endpoint(l);

	put(&e, lab_strdup(LAB_PATH));
	if (!launch_is(l->as, "docker"))
		put(&e, lab_fmt("MESOS_SANDBOX=%s", l->directory));
	put(&e, lab_fmt("MESOS_SLAVE_PID=%s", upid));
	put(&e, lab_fmt("LIBPROCESS_IP=%s", launch_is(l->ns, "net") ? "0.0.0.0" : l->agent_ip));
	put(&e, lab_strdup("LIBPROCESS_PORT=0"));
	put(&e, lab_fmt("MESOS_EXECUTOR_ID=%s", l->id));
	put(&e, lab_fmt("MESOS_AGENT_ENDPOINT=%s", endpoint));
	put(&e, lab_fmt("MESOS_CHECKPOINT=%s", l->checkpoint));
	put(&e, lab_fmt("MESOS_FRAMEWORK_ID=%s", l->framework_id));
	if (version_number(l->version) >= 1000000)
		put(&e, lab_fmt("MESOS_HTTP_COMMAND_EXECUTOR=%d", launch_is_v1(l)));
	if (*l->domain_socket) /* every executor gets it; only v1 uses it */
		put(&e, lab_fmt("MESOS_DOMAIN_SOCKET=%s", l->domain_socket));
	if (launch_is(l->lib, "yes")) {
		put(&e, lab_fmt("MESOS_NATIVE_LIBRARY=%s", lib));
		put(&e, lab_fmt("MESOS_NATIVE_JAVA_LIBRARY=%s", lib));
	}
	put(&e, lab_fmt("MESOS_SLAVE_ID=%s", l->slave_id));
	put(&e, lab_fmt("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=%s", l->grace));
	put(&e, lab_fmt("MESOS_DIRECTORY=%s", l->directory));
	if (launch_is(l->checkpoint, "1"))
		put_recovery(&e, l);
	free(upid);
	free(endpoint);
	free(lib);
	return e.vars;
}

char **env_containerizer(const struct launch *l)
{
	struct env e = { 0 };

	put(&e, lab_strdup("HOME=/root"));
	put(&e, lab_strdup("LANG=C.UTF-8"));
	put(&e, lab_fmt("LIBPROCESS_IP=%s", l->agent_ip));
	put(&e, lab_strdup("LIBPROCESS_MEMORY_PROFILING=false"));
	put(&e, lab_fmt("LIBPROCESS_PORT=%s", l->agent_port));
	put(&e, lab_strdup("MESOS_CONTAINERIZER_HELP=false"));
	put(&e, lab_fmt("MESOS_CONTAINERIZER_LAUNCH_INFO={\"command\":{\"arguments\":"
			"[\"mesos-executor\",\"--launcher_dir=%s/bin\"],\"shell\":false,"
			"\"value\":\"%s/bin/mesos-executor\"},\"user\":\"root\"}",
			l->dir, l->dir));
	put(&e, lab_fmt("MESOS_CONTAINERIZER_RUNTIME_DIRECTORY=%s/run/%s/containers/%s", l->dir,
			l->agent, l->container_id));
	put(&e, lab_strdup("MESOS_CONTAINERIZER_UNSHARE_NAMESPACE_MNT=false"));
	put(&e, lab_strdup(LAB_PATH));
	return e.vars;
}
