/*
 * module_text.h - a module's options, written out for people.
 */
#ifndef QUIRE_MODULE_TEXT_H
#define QUIRE_MODULE_TEXT_H

#include "core/modules.h"

/*
 * Find the module that "static,batch=8" or "./mine.so,window=4" means and read its
 * options.  @full becomes its name and every option in force, "static,batch=8,wait=0";
 * @label what the user wrote, a path cut to its last part.  Both have @size bytes and
 * may be cut.  Return: 0; -EINVAL with a sentence in quire_failure().
 */
int quire_module_settings(enum quire_module_kind kind, const char *spec, char *full, char *label,
			  size_t size);

/* What an option takes: "1..64", ">= 1", "0 or 1", "first|mixed". */
void quire_option_range(const struct quire_option *option, char *text, size_t size);

#endif /* QUIRE_MODULE_TEXT_H */
