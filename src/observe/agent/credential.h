/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How to log in to the agent's HTTP API. */
#ifndef EW_OBSERVE_AGENT_CREDENTIAL_H
#define EW_OBSERVE_AGENT_CREDENTIAL_H

struct error;

/*
 * Reads one credential: {"principal": "…", "secret": "…"} or "principal secret", as Mesos' own
 * files have it (docs/authentication.md of Mesos: --credential), "user:password" (all three as HTTP
 * Basic), "token=…" (DC/OS) or "Bearer …", in one line but for JSON. *ret_header gets the value of
 * the Authorization header, to be freed. Errors: those of open(2) and read(2); -EACCES: every user
 * may read the file, so that it must not hold a secret; -EINVAL: it holds something else.
 */
int credential_read(const char *path, char **ret_header, struct error *error);

#endif
