/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The facts of facts_node.h as recordings have them. */
#include "base/factfields_row.h"

static const struct factjson_field host_fields[] = {
	FIELD(host.cpus, "cpus"),
	FIELD(host.load, "load"),
	TRI(host.bound, "bound"),
	FIELD(host.address, "address"),
};

static const struct factjson_field disk_fields[] = {
	FIELD(disk.role, "role"),	  FIELD(disk.path, "path"),
	FIELD(disk.bytes, "bytes"),	  FIELD(disk.bytes_free, "bytes_free"),
	FIELD(disk.inodes, "inodes"),	  FIELD(disk.inodes_free, "inodes_free"),
	TRI(disk.read_only, "read_only"),
};

static const struct factjson_field master_fields[] = {
	FIELD(master.url, "url"),
	FIELD(master.problem, "problem"),
	FIELD(master.named, "named"),
	FIELD(master.http_status, "http_status"),
	FIELD(master.slave_id, "slave_id"),
	TRI(master.lists_agent, "lists_agent"),
	FIELD(master.removal_after, "removal_after_ns"),
};

static const struct factjson_field docker_fields[] = {
	FIELD(docker.socket, "socket"),
	TRI(docker.answers, "answers"),
	FIELD(docker.problem, "problem"),
	TRI(docker.kill_orphans, "kill_orphans"),
};

static const struct factjson_field container_fields[] = {
	FIELD(container.name, "name"),
	FIELD(container.state, "state"),
};

static const struct factfields rows[] = {
	TYPE(FACT_HOST, host),	   TYPE(FACT_DISK, disk),	    TYPE(FACT_MASTER, master),
	TYPE(FACT_DOCKER, docker), TYPE(FACT_CONTAINER, container),
};

const struct factfields_table factfields_node = TABLE(rows);
