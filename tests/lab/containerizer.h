/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_CONTAINERIZER_H
#define LAB_CONTAINERIZER_H

/* `mesos-containerizer launch`: starts the executor, stays as its parent, ends with its code. */
int containerizer_main(int argc, char **argv);

/* The task of an executor: `sleep N` or `curl URL`. SIGUSR1 ends it with 0. */
int task_main(int argc, char **argv);

/*
 * A connection to the agent's port that is no executor's:
 * NAME --bystander=master|monitor|idle IP PORT
 */
int bystander_main(int argc, char **argv);

#endif
