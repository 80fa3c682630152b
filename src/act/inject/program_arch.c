/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/program_arch.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>

bool program_is_foreign(const void *head, size_t len)
{
#if defined(__x86_64__)
	static const uint16_t machine = EM_X86_64;
#elif defined(__aarch64__)
	static const uint16_t machine = EM_AARCH64;
#endif
	Elf64_Ehdr elf; /* the same in both classes up to e_machine */

	if (len < offsetof(Elf64_Ehdr, e_version))
		return false;
	memcpy(&elf, head, offsetof(Elf64_Ehdr, e_version));
	return memcmp(elf.e_ident, ELFMAG, SELFMAG) == 0 &&
	       (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_machine != machine);
}
