/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the agent's HTTP API is. */
#ifndef EW_OBSERVE_AGENT_API_URL_H
#define EW_OBSERVE_AGENT_API_URL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct error;
struct ew_addr;

struct api_url {
	bool tls;	/* https */
	char node[256]; /* HOST without brackets: what a certificate has to name */
	char host[300]; /* for the Host header: "10.0.0.7:5051", "[fe80::1]:5051" */
	char path[512]; /* before "/state": "" or "/slave(1)" */
	struct sockaddr_storage addr;
	socklen_t addr_len;
};

bool api_url_is_tls(const char *text);

/*
 * "http://HOST[:PORT][/PATH]" or https, by default port 5051. Resolves HOST, which may take a
 * while: by /etc/hosts and DNS only, whatever nsswitch.conf(5) says.
 */
int api_url_parse(const char *text, struct api_url *url, struct error *error);

/*
 * Whether the URL is that of the agent that listens on this address, maybe on every address. False
 * for NULL.
 */
bool api_url_is_of(const struct api_url *url, const struct ew_addr *agent);

#endif
