/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the tables of fields are written. For factfields_*.c alone. */
#ifndef EW_BASE_FACTFIELDS_ROW_H
#define EW_BASE_FACTFIELDS_ROW_H

#include "base/factfields.h"
#include "base/factjson.h"

#define MEMBER(path) (((struct fact *)0)->path)

/* The kind follows from the type in C; enum ew_tri, which C takes for a number, has its own macro.
 */
#define KIND(path)                                                                                 \
	_Generic(MEMBER(path),                                                                     \
		int32_t: FACTJSON_I32,                                                             \
		uint32_t: FACTJSON_U32,                                                            \
		int64_t: FACTJSON_I64,                                                             \
		uint64_t: FACTJSON_U64,                                                            \
		bool: FACTJSON_BOOL,                                                               \
		double: FACTJSON_REAL,                                                             \
		const char *: FACTJSON_TEXT,                                                       \
		struct ew_addr: FACTJSON_ADDR)

#define FIELD_OR(path, name_, missing_)                                                            \
	{                                                                                          \
		.name = name_, .kind = KIND(path), .offset = offsetof(struct fact, path),          \
		.missing = missing_                                                                \
	}
#define FIELD(path, name_) FIELD_OR(path, name_, 0)
#define TRI(path, name_)                                                                           \
	{                                                                                          \
		.name = name_, .kind = FACTJSON_TRI, .offset = offsetof(struct fact, path)         \
	}
#define LIST(path, n_path, name_)                                                                  \
	{                                                                                          \
		.name = name_, .kind = FACTJSON_LIST, .offset = offsetof(struct fact, path),       \
		.count = offsetof(struct fact, n_path)                                             \
	}
/* name_ is the type in recordings; it stays when the struct is renamed. */
#define TYPE_NAMED(type_, struct_, name_)                                                          \
	{                                                                                          \
		type_, name_, struct_##_fields,                                                    \
			sizeof(struct_##_fields) / sizeof(*struct_##_fields)                       \
	}
#define TYPE(type_, struct_) TYPE_NAMED(type_, struct_, #struct_)
#define TABLE(rows)                                                                                \
	{                                                                                          \
		rows, sizeof(rows) / sizeof(*rows)                                                 \
	}

/* The facts of one header facts_*.h. */
struct factfields_table {
	const struct factfields *v;
	size_t n;
};

extern const struct factfields_table factfields_session;
extern const struct factfields_table factfields_process;
extern const struct factfields_table factfields_connection;
extern const struct factfields_table factfields_agent;
extern const struct factfields_table factfields_next_start;
extern const struct factfields_table factfields_node;

#endif
