#compdef wicket
# Completion of wicket for zsh. Where wicket knows no words, files are completed.
_wicket() {
	local -a described
	local word help
	while IFS=$'\t' read -r word help; do
		described+=("${word//:/\\:}${help:+:$help}")
	done < <(wicket complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
	if (( ${#described} )); then
		_describe wicket described
	else
		_files
	fi
}
if [ "$funcstack[1]" = _wicket ]; then
	_wicket "$@"
else
	compdef _wicket wicket
fi
