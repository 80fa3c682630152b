/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/baseline.h"

#include "base/agent_ports.h"
#include "base/jsonval.h"
#include "record/baseline_document.h"

static void ports_read(const struct baseline_dir *dir, const struct baseline_file *file,
		       struct agent_ports *ports)
{
	json_t *document = NULL, *port;
	uint64_t number;
	size_t i;

	*ports = (struct agent_ports){ { file->port } };
	if (baseline_document_load(dir, file->name, &document, NULL) < 0)
		return;
	json_array_foreach(json_object_get(json_object_get(document, "agent"), "advertised_ports"),
			   i, port) if (jsonval_get_u64(port, &number) == 0 && number <= UINT16_MAX)
		agent_ports_add(ports, (uint16_t)number);
	json_decref(document);
}

bool baseline_ports(const struct baseline_dir *dir, const char *boot_id, uint16_t port,
		    struct agent_ports *ports)
{
	struct baseline_files files;
	bool found = false;

	if (baseline_files_list(dir, boot_id, 0, &files, NULL) == 0)
		for (size_t i = 0; i < files.n && !found; i++) {
			ports_read(dir, &files.v[i], ports);
			found = agent_ports_have(ports, port);
		}
	baseline_files_free(&files);
	return found;
}
