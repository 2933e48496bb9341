#!/bin/bash
# SPDX-License-Identifier: MIT
# The pre-commit hook in a repository of its own: formats what is staged, refuses half-staged files.
. "$(dirname "$0")/lib.sh"

export HOME=$scratch GIT_CONFIG_NOSYSTEM=1
unset GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE
cd "$scratch" || exit 1
git init -q repository && cd repository || exit 1
git config user.name tester && git config user.email tester@example.org
git config core.hooksPath "$top/scripts/hooks"
cp "$top/.clang-format" .

printf 'int  f( void )\n{ return 1; }\n' >a.c
printf '  x  \n' >notes.txt
git add .
expect 'a badly formatted file is committed' 0 '' git commit -qm first
expect 'formatted' 0 $'int f\\(void\\) \\{\n    return 1;\n\\}' git show HEAD:a.c
expect 'and so is the working copy' 0 '^$' git status --porcelain
expect 'other files are left alone' 0 '  x  ' git show HEAD:notes.txt

printf 'int f(void) {\n    return 2;\n}\n' >a.c
git add a.c
printf 'int f(void) {\n    return 3;\n}\n' >a.c
expect 'a partially staged file is refused' 1 'changes that are not staged:.*a\.c.*fix:' git commit -qm second
expect 'nothing was committed' 0 '^1' git rev-list --count HEAD
expect 'the index is as it was' 0 'return 2' git show :a.c
expect 'the file is as it was' 0 'return 3' cat a.c

git add a.c
printf 'int  g;\n' >'b c.h'
expect 'an unstaged change elsewhere does not matter' 0 '' git commit -qm second
git add 'b c.h'
expect 'names with blanks' 0 '' git commit -qm third
expect 'are formatted' 0 '^int g;' git show 'HEAD:b c.h'
git rm -q a.c
expect 'a removed file is no reason to stop' 0 '' git commit -qm fourth
finish
