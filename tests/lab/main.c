/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One program under many names: the node's DIR/bin holds links to it, and what it is asked
 * to be shows in its name, as with the programs of Mesos.
 */
#include "agent.h"
#include "containerizer.h"
#include "ctl.h"
#include "exec.h"
#include "node.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} roles[] = {
	{"mesos-executor", executor_main},
	{"mesos-docker-executor", executor_main},
	{"java", executor_main},
	{"mesos-containerizer", containerizer_main},
	{"mesos-agent", agent_main},
	{"mesos-slave", agent_main},
	{"sleep", task_main},
	{"curl", task_main},
}, verbs[] = {
	{"up", up_main},
	{"agent", agent_main},
	{"ctl", ctl_main},
};

static int usage(void)
{
	fputs("usage: execwatch-lab up --dir DIR [--spec FILE|-] [--executors N] [--kind KIND]\n"
	      "                        [--workers N] [--conntrack]\n"
	      "       execwatch-lab ctl DIR COMMAND [ARGUMENT...]\n"
	      "       execwatch-lab agent --work-dir DIR [--ip IP] [--port N] [FLAG...]\n"
	      "tests/lab/README.md has the details.\n",
	      stderr);
	return 64;
}

int main(int argc, char **argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;
	const char *name = slash ? slash + 1 : argc ? argv[0] : "";

	if (argc > 1 && !strncmp(argv[1], "--bystander=", 12))
		return bystander_main(argc, argv);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (!strcmp(name, roles[i].name))
			return roles[i].run(argc, argv);
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	return usage();
}
