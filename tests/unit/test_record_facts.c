/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Every type of fact goes through its JSON line and comes back, with nothing left out. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/factfields.h"
#include "base/factjson.h"
#include "base/factwire.h"
#include "base/jsonval.h"
#include "base/error.h"

#define LAST_TYPE (FACT_TYPES_END - 1)

/* Quotes, newline, UTF-8, bytes that are none, and text that looks like the escape for those. */
static const struct factjson_field *fields_of(enum fact_type type, size_t *n)
{
	const struct factfields *fields = factfields_of(type);

	assert_non_null(fields);
	*n = fields->n;
	return fields->field;
}

static const char odd_text[] = "a \"b\"\n\t\xc3\xa9\xe2\x82\xac \xff\xc3 \\x41 \\xff \\ $(id) \x01";
static const char *const odd_list[] = { odd_text, "", "web.1", "\xfe" };

static void field_fill(struct fact *fact, const struct factjson_field *field, int seed)
{
	char *at = (char *)fact + field->offset;

	switch (field->kind) {
	case FACTJSON_I32:
		*(int32_t *)at = seed % 2 ? INT32_MIN + seed : INT32_MAX - seed;
		break;
	case FACTJSON_U32:
		*(uint32_t *)at = UINT32_MAX - (uint32_t)seed;
		break;
	case FACTJSON_I64:
		*(int64_t *)at = seed % 2 ? INT64_MIN + seed : INT64_MAX - seed;
		break;
	case FACTJSON_U64:
		*(uint64_t *)at = UINT64_MAX - (uint64_t)seed;
		break;
	case FACTJSON_BOOL:
		*(bool *)at = true;
		break;
	case FACTJSON_REAL:
		*(double *)at = 1764000000.123456 + seed;
		break;
	case FACTJSON_TRI:
		*(enum ew_tri *)at = EW_YES;
		break;
	case FACTJSON_TEXT:
		*(const char **)at = odd_text + seed % 4;
		break;
	case FACTJSON_ADDR:
		memset(at, 0x20 + seed, 16);
		((struct ew_addr *)at)->port = (uint16_t)(65535 - seed);
		break;
	case FACTJSON_LIST:
		*(const char *const **)at = odd_list;
		*(size_t *)((char *)fact + field->count) = 4;
		break;
	}
}

static void text_equal(const char *a, const char *b)
{
	assert_string_equal(a, b);
}

static void field_equal(const struct fact *a, const struct fact *b,
			const struct factjson_field *field)
{
	const char *x = (const char *)a + field->offset;
	const char *y = (const char *)b + field->offset;

	switch (field->kind) {
	case FACTJSON_I32:
	case FACTJSON_U32:
		assert_memory_equal(x, y, 4);
		break;
	case FACTJSON_I64:
	case FACTJSON_U64:
	case FACTJSON_REAL:
		assert_memory_equal(x, y, 8);
		break;
	case FACTJSON_BOOL:
		assert_memory_equal(x, y, sizeof(bool));
		break;
	case FACTJSON_TRI:
		assert_memory_equal(x, y, sizeof(enum ew_tri));
		break;
	case FACTJSON_ADDR:
		assert_memory_equal(x, y, 18);
		break;
	case FACTJSON_TEXT:
		text_equal(*(const char *const *)x, *(const char *const *)y);
		break;
	case FACTJSON_LIST:
		assert_int_equal(*(const size_t *)((const char *)b + field->count), 4);
		for (size_t i = 0; i < 4; i++)
			text_equal((*(const char *const *const *)x)[i],
				   (*(const char *const *const *)y)[i]);
		break;
	}
}

static void round_trip(const struct fact *fact, struct factjson_reader *reader, struct fact *back)
{
	json_t *object = factjson_pack(fact);
	char *line = json_dumps(object, JSON_COMPACT);
	struct error error = { 0 };
	size_t unknown = 77;

	assert_non_null(line);
	assert_null(strchr(line, '\n'));
	if (factjson_read(reader, line, strlen(line), back, &unknown, &error) != 0)
		fail_msg("%s: %s", error.message, line);
	assert_int_equal(unknown, 0);
	free(line);
	json_decref(object);
}

