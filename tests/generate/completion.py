"""`docs/completion/hps.bash`: what may come next, for bash."""

from tests.generate import verbs

HEAD = """# shellcheck shell=bash
# Completion of hps, host_config, cluster_config and hps_config: source it, or put it where bash-completion looks.
# Made by `python -m tests.reference` from the verbs; change the source, not this file.

# _hps_next WORDS: what may follow these words.
_hps_next() {
	case $1 in
"""

TAIL = """	esac
}

_hps() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} place="" each next=""
	[ "${COMP_WORDS[0]##*/}" = hps ] || place=${COMP_WORDS[0]##*/}
	for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		next=$(_hps_next "${place:+$place }$each")
		[ -z "$next" ] || [[ $each == -* ]] || place=${place:+$place }$each
	done
	if [ "$word" = = ]; then word=""; elif [ "$before" = = ]; then before=${COMP_WORDS[COMP_CWORD - 2]}; fi
	next=""
	[[ $before != -* ]] || next=$(_hps_next "$place $before")
	[ -n "$next" ] || next=$(_hps_next "$place")
	mapfile -t COMPREPLY < <(compgen -W "$next" -- "$word")
}

complete -o default -F _hps hps host_config cluster_config hps_config
"""


def bash() -> str:
    """The file."""
    lines = [_case("", (*sorted(verbs.groups()), "--help", "--ips", "--cluster"))]
    for group in sorted(verbs.groups()):
        found = verbs.verbs(group)
        inner = [verb.words[1] for verb in found if len(verb.words) > 1]
        if inner:
            lines.append(_case(group, (*inner, "--help")))
        for verb in found:
            place = " ".join(verb.words)
            lines.append(_case(place, (*verb.choices, *verb.options)))
            lines += [_case(f"{place} {option}", words) for option, words in verb.options.items() if words]
    return HEAD + "".join(lines) + TAIL


def _case(place: str, words: tuple[str, ...]) -> str:
    assert not any(set(word) & set(" '\"\\$`\n") for word in words)
    return f"\t'{place}') echo '{' '.join(words)}' ;;\n"
