/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What each verb does. All return an exit code. */
#ifndef EW_CLI_VERBS_H
#define EW_CLI_VERBS_H

struct options;

int verb_doctor(const struct options *options);
int verb_audit(const struct options *options);
int verb_shutdown(const struct options *options);
int verb_watch(const struct options *options);
int verb_verify(const struct options *options);
int verb_run(const struct options *options);
int verb_guard(const struct options *options);
int verb_hold(const struct options *options);
int verb_protect(const struct options *options);
int verb_report(const struct options *options);

#endif
