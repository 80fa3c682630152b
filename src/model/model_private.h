/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_MODEL_MODEL_PRIVATE_H
#define EW_MODEL_MODEL_PRIVATE_H

#include "model/model.h"
#include "model/store.h"

const struct store *model_store(const struct model *model);

#endif
