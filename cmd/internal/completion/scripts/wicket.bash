# Completion of wicket for bash 4 and newer. Where wicket knows no words, files are completed.
_wicket() {
	local line=${COMP_LINE:0:COMP_POINT} words
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=("")
	local typed=${words[-1]}
	mapfile -t COMPREPLY < <(wicket complete -- "${words[@]:1}" 2>/dev/null | cut -f 1)
	# bash replaces only what comes after an equals sign.
	[[ $typed == --*=* ]] && COMPREPLY=("${COMPREPLY[@]#"${typed%%=*}="}")
}
complete -o default -F _wicket wicket
