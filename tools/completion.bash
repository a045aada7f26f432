# SPDX-License-Identifier: MIT
# completion.bash - what bash offers behind `tcpshim`. Commands, options and the
# names of calls come from the tool itself, so that nothing is listed twice.
# shellcheck shell=bash

# The words that a command's --help begins its lines with.
_tcpshim_options() {
	tcpshim "$1" --help 2>/dev/null |
		sed -n 's/^  \(-[^ ,]*\)\(, \(--[^ ]*\)\)\{0,1\}.*/\1 \3/p'
}

_tcpshim_commands() {
	tcpshim help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'
}

# Files of sessions, and directories on the way to them; with nothing typed,
# those in the default directory too.
_tcpshim_sessions() {
	compgen -f -X '!*.tcpshim' -- "$1"
	compgen -d -S / -- "$1"
	[ -n "$1" ] ||
		compgen -f -X '!*.tcpshim' -- "${XDG_STATE_HOME:-$HOME/.local/state}/tcpshim/"
}

# The values of an option that has any: _tcpshim_values COMMAND OPTION WORD
_tcpshim_values() {
	local before=${3%"${3##*,}"}

	case "$1 $2" in
	'log --call')
		compgen -P "$before" -W "$(tcpshim log --call '?' 2>&1 | sed 's/.*but://')" \
			-- "${3##*,}"
		;;
	'log --verdict')
		compgen -P "$before" -W "$(tcpshim log --verdict '?' 2>&1 | sed 's/.*but://')" \
			-- "${3##*,}"
		;;
	'suggest --as')
		compgen -W "$(tcpshim suggest --help 2>/dev/null |
			sed -n 's/.*\[--as \([a-z|]*\)\].*/\1/p' | tr '|' ' ')" -- "$3"
		;;
	*' --pid') compgen -W "$(cd /proc && echo [0-9]*)" -- "$3" ;;
	'sweep -o' | 'sweep --output' | 'sweep --state') compgen -f -- "$3" ;;
	'run -o' | 'run --output' | 'run --replay' | *' --session') _tcpshim_sessions "$3" ;;
	*' -f' | *' --file') [ "$1" != log ] && compgen -f -- "$3" ;;
	*) tcpshim "$1" --help 2>/dev/null | grep -Eq -- "^  (-., )?$2 [A-Z]" ;;
	esac
}

# Where the program of `tcpshim run` or `sweep` stands in the words: behind the options
# and their values. Prints nothing if it is not begun yet.
_tcpshim_program() {
	local i takes

	takes=" $(tcpshim "${COMP_WORDS[1]}" --help 2>/dev/null |
		sed -n 's/^  \(-.*\) [A-Z].*/\1/p' | tr -d , | tr '\n' ' ')"
	for ((i = 2; i <= COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--) echo $((i + 1)) && return ;;
		-*) [[ $takes != *" ${COMP_WORDS[i]} "* ]] || ((i++)) ;;
		*) echo $i && return ;;
		esac
	done
}

_tcpshim() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} program found

	COMPREPLY=()
	if ((COMP_CWORD == 1)) || [[ $command == help ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_tcpshim_commands) help" -- "$word")
		return
	fi
	[[ $command != run && $command != sweep ]] || program=$(_tcpshim_program)
	if [[ -n $program ]] && ((COMP_CWORD > program)); then
		! declare -F _command_offset >/dev/null || _command_offset "$program"
		return # else bash's default: files
	fi
	if [[ $before == -* ]] && found=$(_tcpshim_values "$command" "$before" "$word"); then
		mapfile -t COMPREPLY < <(printf '%s' "$found")
	elif [[ -z $program && $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_tcpshim_options "$command")" -- "$word")
	elif [[ $command == check || $command == explain ]]; then
		return # rules and calls are not listed anywhere
	elif [[ $command == run || $command == sweep ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
	else
		mapfile -t COMPREPLY < <(_tcpshim_sessions "$word")
	fi
}

complete -o default -o filenames -F _tcpshim tcpshim
