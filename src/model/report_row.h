/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One executor of a report. Texts are copied: the report outlives the model. */
#ifndef EW_MODEL_REPORT_ROW_H
#define EW_MODEL_REPORT_ROW_H

#include "model/judge/executors.h"
#include "model/report.h"

/* With the verdict of the present moment. */
void report_row_fill(const struct store *store, const struct executor *executor,
		     struct report_executor *out, struct arena *arena);
/* Compared with the baseline b: with its outcome, or (outcomes is false) for what acts have done.
 */
void report_row_compare(const struct executors *view, const struct fact_baseline *b, bool outcomes,
			struct report_executor *out, struct arena *arena);
/* Of an executor that came after the baseline, compared as if that had it. */
void report_row_of_appeared(const struct executors *view, const struct process *process,
			    struct report_executor *out, struct arena *arena);
/* The worst first. */
void report_rows_sort(struct report_executor *rows, size_t n);

#endif
