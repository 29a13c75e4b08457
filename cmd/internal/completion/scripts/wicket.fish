# Completion of wicket for fish. Where wicket knows no words, files are completed.
function __wicket_words
	set -l before (commandline -opc)
	wicket complete -- $before[2..-1] (commandline -ct) 2>/dev/null
end
complete -c wicket -f -a '(__wicket_words)'
complete -c wicket -n 'test -z "$(__wicket_words)"' -F
