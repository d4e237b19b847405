"""What kind of text a file holds, by its name: tokenizers differ by kind, so counts are calibrated by kind."""

from pathlib import PurePath

_PROSE = " .adoc .latex .markdown .md .mdx .org .rst .tex .txt "
_CODE = (
    " .asm .bash .c .cc .clj .cljs .cpp .cs .css .cu .cxx .d .dart .el .elm .erl .ex .exs .f90 .fish .fs .go .gradle"
    " .graphql .groovy .h .hcl .hpp .hs .html .java .jl .js .jsx .kt .kts .less .lisp .lua .m .mjs .ml .mm .nim .nix"
    " .php .pl .pm .proto .ps1 .py .pyi .r .rb .rs .sass .scala .scm .scss .sh .sol .sql .svelte .swift .tf .ts .tsx"
    " .v .vb .vhd .vue .zig .zsh "
)


def find_content_kind(name: str) -> str:
    """`code`, `prose`, or empty: neither (data, configuration, unknown)."""
    suffix = PurePath(name).suffix.lower()
    if not suffix:
        return ""
    if f" {suffix} " in _CODE:
        return "code"
    return "prose" if f" {suffix} " in _PROSE else ""
