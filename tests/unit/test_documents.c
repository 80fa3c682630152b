/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of verdicts is whole, and schema and README name what reports can say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "model/report.h"
#include "model/verdict_table.h"

/* The names of an enum, by its numbers; NULL: none. */
typedef const char *name_fn(int i);

static const char *verdict_at(int i)
{
	return i < VERDICT_COUNT ? verdict_name((enum verdict)i) : NULL;
}

static const char *outcome_at(int i)
{
	return i < OUTCOME_COUNT ? outcome_name((enum outcome)i) : NULL;
}

static void each_verdict_has_its_row(void **state)
{
	(void)state;
	for (int i = 0; i < VERDICT_COUNT; i++) {
		enum verdict verdict = (enum verdict)i;

		if (!verdict_name(verdict))
			fail_msg("verdict %d has no row in src/model/verdict_table.c", i);
		if ((verdict_touch(verdict) == TOUCH_NEVER) != (verdict_refusal(verdict) != NULL))
			fail_msg("%s: has a refusal, or may be touched, not both",
				 verdict_name(verdict));
		if ((verdict_effect(verdict) == EFFECT_UNKNOWN) != (verdict == VERDICT_UNKNOWN) ||
		    (verdict_severity(verdict) == SEVERITY_UNKNOWN) != (verdict == VERDICT_UNKNOWN))
			fail_msg("%s: its effect and severity are those of unknown only if it is",
				 verdict_name(verdict));
	}
	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (!outcome_name((enum outcome)i))
			fail_msg("outcome %d has no row in src/model/verdict_table.c", i);
}

/* ---- schema/common.schema.json ---- */

static bool names_word(const json_t *words, const char *name)
{
	const json_t *word;
	size_t i;

	json_array_foreach(words, i,
			   word) if (json_is_string(word) &&
				     strcmp(json_string_value(word), name) == 0) return true;
	return false;
}

static void check_schema(const json_t *schema, const char *object, const char *field,
			 const char *summary, name_fn *name_at)
{
	const json_t *defs = json_object_get(schema, "$defs");
	const json_t *fields = json_object_get(json_object_get(defs, object), "properties");
	const json_t *words = json_object_get(json_object_get(fields, field), "enum");
	const json_t *counts = json_object_get(json_object_get(defs, summary), "properties");
	int n = 0;

	for (; name_at(n); n++) {
		if (!names_word(words, name_at(n)))
			fail_msg("schema/common.schema.json: %s lacks '%s'", field, name_at(n));
		if (!json_object_get(counts, name_at(n)))
			fail_msg("schema/common.schema.json: %s lacks '%s'", summary, name_at(n));
	}
	assert_int_equal(json_array_size(words), n);
	assert_int_equal(json_object_size(counts), n);
}

static void schema_names_verdicts_and_outcomes(void **state)
{
	json_t *schema = json_load_file("schema/common.schema.json", 0, NULL);

	(void)state;
	assert_non_null(schema);
	check_schema(schema, "judged", "verdict", "verdicts", verdict_at);
	check_schema(schema, "ended", "outcome", "outcomes", outcome_at);
	json_decref(schema);
}

/* ---- README.md ---- */

/* A section of the README, from its title to the next, to be freed. */
static char *section_of(const char *title)
{
	static char text[256 * 1024];
	FILE *f = fopen("README.md", "r");
	char *begin, *end;

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	begin = strstr(text, title);
	assert_non_null(begin);
	end = strstr(begin + strlen(title), "\n## ");
	assert_non_null(end);
	return strndup(begin, (size_t)(end - begin));
}

static void check_readme(const char *title, name_fn *name_at)
{
	char *section = section_of(title), row[64];
	int n = 0, rows = 0;

	for (; name_at(n); n++) {
		snprintf(row, sizeof(row), "\n| `%s` |", name_at(n));
		if (!strstr(section, row))
			fail_msg("README.md: '%s' has no row for '%s'", title + 4, name_at(n));
	}
	for (const char *at = section; (at = strstr(at, "\n| `")); at++)
		rows++;
	assert_int_equal(rows, n);
	free(section);
}

static void readme_has_a_row_for_each(void **state)
{
	(void)state;
	check_readme("\n## Verdicts", verdict_at);
	check_readme("\n## Outcomes", outcome_at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_verdict_has_its_row),
		cmocka_unit_test(schema_names_verdicts_and_outcomes),
		cmocka_unit_test(readme_has_a_row_for_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
