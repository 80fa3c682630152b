/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/schema.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

/* Length of "execwatch.NAME/"; 0: schema is not of that form. */
static size_t stem_length(const char *schema)
{
	const char *slash = strchr(schema, '/');

	return slash ? (size_t)(slash - schema) + 1 : 0;
}

int schema_check(const json_t *document, const char *const *names, size_t n, const char *what,
		 const char *cure, struct error *error)
{
	const char *schema = json_string_value(json_object_get(document, "schema"));

	for (size_t i = 0; schema && i < n; i++) {
		size_t stem = stem_length(names[i]);

		if (strcmp(schema, names[i]) == 0)
			return 0;
		if (strncmp(schema, names[i], stem) == 0)
			return error_set(error, -EPROTONOSUPPORT,
					 "use the version of execwatch that wrote it",
					 "read '%s': its format is version %.20s, this execwatch "
					 "reads version %s",
					 what, schema + stem, names[i] + stem);
	}
	return error_set(error, -EINVAL, cure, "read '%s': no document of execwatch of the kind %s",
			 what, names[0]);
}
