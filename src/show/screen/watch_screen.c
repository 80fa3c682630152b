/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/screen/watch_screen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/walltime.h"
#include "show/term_text.h"
#include "show/event_text.h"
#include "show/table/table.h"
#include "show/textbuf.h"
#include "show/units.h"

#define EVENTS_MAX 8
#define EVENT_SIZE 512
#define ROWS_MIN   12

#define HOME	   "\x1b[H"
#define LINE_CLEAR "\x1b[K"
#define REST_CLEAR "\x1b[J"

struct watch_screen {
	FILE *out;
	int64_t wall_offset;
	int32_t agent_pid; /* of the agent event stored last */
	bool agent_gone;
	struct {
		int64_t wall;
		char text[EVENT_SIZE];
	} events[EVENTS_MAX];
	size_t n_events; /* in all; the last EVENTS_MAX are stored */
};

struct watch_screen *watch_screen_new(FILE *out)
{
	struct watch_screen *screen = calloc(1, sizeof(*screen));

	if (!screen)
		return NULL;
	screen->out = out;
	screen->wall_offset = walltime_offset();
	return screen;
}

void watch_screen_free(struct watch_screen *screen)
{
	free(screen);
}

static bool agent_is_old(struct watch_screen *screen, const struct fact_agent *agent)
{
	bool old = agent->pid == screen->agent_pid && agent->gone == screen->agent_gone;

	screen->agent_pid = agent->pid;
	screen->agent_gone = agent->gone;
	return old;
}

static void screen_emit(void *ctx, const struct fact *fact)
{
	struct watch_screen *screen = ctx;
	size_t slot = screen->n_events % EVENTS_MAX;

	if (fact->type == FACT_SESSION)
		screen->wall_offset = fact->session.wall_offset;
	if (fact->type == FACT_AGENT && agent_is_old(screen, &fact->agent))
		return;
	if (!event_text(fact, screen->events[slot].text, EVENT_SIZE))
		return;
	screen->events[slot].wall = fact->mono + screen->wall_offset;
	screen->n_events++;
}

struct fact_sink watch_screen_sink(struct watch_screen *screen)
{
	return (struct fact_sink){ .emit = screen_emit, .ctx = screen };
}

/* Draws at most room lines of text; the last one says how many were left out. */
static void lines_draw(FILE *out, char *text, int room)
{
	int lines = 0;
	char *line;

	for (const char *s = text; (s = strchr(s, '\n')); s++)
		lines++;
	for (int i = 0; i < lines && i < room; i++) {
		line = strsep(&text, "\n");
		if (i == room - 1 && lines > room)
			fprintf(out, "(%d more lines)" LINE_CLEAR "\n", lines - i);
		else
			fprintf(out, "%s" LINE_CLEAR "\n", line);
	}
}

static void events_draw(const struct watch_screen *screen, FILE *out, int width)
{
	size_t n = screen->n_events < EVENTS_MAX ? screen->n_events : EVENTS_MAX;
	char clock[UNITS_MAX];

	fputs(LINE_CLEAR "\n", out);
	for (size_t i = screen->n_events - n; i < screen->n_events; i++) {
		const char *text = screen->events[i % EVENTS_MAX].text;

		units_clock(screen->events[i % EVENTS_MAX].wall, clock);
		fprintf(out, "%s  ", clock);
		term_text_put_last(out, text, width - (int)strlen(clock) - 2);
		fputs(LINE_CLEAR "\n", out);
	}
}

static char *table_text(const struct report *report, const struct layout *layout)
{
	struct textbuf text;
	int err;

	if (textbuf_begin(&text) < 0)
		return NULL;
	err = table_write(text.text, report, layout);
	if (err == 0)
		return textbuf_end(&text);
	free(textbuf_end(&text));
	return NULL;
}

int watch_screen_draw(struct watch_screen *screen, const struct report *report, int rows,
		      const struct layout *layout)
{
	int height = rows < ROWS_MIN ? ROWS_MIN : rows;
	int events = screen->n_events < EVENTS_MAX ? (int)screen->n_events : EVENTS_MAX;
	char *table = table_text(report, layout);
	struct textbuf frame;
	int err = table ? textbuf_begin(&frame) : -ENOMEM;

	if (err < 0) {
		free(table);
		return err;
	}
	fputs(HOME, frame.text);
	/* One row for the blank line, one for the cursor: a full screen would scroll. */
	lines_draw(frame.text, table, height - events - 2);
	events_draw(screen, frame.text, layout->width);
	fputs(REST_CLEAR, frame.text);
	free(table);
	return textbuf_end_to(&frame, screen->out);
}

int watch_screen_clear(struct watch_screen *screen)
{
	static const char text[] = HOME REST_CLEAR;

	return textbuf_write(screen->out, text, strlen(text));
}
