#!/bin/sh
# SPDX-License-Identifier: MIT
# templates.sh FILE...: print the C source of the templates[] that cli/templates.h declares.
set -eu
export LC_ALL=C

echo '/* SPDX-License-Identifier: MIT */'
echo '#include "templates.h"'
i=0
rows=
for file in "$@"; do
	name=${file#templates/}
	name=${name#udev/}
	name=${name%.in}
	echo
	echo "static const unsigned char file_${i}[] = { /* $file */"
	od -An -v -tx1 "$file" | sed 's/ *\([0-9a-f][0-9a-f]\)/ 0x\1,/g; s/^ /	/'
	echo '	0x00 };'
	rows="$rows	{ \"$name\", file_$i, sizeof(file_$i) - 1 },
"
	i=$((i + 1))
done
printf '\nconst struct template templates[] = {\n%s	{ 0 },\n};\n' "$rows"
