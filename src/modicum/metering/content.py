"""What kind of text a file holds, by its name: tokenizers differ by kind, so counts are calibrated by kind."""

from pathlib import PurePath

_PROSE = frozenset(".adoc .latex .markdown .md .mdx .org .rst .tex .txt".split())
_CODE = frozenset(
    ".asm .bash .c .cc .clj .cljs .cpp .cs .css .cu .cxx .d .dart .el .elm .erl .ex .exs .f90 .fish .fs .go .gradle "
    ".graphql .groovy .h .hcl .hpp .hs .html .java .jl .js .jsx .kt .kts .less .lisp .lua .m .mjs .ml .mm .nim .nix "
    ".php .pl .pm .proto .ps1 .py .pyi .r .rb .rs .sass .scala .scm .scss .sh .sol .sql .svelte .swift .tf .tsx .ts "
    ".v .vb .vhd .vue .zig .zsh".split()
)


def content_of_file(name: str) -> str:
    """`code`, `prose`, or empty: neither (data, configuration, unknown)."""
    suffix = PurePath(name).suffix.lower()
    if suffix in _CODE:
        return "code"
    return "prose" if suffix in _PROSE else ""
