/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_OBSERVE_NETLINK_SOCK_COOKIES_H
#define EW_OBSERVE_NETLINK_SOCK_COOKIES_H

struct error;

/*
 * Makes the kernel assign a cookie to every TCP socket that has none, in all processes' network
 * namespaces: sock_diag assigns them to the sockets it lists. Tracing programs cannot before Linux
 * 5.12. Namespaces that end meanwhile are skipped. Errors: -EACCES, -EPERM (a namespace may not be
 * entered), those of sock_diag.
 */
int sock_cookies_assign(struct error *error);

#endif
