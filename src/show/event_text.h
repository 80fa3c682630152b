/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_SHOW_EVENT_TEXT_H
#define EW_SHOW_EVENT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "facts.h"

/*
 * An event in words, without its time: "pid 12 mesos-executor ended: signal 9 from pid 811
 * (mesos-agent)". False for facts that are no events to look at: buf is untouched then. Names of
 * strangers are in it as they are.
 */
bool event_text(const struct fact *fact, char *buf, size_t size);

#endif