static void test_every_type_comes_back(void **state)
{
	struct factjson_reader *reader = factjson_reader_new();

	(void)state;
	for (int type = 1; type <= LAST_TYPE; type++) {
		struct fact fact = { .type = (enum fact_type)type, .mono = INT64_MAX - type };
		struct fact back;
		size_t n;
		const struct factjson_field *field = fields_of(fact.type, &n);

		assert_non_null(field);
		for (size_t i = 0; i < n; i++)
			field_fill(&fact, &field[i], (int)i);
		round_trip(&fact, reader, &back);
		assert_int_equal(back.type, type);
		assert_true(back.mono == fact.mono);
		for (size_t i = 0; i < n; i++)
			field_equal(&fact, &back, &field[i]);
	}
	factjson_reader_free(reader);
}

static void fact_fill(struct fact *fact, enum fact_type type)
{
	size_t n;
	const struct factjson_field *field = fields_of(type, &n);

	*fact = (struct fact){ .type = type, .mono = INT64_MAX - type };
	for (size_t i = 0; i < n; i++)
		field_fill(fact, &field[i], (int)i);
}

static void test_every_type_comes_back_as_bytes(void **state)
{
	struct factwire_writer writer = { 0 };
	struct factwire_reader reader = { 0 };

	(void)state;
	for (int type = 1; type <= LAST_TYPE; type++) {
		struct fact fact, back;
		size_t n;
		const struct factjson_field *field = fields_of((enum fact_type)type, &n);

		fact_fill(&fact, (enum fact_type)type);
		assert_int_equal(factwire_write(&writer, &fact), 0);
		assert_int_equal(factwire_read(&reader, writer.bytes, writer.len, &back), 0);
		assert_int_equal(back.type, type);
		assert_true(back.mono == fact.mono);
		for (size_t i = 0; i < n; i++)
			field_equal(&fact, &back, &field[i]);
	}
	factwire_writer_clear(&writer);
	factwire_reader_clear(&reader);
}

/* A fact that was cut off, or has too much, is none. The sanitizer sees a read beyond its end. */
static void test_bytes_of_another_length_are_no_fact(void **state)
{
	struct factwire_writer writer = { 0 };
	struct factwire_reader reader = { 0 };
	struct fact fact, back;

	(void)state;
	fact_fill(&fact, FACT_CHECKPOINT);
	assert_int_equal(factwire_write(&writer, &fact), 0);
	for (size_t len = 0; len <= writer.len + 1; len++) {
		char *bytes = calloc(1, len + 1);

		memcpy(bytes, writer.bytes, len < writer.len ? len : writer.len);
		assert_int_equal(factwire_read(&reader, bytes, len, &back),
				 len == writer.len ? 0 : -EBADMSG);
		free(bytes);
	}
	factwire_writer_clear(&writer);
	factwire_reader_clear(&reader);
}

/* As in JSON: a text without a value is empty, and no number is infinite. */
static void test_bytes_hold_what_json_holds(void **state)
{
	struct factwire_writer writer = { 0 };
	struct factwire_reader reader = { 0 };
	struct fact fact = { .type = FACT_HOST, .host = { .cpus = 2, .load = INFINITY } }, back;

	(void)state;
	assert_int_equal(factwire_write(&writer, &fact), 0);
	assert_int_equal(factwire_read(&reader, writer.bytes, writer.len, &back), 0);
	assert_true(back.host.load == 0);
	assert_int_equal(back.host.cpus, 2);
	fact = (struct fact){ .type = FACT_EXIT };
	assert_int_equal(factwire_write(&writer, &fact), 0);
	assert_int_equal(factwire_read(&reader, writer.bytes, writer.len, &back), 0);
	assert_string_equal(back.exit.comm, "");
	fact.type = FACT_TYPES_END;
	assert_int_equal(factwire_write(&writer, &fact), -EINVAL);
	factwire_writer_clear(&writer);
	factwire_reader_clear(&reader);
}

