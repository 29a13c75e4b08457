package completion

import "embed"

//go:embed scripts
var scripts embed.FS

// Script returns what a shell, bash, zsh or fish, reads to complete wicket's command lines. It has the command print
// [Next].
func Script(shell string) (string, error) {
	script, err := scripts.ReadFile("scripts/wicket." + shell)
	return string(script), err
}
