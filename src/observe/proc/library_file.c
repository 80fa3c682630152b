/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/library_file.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bounded.h"

enum { ANSWER_MS = 3000 };

struct mapping {
	int dir;
	const char *range;
};

static void soname_read(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
			struct library_file *file)
{
	Elf_Data *data = elf_getdata(section, NULL);
	const char *name;
	GElf_Dyn entry;

	for (int i = 0; data && gelf_getdyn(data, i, &entry); i++) {
		name = entry.d_tag == DT_SONAME ? elf_strptr(elf, header->sh_link, entry.d_un.d_val)
						: NULL;
		if (name)
			snprintf(file->soname, sizeof(file->soname), "%s", name);
	}
}

static void build_id_read(Elf_Scn *section, struct library_file *file)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t at = 0, name, desc;
	GElf_Nhdr note;

	while (data && (at = gelf_getnote(data, at, &note, &name, &desc))) {
		const unsigned char *id = (const unsigned char *)data->d_buf + desc;

		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 ||
		    memcmp((const char *)data->d_buf + name, "GNU", 4) != 0)
			continue;
		for (size_t i = 0; i < note.n_descsz && i < sizeof(file->build_id) / 2; i++)
			sprintf(file->build_id + 2 * i, "%02x", id[i]);
	}
}

static void elf_read(int fd, struct library_file *file)
{
	Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while (elf && (section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &header))
			continue;
		if (header.sh_type == SHT_DYNAMIC)
			soname_read(elf, section, &header, file);
		else if (header.sh_type == SHT_NOTE)
			build_id_read(section, file);
	}
	elf_end(elf);
}

static int file_identity(void *ctx, int out)
{
	const struct mapping *mapping = ctx;
	struct library_file file = { "", "" };
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "map_files/%s", mapping->range);
	fd = openat(mapping->dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 1;
	elf_read(fd, &file);
	return write(out, &file, sizeof(file)) != sizeof(file);
}

void library_file_read(int dir, const char *range, int64_t until, struct library_file *ret)
{
	struct mapping mapping = { dir, range };
	char answer[sizeof(*ret) + 1];

	*ret = (struct library_file){ "", "" };
	if (bounded_text(ANSWER_MS, until, file_identity, &mapping, answer, sizeof(answer)) ==
	    sizeof(*ret))
		memcpy(ret, answer, sizeof(*ret));
}
