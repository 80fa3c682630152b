/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/jsonval.h"
#include "show/doctor.h"

#include <errno.h>
#include <stdlib.h>

#include "show/term_text.h"
#include "show/json/json_fields.h"
#include "show/textbuf.h"

#define NAME_WIDTH  22
#define STATE_WIDTH 9
#define INDENT	    (NAME_WIDTH + STATE_WIDTH + 2)

static const char *const state_names[] = { "ok", "degraded", "missing" };
static const char *const state_colours[] = { "\x1b[32m", "\x1b[33m", "\x1b[31m" };

static const char *can(bool works)
{
	return works ? "works" : "cannot work";
}

static void check_write(FILE *out, const struct check *check, int width, bool color)
{
	term_text_put(out, check->name, NAME_WIDTH, false);
	fputc(' ', out);
	fputs(color ? state_colours[check->state] : "", out);
	term_text_put(out, state_names[check->state], STATE_WIDTH, false);
	fputs(color ? "\x1b[0m " : " ", out);
	term_text_wrap(out, check->detail, INDENT, INDENT, width);
	if (!*check->cure)
		return;
	fprintf(out, "%*s", INDENT, "");
	fputs("cure: ", out);
	term_text_wrap_commands(out, check->cure, INDENT + 6, INDENT, width);
}

int doctor_table_write(FILE *file, const struct checkup *checkup, int width, bool color)
{
	struct textbuf text;
	FILE *out;

	if (textbuf_begin(&text) < 0)
		return -ENOMEM;
	out = text.text;
	fprintf(out, "audit %s, shutdown %s, watch %s on this host.\n\n", can(checkup->audit),
		can(checkup->shutdown), can(checkup->watch));
	for (size_t i = 0; i < checkup->n; i++)
		check_write(out, &checkup->checks[i], width, color);
	return textbuf_end_to(&text, file);
}

static json_t *check_new(const struct check *check)
{
	struct fields f = fields_new();

	field_text(&f, "name", check->name);
	field_text(&f, "state", state_names[check->state]);
	field_text(&f, "detail", check->detail);
	field_text(&f, "cure", check->cure);
	return fields_done(&f);
}

static json_t *checks_new(const struct checkup *checkup)
{
	json_t *array = json_array();

	for (size_t i = 0; i < checkup->n; i++) {
		if (json_array_append_new(array, check_new(&checkup->checks[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *can_new(const struct checkup *checkup)
{
	struct fields f = fields_new();

	field_bool(&f, "audit", checkup->audit);
	field_bool(&f, "shutdown", checkup->shutdown);
	field_bool(&f, "watch", checkup->watch);
	return fields_done(&f);
}

static json_t *checkup_new(const struct checkup *checkup)
{
	struct fields f = fields_new();

	field_text(&f, "schema", "execwatch.doctor/1");
	field_text(&f, "tool", checkup->tool);
	field_text(&f, "host", checkup->host);
	field_text(&f, "boot_id", checkup->boot_id);
	field_wall(&f, "generated_at", checkup->generated);
	field_value(&f, "can", can_new(checkup));
	field_value(&f, "checks", checks_new(checkup));
	field_int(&f, "exit_code", checkup->exit_code);
	return fields_done(&f);
}

int doctor_document_write(FILE *file, const struct checkup *checkup, bool indented)
{
	json_t *document = checkup_new(checkup);
	struct textbuf text;

	if (!document || textbuf_begin(&text) < 0) {
		json_decref(document);
		return -ENOMEM;
	}
	jsonval_dumpf(document, text.text,
		      JSON_PRESERVE_ORDER | (indented ? JSON_INDENT(2) : JSON_COMPACT));
	fputc('\n', text.text);
	json_decref(document);
	return textbuf_end_to(&text, file);
}

int doctor_nagios_write(FILE *file, const struct checkup *checkup)
{
	static const char *const states[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
	struct textbuf line;
	int err = textbuf_begin(&line);
	size_t missing = 0;

	if (err < 0)
		return err;
	for (size_t i = 0; i < checkup->n; i++)
		missing += checkup->checks[i].state == CHECK_MISSING;
	fprintf(line.text, "EXECWATCH %s - ", states[checkup->exit_code & 3]);
	fprintf(line.text, "This host %s be audited, %s be acted on and %s be watched.",
		checkup->audit ? "can" : "cannot", checkup->shutdown ? "can" : "cannot",
		checkup->watch ? "can" : "cannot");
	for (size_t i = 0; i < checkup->n; i++)
		if (checkup->checks[i].state == CHECK_MISSING)
			fprintf(line.text, " Missing: %s.", checkup->checks[i].name);
	fprintf(line.text, " | checks=%zu missing=%zu\n", checkup->n, missing);
	return textbuf_end_to(&line, file);
}