static void test_no_type_is_missing(void **state)
{
	(void)state;
	for (int type = 1; type <= LAST_TYPE; type++) {
		const char *name = factjson_type_name((enum fact_type)type);

		assert_non_null(name);
		for (int other = 1; other < type; other++)
			assert_string_not_equal(name, factjson_type_name((enum fact_type)other));
	}
	assert_null(factjson_type_name((enum fact_type)(LAST_TYPE + 1)));
	assert_null(factfields_of((enum fact_type)(LAST_TYPE + 1)));
}

static size_t field_size(enum factjson_kind kind)
{
	static const size_t sizes[] = {
		[FACTJSON_I32] = 4,
		[FACTJSON_U32] = 4,
		[FACTJSON_I64] = 8,
		[FACTJSON_U64] = 8,
		[FACTJSON_BOOL] = sizeof(bool),
		[FACTJSON_REAL] = sizeof(double),
		[FACTJSON_TRI] = sizeof(enum ew_tri),
		[FACTJSON_TEXT] = sizeof(char *),
		[FACTJSON_ADDR] = sizeof(struct ew_addr),
		[FACTJSON_LIST] = sizeof(char **),
	};

	return sizes[kind];
}

/* used has a byte of 0xff for each that belongs to a member of the struct, 0 for padding. */
static void covered(enum fact_type type, const uint8_t *used, size_t size)
{
	uint8_t seen[sizeof(struct fact)] = { 0 };
	size_t base = offsetof(struct fact, session);
	size_t n;
	const struct factjson_field *field = fields_of(type, &n);

	for (size_t i = 0; i < n; i++) {
		memset(seen + field[i].offset, 0xff, field_size(field[i].kind));
		if (field[i].kind == FACTJSON_LIST)
			memset(seen + field[i].count, 0xff, sizeof(size_t));
	}
	for (size_t i = 0; i < size; i++) {
		if (used[i] && !seen[base + i])
			fail_msg("fact %s: no field for the byte at %zu", factjson_type_name(type),
				 i);
	}
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
#define CAN_TELL_PADDING 1
#endif
#endif

static void test_every_member_has_a_field(void **state)
{
	int types = 0;

	(void)state;
#ifdef CAN_TELL_PADDING
#define COVERED(type, name)                                                                        \
	do {                                                                                       \
		struct fact_##name fact;                                                           \
		memset(&fact, 0xff, sizeof(fact));                                                 \
		__builtin_clear_padding(&fact);                                                    \
		covered(type, (const uint8_t *)&fact, sizeof(fact));                               \
		types++;                                                                           \
	} while (0)
	COVERED(FACT_SESSION, session);
	COVERED(FACT_HOOK, hook);
	COVERED(FACT_PROCESS, process);
	COVERED(FACT_SOCKET, socket);
	COVERED(FACT_HOLDER, holder);
	COVERED(FACT_TCP, tcp);
	COVERED(FACT_EXEC, exec);
	COVERED(FACT_EXIT, exit);
	COVERED(FACT_SIGNAL, signal);
	COVERED(FACT_MESSAGE, message);
	COVERED(FACT_CT_ACTIVE, ct_active);
	COVERED(FACT_CT_ENTRY, ct_entry);
	COVERED(FACT_CHECKPOINT, checkpoint);
	COVERED(FACT_WORK_DIR, work_dir);
	COVERED(FACT_AGENT, agent);
	COVERED(FACT_API, api);
	COVERED(FACT_API_EXECUTOR, api_executor);
	COVERED(FACT_UNREAD, unread);
	COVERED(FACT_LOST, lost);
	COVERED(FACT_ACT, act);
	COVERED(FACT_COMMAND, command);
	COVERED(FACT_SCAN, scan);
	COVERED(FACT_BASELINE, baseline);
	COVERED(FACT_NOW, now);
	COVERED(FACT_FORK, fork);
	COVERED(FACT_FIREWALL, firewall);
	COVERED(FACT_UNIX_LINK, unix_link);
	COVERED(FACT_TASK, task);
	COVERED(FACT_END, end);
	COVERED(FACT_SERVICE, service);
	COVERED(FACT_AGENT_AWAY, agent_away);
	COVERED(FACT_AUDIT_LOG, audit_log);
	COVERED(FACT_DAMAGE, damage);
	COVERED(FACT_FLAG, flag);
	COVERED(FACT_NEXT_START, next_start);
	COVERED(FACT_AGENT_INFO, agent_info);
	COVERED(FACT_DISK, disk);
	COVERED(FACT_MASTER, master);
	COVERED(FACT_DOCKER, docker);
	COVERED(FACT_CONTAINER, container);
	COVERED(FACT_HOST, host);
	COVERED(FACT_KEEPALIVE, keepalive);
	COVERED(FACT_PORT, port);
	COVERED(FACT_AGENT_LOG, agent_log);
	COVERED(FACT_FORESEEN, foreseen);
	COVERED(FACT_LISTENER, listener);
	assert_int_equal(types, LAST_TYPE);
#else
	(void)covered, (void)types;
	skip(); /* this compiler cannot tell padding from members */
#endif
}

static void test_the_notation(void **state)
{
	struct fact fact = { .type = FACT_EXIT,
			     .mono = 5,
			     .exit = { .pid = 7,
				       .start = (UINT64_C(1) << 53) + 1,
				       .comm = "a\xff\\x41\\",
				       .status = -1,
				       .killer_start = UINT64_C(1) << 53 } };
	json_t *object = factjson_pack(&fact);
	char *line = json_dumps(object, JSON_COMPACT);

	(void)state;
	assert_string_equal(line, "{\"type\":\"exit\",\"mono_ns\":5,\"pid\":7,"
				  "\"start\":\"9007199254740993\","
				  "\"comm\":\"a\\\\xff\\\\x5cx41\\\\\",\"status\":-1,\"signal\":0,"
				  "\"killer\":0,\"killer_start\":9007199254740992,"
				  "\"killer_comm\":\"\"}");
	free(line);
	json_decref(object);
}

static int read_line(const char *line, struct fact *fact, size_t *unknown, struct error *error)
{
	struct factjson_reader *reader = factjson_reader_new();
	int err = factjson_read(reader, line, strlen(line), fact, unknown, error);

	factjson_reader_free(reader);
	return err;
}

/* jansson alone reads these as the pid 17. */
static void test_a_nul_byte_is_no_json(void **state)
{
	static const char after_a_number[] = "{\"type\":\"exit\",\"mono_ns\":1,\"pid\":17\0}";
	static const char behind_it[] = "{\"type\":\"exit\",\"mono_ns\":1,\"pid\":17}\0";
	const struct {
		const char *line;
		size_t len;
	} bad[] = { { after_a_number, sizeof(after_a_number) - 1 },
		    { behind_it, sizeof(behind_it) - 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct factjson_reader *reader = factjson_reader_new();
		struct error error = { 0 };
		struct fact fact;
		size_t unknown;

		assert_int_equal(
			factjson_read(reader, bad[i].line, bad[i].len, &fact, &unknown, &error),
			-EINVAL);
		factjson_reader_free(reader);
	}
}

static void test_later_versions(void **state)
{
	struct fact fact;
	size_t unknown = 0;

	(void)state;
	assert_int_equal(read_line("{\"type\":\"socket\",\"mono_ns\":1,\"cookie\":3,\"new\":[1]}",
				   &fact, &unknown, NULL),
			 0);
	assert_int_equal(unknown, 1);
	assert_int_equal(fact.socket.cookie, 3);
	assert_int_equal(fact.socket.idle, -1); /* a missing number that may be "not known" is so */
	assert_int_equal(read_line("{\"type\":\"telepathy\",\"mono_ns\":1}", &fact, &unknown, NULL),
			 FACTJSON_LATER);
}

static void test_what_is_no_fact(void **state)
{
	static const struct {
		const char *line, *names;
	} bad[] = {
		{ "", "JSON" },
		{ "{\"type\":\"now\",\"mono_ns\":1", "JSON" },
		{ "[]", "'type'" },
		{ "{\"type\":7}", "'type'" },
		{ "{\"type\":\"now\"}", "'mono_ns'" },
		{ "{\"type\":\"now\",\"mono_ns\":1,\"final\":\"no\"}", "'final'" },
		{ "{\"type\":\"exec\",\"mono_ns\":1,\"pid\":3000000000}", "'pid'" },
		{ "{\"type\":\"exec\",\"mono_ns\":1,\"start\":-1}", "'start'" },
		{ "{\"type\":\"exec\",\"mono_ns\":1,\"start\":\"18446744073709551616\"}",
		  "'start'" },
		{ "{\"type\":\"exec\",\"mono_ns\":1,\"start\":\" 1\"}", "'start'" },
		{ "{\"type\":\"exec\",\"mono_ns\":1,\"comm\":null}", "'comm'" },
		{ "{\"type\":\"agent\",\"mono_ns\":1,\"listen\":\"10.0.0.7\"}", "'listen'" },
		{ "{\"type\":\"entry\",\"mono_ns\":1,\"present\":\"maybe\"}", "'present'" },
		{ "{\"type\":\"checkpoint\",\"mono_ns\":1,\"tasks\":[1]}", "'tasks'" },
		{ "{\"type\":\"checkpoint\",\"mono_ns\":1,\"tasks\":\"web\"}", "'tasks'" },
		{ "{\"type\":\"exec\",\"mono_ns\":1,\"comm\":\"\xff\"}", "JSON" },
		{ "{\"type\":\"exec\",\"mono_ns\":1,\"comm\":\"\\u0000\"}", "JSON" },
		{ "{\"type\":\"now\",\"mono_ns\":1,\"mono_ns\":2}", "JSON" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fact fact = { .mono = 99 };
		struct error error = { 0 };
		size_t unknown;

		if (read_line(bad[i].line, &fact, &unknown, &error) != -EINVAL)
			fail_msg("taken for a fact: %s", bad[i].line);
		assert_non_null(strstr(error.message, bad[i].names));
		assert_int_equal(fact.mono, 99);
	}
}

static const char *schema_type(const json_t *property)
{
	const char *ref = json_string_value(json_object_get(property, "$ref"));

	return ref ? strrchr(ref, '/') + 1 : json_string_value(json_object_get(property, "type"));
}

/* schema/fact.schema.json names each field of each type, with its kind, and no other. */
static void test_the_schema_is_the_table(void **state)
{
	static const char *const kinds[] = {
		[FACTJSON_I32] = "i32",	   [FACTJSON_U32] = "u32",	[FACTJSON_I64] = "i64",
		[FACTJSON_U64] = "u64",	   [FACTJSON_BOOL] = "boolean", [FACTJSON_REAL] = "number",
		[FACTJSON_TRI] = "tri",	   [FACTJSON_TEXT] = "text",	[FACTJSON_ADDR] = "address",
		[FACTJSON_LIST] = "array",
	};
	json_error_t error;
	json_t *schema = json_load_file("schema/fact.schema.json", 0, &error);
	const json_t *defs = json_object_get(schema, "$defs");

	(void)state;
	assert_non_null(schema);
	assert_int_equal(json_object_size(defs), LAST_TYPE);
	for (int type = 1; type <= LAST_TYPE; type++) {
		const char *name = factjson_type_name((enum fact_type)type);
		const json_t *def = json_object_get(defs, name);
		const json_t *properties = json_object_get(def, "properties");
		size_t n;
		const struct factjson_field *field = fields_of((enum fact_type)type, &n);

		assert_int_equal(json_object_size(properties), n);
		assert_int_equal(json_array_size(json_object_get(def, "required")), n);
		for (size_t i = 0; i < n; i++) {
			const json_t *property = json_object_get(properties, field[i].name);

			if (!property)
				fail_msg("%s.%s is not in the schema", name, field[i].name);
			assert_string_equal(schema_type(property), kinds[field[i].kind]);
		}
	}
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_comes_back),
		cmocka_unit_test(test_every_type_comes_back_as_bytes),
		cmocka_unit_test(test_bytes_of_another_length_are_no_fact),
		cmocka_unit_test(test_bytes_hold_what_json_holds),
		cmocka_unit_test(test_no_type_is_missing),
		cmocka_unit_test(test_every_member_has_a_field),
		cmocka_unit_test(test_the_notation),
		cmocka_unit_test(test_a_nul_byte_is_no_json),
		cmocka_unit_test(test_later_versions),
		cmocka_unit_test(test_what_is_no_fact),
		cmocka_unit_test(test_the_schema_is_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
